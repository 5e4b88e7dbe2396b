#!/usr/bin/env bats
# lib/common sets top, pid and started.
# shellcheck disable=SC2154,SC2016,SC2030,SC2031
# task-run(1): what becomes of lines, dependencies, bindings, order, stopping.
# The journal is in task-run-journal.bats, commands in task-run-exec.bats, what
# happens to instances meanwhile in task-run-live.bats.

bats_require_minimum_version 1.5.0
load lib/common

# serve SERVICE COMMAND...: a worker of SERVICE with 4 slots; its pid in $pid.
serve() {
	local service=$1
	shift
	start task-worker -j 4 "$service" -- "$@" >/dev/null
	svc-discover -w -T 30s "$service" >/dev/null
}

# codes FILE: "ID CODE" of each line, sorted; ok where there is a result.
codes() { jq -r '"\(.id) \(.error.code // "ok")"' "$1" | sort; }

@test "each line comes out once, with its result" {
	serve double jq '. * 2'
	seq 200 | task-run -s double >out
	[ "$(jq -c '[.task * 2 == .result]' out | sort | uniq -c | xargs)" = '200 [true]' ]
	jq -e '.instance.service == "double" and .status == 200' out >/dev/null
}

@test "of a file tasks may wait for later lines" {
	serve double jq '. * 2'
	serve add jq add
	cat >flow <<-'END'
		{"id":"sum","service":"add","task":[null,null],"bind":{"/0":"a","/1":"b#"}}
		{"id":"a","service":"double","task":1}
		{"id":"b","service":"double","task":2}
	END
	task-run -t flow >out
	[ "$(jq -c 'select(.id == "sum") | [.task, .result]' out)" = '[[null,null],6]' ]
	[ "$(tail -n 1 out | jq -r .id)" = sum ]
}

@test "standard input that is a file is read to its end, too" {
	serve double jq '. * 2'
	printf '%s\n' '{"id":"x","task":null,"bind":{"":"y"}}' '{"id":"y","task":3}' >flow
	task-run -s double <flow >out
	[ "$(jq -r 'select(.id == "x").result' out)" = 12 ]
}

@test "of a file unknown ids, double ids and cycles are told, and nothing starts" {
	serve double sh -c 'echo ran >>"$0"; cat' "$PWD/ran"
	printf '%s\n' '{"id":"a","task":1}' '{"id":"a","task":2}' \
		'{"id":"b","task":3,"after":["nobody"]}' >flow
	run --separate-stderr task-run -s double -t flow
	[ "$status" -eq 65 ] && [ -z "$output" ]
	[[ $stderr == *"flow:2: \"id\": 'a' came before, in line 1"* ]]
	[[ $stderr == *"flow:3: \"after\": no task has the id 'nobody'"* ]]
	printf '%s\n' '{"id":"a","task":1,"after":["c"]}' '{"id":"x","task":1}' \
		'{"id":"b","task":1,"after":["a"]}' '{"id":"c","task":1,"after":["b"]}' >flow
	run --separate-stderr task-run -s double -t flow
	[ "$status" -eq 65 ] && [ -z "$output" ]
	says_cycle='flow: a cycle: a (line 1), which waits for c (line 4), which waits for b (line 3), which waits for a'
	[[ $stderr == *"$says_cycle"* ]]
	[ ! -e ran ]
}

@test "a task that waits for itself is a cycle" {
	echo '{"id":"a","task":1,"after":["a"]}' >flow
	run --separate-stderr task-run -s double -t flow
	[ "$status" -eq 65 ]
	[[ $stderr == *'a (line 1), which waits for a'* ]]
}

@test "in a pipe who is waited for must have come before" {
	serve double jq '. * 2'
	printf '%s\n' '{"id":"a","task":1}' '{"id":"b","task":2,"after":["a"]}' \
		'{"id":"c","task":3,"after":["d"]}' '{"id":"a","task":4}' \
		'{"id":"d","task":5}' >lines
	run -65 --separate-stderr bash -c 'cat lines | task-run -s double >out'
	[ "$(codes out | xargs)" = 'a invalid a ok b ok c unknown-task d ok' ]
	[[ $stderr == *"stdin:4: \"id\": 'a' came before, in line 1"* ]]
}

