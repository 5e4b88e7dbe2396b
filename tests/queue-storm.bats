#!/usr/bin/env bats
# The durable queue under fire; `make soak` has more of it.

load lib/common

@test "whatever is killed, each acknowledged task ends, and never runs twice at a time" {
	needs flock
	tasks=10000
	# Under the sanitizers everything takes ten times as long.
	[[ $SVCKIT_BIN != *sanitize* ]] || tasks=1500
	mkdir storm
	cd storm
	run timeout 900 "$top/tests/lib/queue-storm" "$tasks"
	echo "$output"
	is 0
}
