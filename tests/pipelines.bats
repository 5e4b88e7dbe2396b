#!/usr/bin/env bats
# What the utilities do together.

load lib/common

# worker NAME ARGUMENT...: a task-worker, registered when this returns; its
# record is in $record.
worker() {
	local from
	exec {from}< <(exec task-worker "$@" 3>&- 2>"$BATS_TEST_TMPDIR/worker.$RANDOM")
	started+=($!)
	read -r -t 20 record <&"$from"
	exec {from}<&-
}

# A line in, a line out, after so many milliseconds: a service of known speed.
slow_echo() {
	cat >"$BATS_TEST_TMPDIR/echo.py" <<-'PY'
		import sys, time
		for line in sys.stdin:
		    time.sleep(float(sys.argv[1]) / 1000)
		    print(line, end="", flush=True)
	PY
	echo "$BATS_TEST_TMPDIR/echo.py"
}

# Fails the tasks that contain $1, keeps a log of all it was given in $2.
stage() {
	cat >"$BATS_TEST_TMPDIR/stage" <<-'SH'
		#!/bin/sh
		task=$(cat)
		printf '%s\n' "$task" >>"$2"
		case $task in *"$1"*) echo "not with $1" >&2; exit 3 ;; esac
		printf '%s' "$task"
	SH
	chmod +x "$BATS_TEST_TMPDIR/stage"
}

@test "discover, schedule and call: every task runs where it was planned" {
	worker -j 2 -i a work -- cat
	worker -j 2 -i b work -- cat
	seq 50 | task-schedule --round-robin -s work >planned
	svc-call -j 8 <planned >results
	diff <(jq -c '[.id, .instance.id]' planned | sort) <(jq -c '[.id, .instance.id]' results | sort)
	[ "$(jq -c 'select(.status == 200)' results | wc -l)" -eq 50 ]
}

@test "no later stage sees the input of a task that failed earlier" {
	stage
	for n in 1 2 3; do
		worker -j 2 "stage$n" -- "$BATS_TEST_TMPDIR/stage" "bad$n" "$PWD/log$n"
	done
	printf '"%s"\n' good1 bad1 good2 bad2 good3 bad3 >tasks
	run bash -c 'svc-call stage1 <tasks | svc-call stage2 | svc-call stage3 >out'
	[ "$(wc -l <out)" -eq 6 ]
	[ "$(sort log1 | wc -l) $(sort log2 | wc -l) $(sort log3 | wc -l)" = '6 5 4' ]
	[ -z "$(grep bad1 log2 log3)" ]
	[ -z "$(grep bad2 log3)" ]
	[ "$(jq -r 'select(.error) | .task' out | sort | tr '\n' ' ')" = 'bad1 bad2 bad3 ' ]
}

@test "lines in are lines out through the whole pipeline" {
	worker -j 4 --backlog 16 work -- cat
	{
		printf '%s\n' '{"id":"a","task":1}' 'not json' '{"id":"a","task":2}' '' \
			'{"task":3,"task":4}' '{"id":"no name","task":5}' '[1,2' '"last"'
		head -c 3000000 /dev/zero | tr '\0' x
		echo
		printf '{"id":"end","task":null}'
	} >tasks
	run bash -c 'task-schedule -s work <tasks 2>/dev/null | svc-call >out'
	is 1
	[ "$(wc -l <out)" -eq 9 ]
	[ "$(jq -c 'select(.status == 200)' out | wc -l)" -eq 4 ]
	[ "$(jq -c 'select(.error.code == "invalid")' out | wc -l)" -eq 5 ]
}

@test "a payload comes out of the pipeline byte for byte" {
	worker work -- cat
	payload='{"b":1,"a":1e400,"n":9007199254740993,"b":2,"s":"\u00e9\/"}'
	printf '%s\n' "$payload" | task-schedule -s work | svc-call >out
	grep -qF "\"task\":$payload," out
	grep -qF "\"result\":$payload" out
}

@test "64 at once against unequal workers: no task fails, none moves" {
	echo=$(slow_echo)
	for pace in 3 10 100; do
		worker -j 4 -i "p$pace" --lines paced -- python3 "$echo" "$pace"
	done
	seq 400 | task-schedule --round-robin -s paced >planned
	svc-call -j 64 <planned >results
	[ "$(jq -c 'select(.error)' results | wc -l)" -eq 0 ]
	diff <(jq -c '[.id, .instance.id, .task]' planned | sort) \
		<(jq -c '[.id, .instance.id, .result]' results | sort)
}