@test "what waits for a failed task is skipped, and says through whom" {
	serve half sh -c 'read -r n; [ "$n" != 0 ] && echo "$n"'
	printf '%s\n' '{"id":"a","task":0}' '{"id":"b","task":1,"after":["a"]}' \
		'{"id":"c","task":2,"after":["b"]}' '{"id":"d","task":3}' >flow
	run -1 bash -c 'task-run -s half -t flow >out'
	[ "$(codes out | xargs)" = 'a http b skipped c skipped d ok' ]
	[ "$(jq -r 'select(.id == "b").error.message' out)" = 'a failed (http)' ]
	[ "$(jq -r 'select(.id == "c").error.message' out)" = 'b was skipped: a failed (http)' ]
}

@test "when says how those who are waited for must have ended" {
	serve half sh -c 'read -r n; [ "$n" != 0 ] && echo "$n"'
	cat >flow <<-'END'
		{"id":"good","task":1}
		{"id":"bad","task":0}
		{"id":"skip","task":1,"after":["bad"]}
		{"id":"f1","task":1,"after":["good"],"when":"failed"}
		{"id":"f2","task":1,"after":["good","bad"],"when":"failed"}
		{"id":"f3","task":1,"after":["good","skip"],"when":"failed"}
		{"id":"d1","task":1,"after":["good","bad","skip"],"when":"done"}
		{"id":"o1","task":1,"after":["good"],"when":"ok"}
	END
	run -1 bash -c 'task-run -s half -t flow >out'
	[ "$(codes out | xargs)" = 'bad http d1 ok f1 skipped f2 ok f3 skipped good ok o1 ok skip skipped' ]
}

@test "an undo step that was not needed is no failure" {
	serve echo cat
	printf '%s\n' '{"id":"a","task":1}' '{"id":"undo","task":2,"after":["a"],"when":"failed"}' >flow
	task-run -s echo -t flow >out
	[ "$(codes out | xargs)" = 'a ok undo skipped' ]
}

@test "parts of results are bound, byte for byte" {
	serve echo cat
	cat >flow <<-'END'
		{"id":"a","task":{"n":[1e400,9007199254740993],"s":"\u00e4/~"}}
		{"id":"b","task":{"x":null,"y":{"z":null},"k":1},"bind":{"/x":"a#/n/1","/y/z":"a#/n/0"}}
		{"id":"c","task":"anything","bind":{"":"a#/s"}}
	END
	task-run -k -s echo -t flow >out
	grep -q '"result":{"x":9007199254740993,"y":{"z":1e400},"k":1}}$' out
	grep -q '"id":"c".*"result":"\\u00e4/~"}$' out
}

@test "a part that the result lacks fails the task that binds it" {
	serve echo cat
	printf '%s\n' '{"id":"a","task":{"n":1}}' '{"id":"b","task":null,"bind":{"":"a#/m"}}' >flow
	run -1 bash -c 'task-run -s echo -t flow >out'
	[ "$(codes out | xargs)" = 'a ok b unbound' ]
	[[ $(jq -r 'select(.id == "b").error.message' out) == *'/m'* ]]
}

@test "a bad after, when or bind is the line's own fault" {
	serve echo cat
	printf '%s\n' '{"id":"a","task":1}' '{"id":"b","task":1,"after":"a"}' \
		'{"id":"c","task":1,"after":["a"],"when":"maybe"}' \
		'{"id":"d","task":1,"bind":{"/x":"a"}}' '{"id":"e","task":{"x":1},"bind":{"/x":"a"}}' >flow
	run -65 --separate-stderr bash -c 'task-run -s echo -t flow >out'
	[ "$(codes out | xargs)" = 'a ok b invalid c invalid d invalid e invalid' ]
}

