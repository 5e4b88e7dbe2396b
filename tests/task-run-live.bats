#!/usr/bin/env bats
# lib/common sets top, pid and started.
# shellcheck disable=SC2154,SC2030,SC2031
# task-run(1): instances that die, hang, are drained and come while it runs.

bats_require_minimum_version 1.5.0
load lib/common

# gated ID SLOTS [SERVICE]: a worker of service w.  A task says that it has begun,
# in the file log, and then takes a token, which release gives.
gated() {
	[ -e step ] || cat >step <<-'SH'
		#!/bin/bash
		read -r task
		printf '%s %s %s\n' "$EPOCHREALTIME" "$SVC_ID" "$SVC_TASK_ID" >>log
		read -rN1 <>"gate.$SVC_ID"
		echo "$task"
	SH
	[ -p "gate.$1" ] || mkfifo "gate.$1"
	: >>log
	start task-worker -q -j "$2" -i "$1" "${3:-w}" -- bash "$PWD/step" >"record.$1"
	until_true 30 test -s "record.$1"
}

# release ID N: so many tasks of it may end, these or later ones.  The gate stays
# open here: a fifo that nobody has open forgets what is in it.
release() {
	local gate
	exec {gate}<>"gate.$1"
	printf '%*s' "$2" '' >&"$gate"
}

# begun ID: the tasks that have begun there; began ID: how many.
begun() { awk -v id="$1" '$2 == id { print $3 }' log; }
began() { begun "$1" | wc -l; }
so_many() { [ "$(began "$1")" -ge "$2" ]; }
lines() { [ "$(wc -l <"$1")" -ge "$2" ]; }

# codes FILE: how many lines ended how.
codes() { jq -r '.error.code // "ok"' "$1" | sort | uniq -c | xargs; }

# ids: of tasks, one a line.
ids() { jq -r .id | sort; }

# runs TASKS OPTION...: task-run on w, in the background, its pid in $runner.
runs() {
	seq "$1" | sed 's/.*/{"id":"t&","task":&}/' >flow
	shift
	start task-run -q -s w "$@" -t flow >out
	runner=$pid
}

# served ID SLOTS OPTION=VALUE...: a server of w that is told to have SLOTS; its
# own account is in log.ID.
served() {
	local id=$1 slots=$2
	shift 2
	start python3 "$top/tests/lib/slot_server.py" "log=log.$id" "$@" >"port.$id"
	until_true 30 test -s "port.$id"
	svc-register -q -i "$id" -c "slots=$slots" w "http://127.0.0.1:$(cat "port.$id")/" >/dev/null
}

# most FILE...: how many tasks were at work at once, at most, in all of them.
most() {
	sort -s -k 1,1n -k 2,2r "$@" | awk '
		$2 == "begun" && ++n > most { most = n }
		$2 == "served" { n-- }
		END { print most + 0 }'
}

@test "an instance that is killed takes along what it had begun, and no more" {
	gated a 2; victim=$pid
	gated b 2
	release a 2
	runs 40
	until_true 30 so_many a 4
	until_true 30 so_many b 2
	kill -9 "$victim"
	release b 40
	status=0
	wait "$runner" || status=$?
	[ "$status" -eq 1 ]
	[ "$(codes out)" = '38 ok 2 reset' ]
	diff <(begun a | tail -n 2 | sort) <(jq 'select(.error)' out | ids)
	[ "$(began a) $(began b)" = '4 36' ]
}

@test "where that is harmless they are executed elsewhere" {
	gated a 2; victim=$pid
	gated b 2
	release a 2
	runs 40 --idempotent
	until_true 30 so_many a 4
	until_true 30 so_many b 2
	kill -9 "$victim"
	release b 40
	wait "$runner"
	[ "$(codes out)" = '40 ok' ]
	[ "$(began a) $(began b)" = '4 38' ]
}

