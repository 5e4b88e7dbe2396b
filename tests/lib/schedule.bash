# Instances and tasks, for the tests of task-schedule: `load lib/schedule` after
# lib/common.
# shellcheck shell=bash

# instances COUNT [MEMBERS]: lines of render's instances i1, i2...
instances() {
	local i
	for ((i = 1; i <= $1; i++)); do
		printf '{"service":"render","id":"i%d","address":"http://127.0.0.1:%d/task"%s}\n' \
			"$i" "$((9000 + i))" "${2:+,$2}"
	done
}

# ids: of the instances on the task lines of stdin, a line each
ids() {
	jq -r .instance.id
}

# sanitized: whether this build is, and needs memory of its own
sanitized() {
	[[ $(nm -D "$SVCKIT_BIN/task-schedule") == *asan* ]]
}
