#!/usr/bin/env bats
# Every example of every page is run as it stands: each literal block that is
# indented, in an empty directory, with a registry of its own.

load lib/common

# What a suite that was stopped left behind: all that runs in the examples'
# sessions, each process by its pid.
teardown() {
	local session pid
	for session in "$BATS_TEST_TMPDIR"/*/*/session; do
		[ -f "$session" ] || continue
		for pid in $(pgrep -s "$(cat "$session")"); do kill "$pid" || :; done
	done
}

# examples PAGE DIRECTORY: writes its blocks to DIRECTORY/NN.sh.
examples() {
	awk -v dir="$2" '
		/^\.Sh / { at_examples = /EXAMPLES/ }
		/^\.Bd -literal -offset indent$/ || (at_examples && /^\.Bd -literal/) {
			n++; inside = 1; next }
		/^\.Ed/ { inside = 0 }
		inside { gsub(/\\e/, "\\"); gsub(/\\-/, "-"); gsub(/\\\(aq/, "\047")
			gsub(/\\&/, ""); print > sprintf("%s/%02d.sh", dir, n) }' "$1"
}

# Whether no process of the session $1 is left.
session_is_over() {
	! pgrep -s "$1" >/dev/null
}

# end_session SID: an example that fails leaves what it started to us.
end_session() {
	local pid
	for pid in $(pgrep -s "$1"); do
		kill -9 "$pid" 2>/dev/null || :
	done
}

# What an example calls outside of its directory: the machine's own daemons and
# mail.  They are called in svc-watch-handlers.bats.
shield() {
	local command
	mkdir shield
	for command in nginx haproxy systemctl mail; do
		printf '#!/bin/sh\necho "%s $*" >&2\n' "$command" >"shield/$command"
	done
	chmod +x shield/*
	PATH=$PWD/shield:$PATH
}

# run_example SCRIPT: with job control, as a person at a shell has it.
run_example() {
	local where=$BATS_TEST_TMPDIR/${1%.sh}
	mkdir -p "$where/empty" && mkdir -m 700 "$where/registry"
	(
		cd "$where/empty" || exit
		export SVC_REGISTRY=$where/registry
		# shellcheck disable=SC2016 # for the shell that is started
		exec timeout -k 5 120 setsid -w bash -c \
			'echo $$ >../session; set -eu -o pipefail -m; . "$0"' "$OLDPWD/$1" \
			>../out 2>&1 3>&- </dev/null
	) || {
		echo "ended with $?:"
		cat "$1" "$where/out"
		end_session "$(cat "$where/session")"
		return 1
	} >&2
	until_true 20 session_is_over "$(cat "$where/session")" || {
		echo 'left processes behind:'
		cat "$1"
		end_session "$(cat "$where/session")"
		return 1
	} >&2
}

# runs PAGE: all its examples end with 0 and leave no process behind.
runs() {
	local script scripts
	mkdir blocks
	shield
	examples "$top/man/$1" blocks
	scripts=(blocks/*.sh)
	[ ${#scripts[@]} -ge 2 ] || { echo "fewer than two examples" >&2; return 1; }
	for script in "${scripts[@]}"; do
		run_example "$script" || return 1
	done
}

@test "the commands of README.md work, and print what it shows" {
	sed -n '/^## A minute/,/^## What/s/^    //p' "$top/README.md" >minute
	sed -n 's/^\$ //p' minute >readme.sh
	[ "$(wc -l <readme.sh)" -ge 8 ]
	# The call that is shown to fail is meant to.
	sed -i '/^echo .* >failed.ndjson$/s/$/ || :/' readme.sh
	run_example readme.sh
	for shown in '^5$' '^7$' '^svc-call: count: no instances' '"code":"no-instances"' '^1$' '^OK - 1 instance'; do
		grep -q -- "$shown" readme/out
		grep -q -- "$shown" minute
	done
}

@test "every page is listed here" {
	for page in "$top"/man/*; do
		grep -q "runs ${page##*/}\$" "$BATS_TEST_FILENAME"
	done
}

@test "the examples of svckit(7) work" {
	runs svckit.7
}

@test "the examples of svc-register(1) work" {
	runs svc-register.1
}

@test "the examples of svc-discover(1) work" {
	runs svc-discover.1
}

@test "the examples of svc-call(1) work" {
	runs svc-call.1
}

@test "the examples of task-run(1) work" {
	runs task-run.1
}

@test "the examples of task-submit(1) work" {
	runs task-submit.1
}

@test "the examples of task-status(1) work" {
	runs task-status.1
}

@test "the examples of svc-watch(1) work" {
	runs svc-watch.1
}

@test "the examples of task-schedule(1) work" {
	runs task-schedule.1
}

@test "the examples of task-worker(8) work" {
	runs task-worker.8
}

@test "the examples of instance-line(5) work" {
	runs instance-line.5
}

@test "the examples of task-line(5) work" {
	runs task-line.5
}

@test "the examples of svc-spool(5) work" {
	runs svc-spool.5
}