@test "an instance that is stopped holds up what it had begun, and no more" {
	gated a 2; victim=$pid
	gated b 2
	runs 40 -T 6
	until_true 30 so_many a 2
	kill -STOP "$victim"
	release b 40
	status=0
	wait "$runner" || status=$?
	kill -CONT "$victim"
	[ "$status" -eq 1 ]
	[ "$(codes out)" = '38 ok 2 timeout' ]
	diff <(begun a | sort) <(jq 'select(.error)' out | ids)
}

@test "an instance that is stopped for a while fails nothing" {
	gated a 2; victim=$pid
	gated b 2
	runs 40
	until_true 30 so_many a 2
	kill -STOP "$victim"
	release b 38
	until_true 30 lines out 38
	kill -CONT "$victim"
	release a 2
	wait "$runner"
	[ "$(codes out)" = '40 ok' ]
	[ "$(began a) $(began b)" = '2 38' ]
}

@test "--hedge asks another one, and nothing waits for the one that is stopped" {
	gated a 1; victim=$pid
	gated b 2
	release b 60
	runs 40 --hedge 500ms --idempotent -T 60
	until_true 30 so_many a 1
	kill -STOP "$victim"
	wait_gone "$runner" 30
	kill -CONT "$victim"
	wait "$runner"
	[ "$(codes out)" = '40 ok' ]
	[ "$(jq -r .instance.id out | uniq | xargs)" = b ]
}

@test "a drained instance ends what it has, and gets no more" {
	gated a 2
	gated b 1
	runs 30
	until_true 30 so_many a 2
	svc-register -q --drain w a
	# What came after has been seen: so has this.
	gated c 1
	until_true 30 so_many c 1
	release a 30
	release b 30
	release c 30
	wait "$runner"
	[ "$(codes out)" = '30 ok' ]
	[ "$(began a)" -eq 2 ]
}

@test "an instance that is drained no longer gets work again" {
	gated a 1
	svc-register -q --drain w a
	gated b 1
	runs 10
	until_true 30 so_many b 1
	svc-register -q --undrain w a
	until_true 30 so_many a 1
	release a 10
	release b 10
	wait "$runner"
	[ "$(codes out)" = '10 ok' ]
}

# late: milliseconds from when the records of the file registered were written,
# just before they had their names, to the first task of each, sorted.
late() {
	awk 'NR == FNR { at[$2] = $1; next }
		$2 in at { printf "%d\n", ($1 - at[$2]) * 1000; delete at[$2] }' registered log | sort -n
}

@test "a new instance is used within 100 ms" {
	local i
	gated first 1
	runs 20
	until_true 30 so_many first 1
	for i in 1 2 3 4 5; do
		gated "n$i" 1
		until_true 30 so_many "n$i" 1
		stat -c "%.6Y n$i" "$SVC_REGISTRY/services/w/n$i.json" >>registered
	done
	late >ms
	echo "# ms: $(xargs <ms)"
	[ "$(wc -l <ms)" -eq 5 ] && [ "$(sed -n 3p ms)" -lt 100 ]
	for i in first n1 n2 n3 n4 n5; do release "$i" 20; done
	wait "$runner"
	[ "$(codes out)" = '20 ok' ]
}

@test "tasks of a service that is not there yet wait for it, and hold up nobody" {
	gated a 1
	release a 10
	seq 5 | sed 's/.*/{"id":"l&","task":&,"service":"late"}\n{"id":"w&","task":&}/' >flow
	start task-run -q -s w -t flow >out
	runner=$pid
	until_true 30 lines out 5
	gated b 1 late
	release b 5
	wait "$runner"
	[ "$(codes out)" = '10 ok' ]
	[ "$(jq -r '"\(.id[:1]) \(.instance.id)"' out | sort | uniq -c | xargs)" = '5 l b 5 w a' ]
}

@test "without an instance nothing is started: an outage fails what is in flight" {
	gated a 1; victim=$pid
	release a 1
	runs 20
	until_true 30 so_many a 2
	kill -9 "$victim"
	until_true 30 lines out 2
	gated b 1
	release b 20
	status=0
	wait "$runner" || status=$?
	[ "$status" -eq 1 ]
	[ "$(codes out)" = '19 ok 1 reset' ]
	[ "$(began a) $(began b)" = '2 18' ]
}