@test "64 at once, weighted: no task fails, none moves" {
	echo=$(slow_echo)
	for pace in 3 10 100; do
		worker -j 4 -i "p$pace" -u "0.$pace" --lines paced -- python3 "$echo" "$pace"
	done
	seq 200 | task-schedule --weighted=headroom --seed 3 -s paced >planned
	svc-call -j 64 <planned >results
	[ "$(jq -c 'select(.status == 200)' results | wc -l)" -eq 200 ]
	diff <(jq -c '[.id, .instance.id, .task]' planned | sort) \
		<(jq -c '[.id, .instance.id, .result]' results | sort)
}

@test "64 at once, unplanned: no task fails, the fast do more" {
	echo=$(slow_echo)
	for pace in 3 10 100; do
		worker -j 4 -i "p$pace" --lines paced -- python3 "$echo" "$pace"
	done
	seq 400 | svc-call -j 64 paced >results
	[ "$(jq -c 'select(.status == 200)' results | wc -l)" -eq 400 ]
	jq -r .instance.id results | sort | uniq -c | sort -n | awk '{ print $2 }' >order
	[ "$(head -1 order)" = p100 ]
}

@test "two callers at workers that turn away what they have no slot for: no task fails" {
	echo=$(slow_echo)
	for pace in 3 10 100; do
		worker -j 4 --backlog 0 -i "p$pace" --lines paced -- python3 "$echo" "$pace"
	done
	seq 200 | task-schedule --round-robin -s paced >planned
	svc-call -j 64 <planned >planned.results 3>&- &
	seq 200 | svc-call -j 64 paced >results
	wait $!
	[ "$(jq -c 'select(.status == 200)' results | wc -l)" -eq 200 ]
	[ "$(jq -c 'select(.status == 200)' planned.results | wc -l)" -eq 200 ]
	diff <(jq -c '[.id, .instance.id]' planned | sort) \
		<(jq -c '[.id, .instance.id]' planned.results | sort)
}

@test "--retry repeats exactly what failed" {
	stage
	worker work -- "$BATS_TEST_TMPDIR/stage" bad "$PWD/log"
	printf '"%s"\n' good bad fine >tasks
	run svc-call -k work <tasks
	is 1
	printf "%s\n" "${lines[@]}" >out
	: >log
	sed -i 's/\*"\$1"\*/never/' "$BATS_TEST_TMPDIR/stage"
	svc-call -k --retry work <out >again
	[ "$(cat log)" = '"bad"' ]
	[ "$(jq -r '.result' again | tr '\n' ' ')" = 'good bad fine ' ]
}

@test "what is drained gets no new work, and what is left does it all" {
	worker -i stays work -- cat
	worker -i goes work -- cat
	svc-register --drain work goes
	seq 10 | task-schedule --round-robin -s work | svc-call >results
	[ "$(jq -r .instance.id results | sort | uniq -c | tr -s ' ')" = ' 10 stays' ]
}

@test "shares follow the formula" {
	for u in 1 2 5; do
		svc-register -i "u$u" -u "0.$u" shares 127.0.0.1:9 >/dev/null
	done
	seq 8000 >tasks
	svc-discover shares | task-schedule --weighted --seed 7 -t tasks |
		jq -r .instance.id | sort | uniq -c >counts
	# 1000, 2000 and 5000 expected; four standard deviations are 118 to 173.
	awk '{ want = 1000 * substr($2, 2); d = $1 - want; if (d < 0) d = -d
		if (d > 173) { print "share of", $2, "is", $1; bad = 1 } }
		END { exit bad || NR != 3 }' counts
}

@test "SIGKILL of a worker takes it out of the registry at once" {
	worker -i victim work -- cat
	victim=${started[-1]}
	svc-discover work
	kill -9 "$victim"
	wait_gone "$victim" 10
	run svc-discover work
	is 1
	says '1 expired'
}

@test "instances that never end keep the first task waiting, as the page says" {
	mkfifo instances
	svc-register work 127.0.0.1:9 >record
	start bash -c 'exec task-schedule -t <(echo 1) <instances >planned'
	exec {feed}>instances
	cat record >&"$feed"
	until_true 20 grep -q '^rchar: [1-9]' "/proc/$pid/io"
	[ ! -s planned ]
	exec {feed}>&-
	until_true 20 grep -q '"instance"' planned
}

@test "a service that calls itself ends by a timeout, as the page says" {
	worker -j 1 --backlog 0 self -- svc-call -T 1s -d 1 self
	run svc-call -T 20s -d 1 self
	is 1
	says '"code":"http"'
	says '\"code\":\"busy\"' || says 'exited with status 1'
}