@test "-k keeps the order of the input" {
	serve nap sh -c 'read -r n; sleep "0.0$((9 - n))"; echo "$n"'
	seq 8 >lines
	[ "$(task-run -k -s nap -o result -t lines | xargs)" = '1 2 3 4 5 6 7 8' ]
	[ "$(cat lines | task-run -k -s nap -o result | xargs)" = '1 2 3 4 5 6 7 8' ]
}

@test "-o result -L is text in, text out" {
	start task-worker -L -j 4 up -- tr a-z A-Z >/dev/null
	svc-discover -w -T 30s up >/dev/null
	[ "$(printf '%s\n' one 'two 2' | task-run -L -k -s up -H 'Content-Type: text/plain' -o result)" = $'ONE\nTWO 2' ]
}

@test "-n prints an order, and how long the chain in front is" {
	printf '%s\n' '{"id":"c","task":1,"after":["b","a"]}' '{"id":"b","task":1,"after":["a"]}' \
		'{"id":"a","task":1}' >flow
	task-run -n -s nobody -t flow >out
	[ "$(jq -r '"\(.id) \(.stage)"' out | xargs)" = 'a 0 b 1 c 2' ]
}

@test "tasks of greater priority go first" {
	serve_one() { start task-worker -j 1 one -- "$@" >/dev/null; }
	serve_one sh -c 'read -r n; echo "$n" >>"$0"; echo "$n"' "$PWD/ran"
	svc-discover -w -T 30s one >/dev/null
	for i in 1 2 3 4 5 6; do echo "{\"task\":$i,\"priority\":$i}"; done >flow
	task-run -j 1 -s one -t flow >/dev/null
	[ "$(xargs <ran)" = '6 5 4 3 2 1' ]
}

@test "--order edf and lpt say who goes first" {
	start task-worker -j 1 one -- sh -c 'read -r n; echo "$n" >>"$0"; echo "$n"' "$PWD/ran" >/dev/null
	svc-discover -w -T 30s one >/dev/null
	printf '{"task":%d,"deadline":"2099-01-0%dT00:00:00Z","duration":%d}\n' \
		1 3 2 2 1 1 3 2 3 >flow
	task-run -j 1 -s one --order=edf -t flow >/dev/null
	task-run -j 1 -s one --order=lpt -t flow >/dev/null
	[ "$(xargs <ran)" = '2 3 1 3 1 2' ]
}

@test "not_before is waited for" {
	serve echo cat
	soon=$(date -u -d '+1 second' +%Y-%m-%dT%H:%M:%S.%3NZ)
	printf '%s\n' "{\"id\":\"late\",\"task\":1,\"not_before\":\"$soon\"}" '{"id":"now","task":2}' >flow
	task-run -s echo -t flow >out
	[ "$(jq -r .id out | xargs)" = 'now late' ]
	[[ $(date -u +%Y-%m-%dT%H:%M:%S.%3NZ) > $soon ]]
}

@test "what cannot end before its deadline is not started" {
	serve echo cat
	soon=$(date -u -d '+60 seconds' +%Y-%m-%dT%H:%M:%SZ)
	echo "{\"id\":\"a\",\"task\":1,\"deadline\":\"$soon\",\"duration\":\"5m\"}" >flow
	run -1 bash -c 'task-run -s echo -t flow >out'
	[ "$(codes out)" = 'a deadline' ]
}

@test "--retry takes up an output: what failed, what it kept from starting" {
	start task-worker -j 4 fix -- sh -c '[ -e "$0" ] && cat' "$PWD/fixed" >/dev/null
	serve echo cat
	svc-discover -w -T 30s fix >/dev/null
	printf '%s\n' '{"id":"a","service":"echo","task":[7]}' '{"id":"b","service":"fix","task":null,"bind":{"":"a#/0"}}' \
		'{"id":"c","service":"echo","task":null,"bind":{"":"b"}}' >flow
	run -1 bash -c 'task-run -t flow >out1'
	[ "$(codes out1 | xargs)" = 'a ok b http c skipped' ]
	touch fixed
	task-run --retry -t out1 >out2
	[ "$(jq -r '"\(.id) \(.result | tojson)"' out2 | sort | xargs)" = 'a [7] b 7 c 7' ]
}

