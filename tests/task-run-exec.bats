#!/usr/bin/env bats
# lib/common sets top, pid and started.
# shellcheck disable=SC2154,SC2016,SC2030,SC2031
# task-run(1), LOCAL COMMANDS: tasks executed by a command of this machine.

bats_require_minimum_version 1.5.0
load lib/common

field() { jq -r "$1" out; }

@test "the task is on standard input, what is printed is the result" {
	seq 20 | task-run --exec -k -o result -- jq '. * .' >out
	[ "$(xargs <out)" = "$(seq 20 | awk '{ print $1 * $1 }' | xargs)" ]
}

@test "no registry is asked for, and no instance is on the line" {
	SVC_REGISTRY=$PWD/none task-run --exec -- cat <<<'{"id":"a","task":[1],"service":"x"}' >out
	[ "$(jq -c '[.id, .status, .result, has("instance")]' out)" = '["a",0,[1],false]' ]
	[ ! -e none ]
}

@test "with -L both are text" {
	printf '%s\n' 'a b' 'ü"\' '' 'c' | task-run -L --exec -k -o result -- tr a-z A-Z >out
	[ "$(cat out)" = $'A B\nü"\\\nC' ]
}

@test "arguments go to the command as they are, without a shell" {
	[ "$(echo 1 | task-run -L --exec -o result -- printf '%s|' 'a  b' '$HOME' '*')" = 'a  b|$HOME|*|' ]
}

@test "the environment says which task it is, which attempt, and until when" {
	printf '%s\n' '{"id":"t7","task":1,"timeout":60}' |
		task-run -T 9s --exec -- jq -n 'env | [.SVC_TASK_ID, .SVC_ATTEMPT, .SVC_DEADLINE]' >out
	[ "$(jq -r '.result[:2] | join(" ")' out)" = 't7 1' ]
	[[ $(field '.result[2]') > $(date -u +%Y-%m-%dT%H:%M:%S) ]]
}

@test "an exit status is an error, with the last of standard error" {
	run -1 --separate-stderr bash -c "echo 5 | task-run --exec -- sh -c 'echo one >&2; echo two >&2; exit 5' >out"
	[ "$(jq -c '.error | [.code, .message, .status, .body]' out)" = '["exit","exit status 5: two",5,"one\ntwo"]' ]
	[[ $stderr == *': one'*': two' ]]
}

@test "standard error has the task's id in front of each line" {
	printf '%s\n' '{"id":"t1","task":1}' | task-run --exec -- sh -c 'printf "a\nb" >&2; cat' 2>err >out
	[ "$(cat err)" = $'t1: a\nt1: b' ]
}

@test "a signal is an error that names it" {
	run -1 bash -c "echo 1 | task-run --exec -- sh -c 'kill -9 \$\$' >out"
	[ "$(jq -c '.error | [.code, .message, .status]' out)" = '["exit","killed by signal 9 (KILL)",137]' ]
}

@test "what is no JSON is a bad response, unless lines are text" {
	run -1 bash -c 'echo 1 | task-run --exec -- echo hello you >out'
	[ "$(field .error.code)" = bad-response ]
}

@test "a command that does not exist is told before anything starts" {
	run -127 --separate-stderr bash -c 'seq 3 | task-run --exec -- no-such-command >out'
	[ ! -s out ] && [[ $stderr == *no-such-command* ]]
	: >here
	run -126 bash -c 'seq 3 | task-run --exec -- ./here >out'
	[ ! -s out ]
}

@test "only what --retries or the line says is tried again" {
	run -1 bash -c "echo 1 | task-run --exec -- sh -c 'echo x >>runs; exit 1' >out"
	[ "$(wc -l <runs)" -eq 1 ]
	echo 1 | task-run --exec --retries 5 -- sh -c 'echo x >>again; [ $SVC_ATTEMPT = 3 ] && cat' >out
	[ "$(wc -l <again)" -eq 3 ] && [ "$(field .attempts)" = 3 ]
	printf '%s\n' '{"task":1,"retries":1}' | task-run --exec -- sh -c '[ $SVC_ATTEMPT = 2 ] && cat' >out
	[ "$(field .attempts)" = 2 ]
}

