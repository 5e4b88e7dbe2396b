#!/usr/bin/env bats
# lib/common sets top, pid and started.
# shellcheck disable=SC2154,SC2016,SC2030,SC2031
# task-run(1), SIGNALS: however it is stopped, lines in = lines out.

bats_require_minimum_version 1.5.0
load lib/common

# A task that says that it runs, and prints its number.
command='echo $SVC_TASK_ID >>log; exec cat'
# The same, but it takes its time, and only KILL ends it.
stubborn='trap "" TERM; echo $SVC_TASK_ID >>log; while :; do :; done'

# Forty tasks, in chains of four.
make_tasks() {
	jq -nc 'range(40) | {id: "t\(.)", task: .} + if . >= 10 then {after: ["t\(. - 10)"]} else {} end' >tasks
}

# run_until N OPTION...: a run in the background, when N tasks have started.
run_until() {
	local count=$1
	shift
	rm -f log
	start env --default-signal=INT,TERM,HUP task-run "$@" >out 2>err
	until_true 20 eval "[ -e log ] && [ \$(wc -l <log) -ge $count ]"
}

# No signal waits to be looked at.
all_taken() {
	[ "$(awk '/^(Sig|Shd)Pnd:/ { print $2 }' "/proc/$pid/status" 2>/dev/null | tr -d '0\n')" = '' ]
}

# stop SIGNAL TIMES: and its status in $status.
stop() {
	local count
	for ((count = 1; count <= $2; count++)); do
		kill -s "$1" "$pid" 2>/dev/null || :
		until_true 10 all_taken
	done
	wait "$pid" && status=0 || status=$?
}

# each_once FILE: the forty ids, each once.
each_once() {
	[ "$(jq -r .id "$1" | sort -V | xargs)" = "$(printf 't%d ' {0..39} | xargs)" ]
}

@test "stopped once or twice by any signal, each line of a file comes out once" {
	local signal times count=1
	make_tasks
	for signal in INT TERM HUP; do
		for times in 1 2; do
			run_until $((count++ * 5)) -j 3 -t tasks --exec -- sh -c "$command"
			stop $signal $times
			[ "$status" -eq $((128 + $(kill -l $signal))) ] || [ "$status" -eq 0 ]
			each_once out
			[ -z "$(jq -c 'select(.error and (.error.code | IN("cancelled", "skipped") | not))' out)" ]
		done
	done
}

@test "stopped with -k, the lines are in their order" {
	make_tasks
	run_until 7 -k -j 2 -t tasks --exec -- sh -c "$command"
	stop TERM 1
	[ "$(jq -r .id out | xargs)" = "$(printf 't%d ' {0..39} | xargs)" ]
}

@test "stopped with -o result, what has no result is on standard error" {
	make_tasks
	run_until 12 -o result -j 4 -t tasks --exec -- sh -c "$command"
	stop INT 1
	grep '^{' err >failed || :
	[ $(($(wc -l <out) + $(wc -l <failed))) -eq 40 ]
	jq -nc '[inputs] | map({id: "t\(.)"}) | .[]' out >ended
	each_once <(cat ended failed)
}

@test "what a stopped run has in its journal is not done again" {
	make_tasks
	run_until 11 -j 3 -t tasks --journal journal --exec -- sh -c "$command"
	stop TERM 1
	each_once out
	jq -r 'select(has("result")).id' out | sort >ended
	rm log
	task-run -t tasks --journal journal --resume --exec -- sh -c "$command" >out
	each_once out
	[ "$(jq -s 'map(select(has("result"))) | length' out)" -eq 40 ]
	[ "$(sort log)" = "$(jq -r .id tasks | sort | comm -23 - ended)" ]
}

@test "the first signal lets what runs end, the second one cancels it" {
	make_tasks
	run_until 3 -j 3 -t tasks --exec -- sh -c 'echo 1 >>log; exec sleep 60'
	stop INT 2
	[ "$status" -eq 130 ]
	each_once out
	[ "$(jq -r .error.code out | sort -u)" = cancelled ]
	[ "$(jq -s 'map(select(.error.attempts == 1)) | length' out)" -eq 3 ]
}

@test "the third signal ends it at once, and its commands" {
	make_tasks
	run_until 4 -j 4 -t tasks --exec -- sh -c "$stubborn"
	pgrep -P "$pid" >children
	stop HUP 3
	[ "$status" -eq 129 ]
	local child
	while read -r child; do wait_gone "$child" 5; done <children
	[ -z "$(jq -r .id out | sort | uniq -d)" ]
}

@test "a signal ends it while its input is open, and what was read comes out" {
	make_tasks
	mkfifo pipe
	exec 6<>pipe
	cat tasks >&6
	start bash -c 'exec env --default-signal=TERM task-run -j 4 --exec -- sh -c "$0" <pipe' "$command" >out 2>err
	until_true 20 eval '[ -e log ] && [ $(wc -l <log) -eq 40 ]'
	stop TERM 1
	exec 6>&-
	[ "$status" -eq 143 ]
	each_once out
}

@test "a reader that has gone ends it as SIGPIPE does, and its commands" {
	seq 1000 >numbers
	run bash -c 'task-run -j 4 -t numbers --exec -- cat | head -n 1; echo "${PIPESTATUS[0]}" >ended'
	[ "$(cat ended)" -eq 141 ]
	[ "${#lines[@]}" -eq 1 ]
}

@test "a full disk under the output is 74, and a resumed run loses nothing" {
	[ -c /dev/full ] || skip 'no /dev/full'
	make_tasks
	run -74 --separate-stderr bash -c "task-run -t tasks --exec -- cat >/dev/full"
	[ "$stderr" = 'task-run: stdout: No space left on device' ]
	run -74 bash -c 'task-run -k -t tasks --journal journal --exec -- cat >/dev/full'
	task-run -t tasks --journal journal --resume --exec -- cat >out
	each_once out
	[ "$(jq -s 'map(select(has("result"))) | length' out)" -eq 40 ]
}