@test "an instance that goes in good order fails nothing" {
	gated a 2; victim=$pid
	gated b 2
	runs 40
	until_true 30 so_many a 2
	kill "$victim"
	release a 2
	release b 40
	wait "$runner"
	[ "$(codes out)" = '40 ok' ]
	[ "$(began a)" -eq 2 ]
}

@test "several services are used in one run, each by its own tasks" {
	for service in x y z; do
		gated "of-$service" 2 "$service"
		release "of-$service" 20
	done
	seq 60 | awk '{ printf "{\"id\":\"t%d\",\"task\":%d,\"service\":\"%s\"}\n", $1, $1, substr("xyz", $1 % 3 + 1, 1) }' >flow
	task-run -q -t flow >out
	[ "$(codes out)" = '60 ok' ]
	[ "$(jq -r '"\(.service) \(.instance.id)"' out | sort | uniq -c | xargs)" = '20 x of-x 20 y of-y 20 z of-z' ]
}

@test "no instance has more requests open than slots, and all of them are used" {
	served a 2 slots=2 delay=0.02
	served b 3 slots=3 delay=0.02
	seq 300 | task-run -q -s w -j 64 >out
	[ "$(codes out)" = '300 ok' ]
	run ! grep turned log.a log.b
	[ "$(most log.a) $(most log.b)" = '2 3' ]
}

@test "-j bounds all of them together" {
	for id in a b c; do served "$id" 4 slots=4 delay=0.02; done
	seq 300 | task-run -q -s w -j 5 >out
	[ "$(codes out)" = '300 ok' ]
	[ "$(most log.a log.b log.c)" -eq 5 ]
	for id in a b c; do grep -q served "log.$id"; done
}

@test "unequal instances get what they can do: the makespan follows their speed" {
	local delay took
	for delay in 0.05 0.1 0.2 0.4; do served "d$delay" 1 "delay=$delay"; done
	# 37.5 a second together.
	seq 150 | task-run -q -s w >out
	[ "$(codes out)" = '150 ok' ]
	[ "$(jq -r .instance.id out | sort | uniq -c | sort -rn | awk '{ print $2 }' | xargs)" = 'd0.05 d0.1 d0.2 d0.4' ]
	took=$(sort -n log.* | sed -n '1s/ .*//p;$s/ .*//p' | xargs | awk '{ print $2 - $1 }')
	echo "# $took ms, of 4000 at best; round-robin takes 15000"
	[ "$took" -lt 6000 ]
}

@test "busy is not failure" {
	# It is told that there are four slots; there is one.
	served a 4 slots=1 delay=0.02 retry_after=0
	seq 30 | task-run -q -s w --retries 0 >out
	[ "$(codes out)" = '30 ok' ]
	grep -q turned log.a
	[ "$(grep -c begun log.a)" -eq 30 ]
}

@test "while a task runs it takes what it requires, under every policy" {
	cat >step <<-'SH'
		mkdir "run.$SVC_TASK_ID"
		ls -d run.* | wc -l >>counts
		sleep 0.05
		rmdir "run.$SVC_TASK_ID"
		cat
	SH
	start task-worker -q -j 8 -c mem=5 -i a w -- bash "$PWD/step" >record
	until_true 30 test -s record
	seq 8 | sed 's/.*/{"id":"t&","task":&,"requires":{"mem":2}}/' >flow
	for policy in p2c random round-robin least-loaded hash weighted=headroom constrained; do
		rm -f counts
		task-run -q -s w --policy "$policy" -t flow >out
		[ "$(codes out)" = '8 ok' ]
		[ "$(sort -n counts | tail -n 1)" -eq 2 ] || { echo "$policy: $(xargs <counts)"; return 1; }
	done
}