@test "--halt soon,fail=1 starts nothing more, and every line comes out" {
	serve half sh -c 'read -r n; [ "$n" != 3 ] && echo "$n"'
	seq 100 >flow
	run -1 bash -c 'task-run -j 1 --halt soon,fail=1 -s half -t flow >out'
	[ "$(wc -l <out)" -eq 100 ]
	[ "$(codes out | awk '{ print $2 }' | sort | uniq -c | xargs)" = '97 cancelled 1 http 2 ok' ]
	jq -r 'select(.error.code == "cancelled").error.message' out | grep -q fail=1
}

@test "--halt now,success=1 cancels what runs, and that is no failure" {
	serve nap sh -c 'read -r n; [ "$n" = 1 ] || sleep 30; echo "$n"'
	seq 4 >flow
	timeout 20 task-run --halt now,success=1 -s nap -t flow >out
	[ "$(wc -l <out)" -eq 4 ]
	[ "$(codes out | awk '{ print $2 }' | sort | uniq -c | xargs)" = '3 cancelled 1 ok' ]
}

@test "-r takes instances from a file, whose one service need not be named" {
	serve double jq '. * 2'
	svc-discover double >instances
	SVC_REGISTRY=$PWD/nowhere task-run -r instances -o result -k <<<$'1\n2' >out
	[ "$(xargs <out)" = '2 4' ]
}

@test "a task that names no service, where none is said, is told so" {
	run -1 bash -c 'echo 1 | task-run >out'
	[ "$(jq -r .error.code out)" = no-target ]
}

@test "TERM lets what runs end, the rest comes out as cancelled" {
	serve nap sh -c 'read -r n; : >"$0.$n"; until [ -e "$0.go" ]; do sleep 0.05; done; echo "$n"' "$PWD/t"
	seq 50 >flow
	start task-run -s nap -j 2 -t flow >out
	until_true 30 test -e t.1
	until_true 30 test -e t.2
	kill "$pid"
	: >t.go
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 143 ]
	[ "$(codes out | awk '{ print $2 }' | sort | uniq -c | xargs)" = '48 cancelled 2 ok' ]
}

@test "a second TERM cancels what runs, too" {
	serve nap sh -c 'read -r n; : >"$0.$n"; sleep 60' "$PWD/t"
	seq 5 >flow
	start task-run -s nap -j 2 -t flow >out
	until_true 30 test -e t.2
	kill "$pid"
	until_true 30 grep -q cancelled out
	kill "$pid"
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 143 ]
	[ "$(codes out | awk '{ print $2 }' | sort | uniq -c | xargs)" = '5 cancelled' ]
}

@test "USR1 asks how far it is" {
	serve nap sh -c 'read -r n; : >"$0.$n"; until [ -e "$0" ]; do sleep 0.05; done; echo "$n"' "$PWD/go"
	seq 3 >flow
	start task-run -s nap -t flow >out 2>err
	until_true 30 test -e go.3
	status_told() { kill -USR1 "$pid" && grep -q 'of 3 done' err; }
	until_true 30 status_told
	: >go
	wait "$pid"
}

@test "work on a pipe starts at once" {
	serve echo cat
	mkfifo in
	exec 8<>in
	task-run -s echo <in >out 3>&- 8>&- &
	pid=$!
	started+=("$pid")
	echo '{"id":"a","task":1}' >&8
	until_true 30 grep -q '"id":"a"' out
	echo '{"id":"b","task":null,"bind":{"":"a"}}' >&8
	until_true 30 grep -q '"id":"b"' out
	exec 8>&-
	wait "$pid"
}