@test "at its timeout the whole process group goes" {
	run -1 bash -c "echo 1 | timeout 30 task-run -T 0.3s --exec -- sh -c 'sleep 300 & echo \$! >child; sleep 300' >out"
	[ "$(field .error.code)" = timeout ]
	until_true 10 wait_gone "$(cat child)" 1
}

@test "what ignores SIGTERM is killed" {
	run -1 bash -c "echo 1 | timeout 30 task-run -T 0.2s --exec -- sh -c 'trap \"\" TERM; while :; do sleep 0.1; done' >out"
	[ "$(field .error.code)" = timeout ]
}

@test "what a command leaves behind neither holds a slot nor stays" {
	seq 3 | timeout 30 task-run -j 1 --exec -- sh -c 'sleep 300 & echo $! >>children; cat' >out
	[ "$(wc -l <out)" -eq 3 ]
	while read -r child; do until_true 10 wait_gone "$child" 1; done <children
}

@test "-j bounds how many run at once" {
	seq 12 | task-run -j 3 --exec -- sh -c 'mkdir "run.$SVC_TASK_ID"; ls -d run.* | wc -l >>counts
		sleep 0.05; rmdir "run.$SVC_TASK_ID"; cat' >out
	[ "$(sort -n counts | tail -n 1)" -le 3 ]
	[ "$(wc -l <out)" -eq 12 ]
}

@test "eight MiB go in and out, and a command need not read them" {
	head -c 8000000 /dev/zero | tr '\0' x >big
	task-run -L --exec -o result -- cat <big >out
	cmp -s big <(tr -d '\n' <out)
	[ "$(task-run -L --exec -o result -- echo unread <big)" = unread ]
}

@test "a result over the limit is too large" {
	run -1 bash -c 'echo 1 | task-run -L --max-result 1K --exec -- head -c 5000 /dev/zero >out'
	[ "$(field .error.code)" = too-large ]
}

@test "a result may have as many bytes as the limit says, and not one more" {
	run -1 bash -c 'seq 4 | task-run -L --max-result 1K --exec -- sh -c "read n; head -c \$((1022 + n)) /dev/zero | tr \"\\0\" x; [ \$n = 3 ] || echo" >out'
	[ "$(jq -r '.task + " " + (.error.code // (.result | length | tostring))' out | sort | xargs)" = '1 1023 2 1024 3 too-large 4 too-large' ]
}

@test "an exit status is seen although SIGCHLD was ignored by who started it" {
	needs python3
	run -1 bash -c "echo 1 | python3 -c 'import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.execvp(sys.argv[1], sys.argv[1:])' task-run --exec -- sh -c 'exit 3' >out"
	[ "$(jq -c '.error | [.code, .status]' out)" = '["exit",3]' ]
}

@test "workflows run on commands, too" {
	cat >flow <<-'END'
		{"id":"c","task":[null,null],"bind":{"/0":"a","/1":"b"}}
		{"id":"a","task":[1]}
		{"id":"b","task":[2]}
	END
	task-run --exec -t flow -- jq -c add >out
	[ "$(jq -c 'select(.id == "c").result' out)" = 3 ]
}

@test "TERM twice ends what runs, and every line comes out" {
	seq 5 >lines
	start task-run -j 2 --exec -t lines -- sh -c ': >"began.$SVC_TASK_ID"; sleep 300' >out
	began() { [ "$(find . -name 'began.*' | wc -l)" -eq 2 ]; }
	until_true 30 began
	kill "$pid"
	until_true 30 grep -q cancelled out
	kill "$pid"
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 143 ] && [ "$(jq -r .error.code out | sort | uniq -c | xargs)" = '5 cancelled' ]
}

@test "options of services do not go with --exec" {
	for option in '-r f' '-s x' '-l a=b' '--policy p2c' '--hedge 1s' '--rate 5/s' '-H a:b'; do
		# shellcheck disable=SC2086 # two words
		run -64 task-run --exec $option -- cat
	done
	run -64 task-run --exec
	run -64 task-run cat
}
