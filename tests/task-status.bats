#!/usr/bin/env bats
# task-status: what is in the queue, why it waits, and what people do to it.

bats_require_minimum_version 1.5.0
load lib/common

setup_file() {
	export BATS_TEST_TIMEOUT=120
}

# submit ID [OPTIONS...]: a task with that id, whose payload it is, too.
submit() {
	local id=$1
	shift
	task-submit -i "$id" -d "\"$id\"" "$@" >/dev/null
}
drain() { timeout 60 task-run --queue --until-empty --exec "$@" </dev/null; }
# daemon OPTIONS...: a task-run --queue that is up, its pid in $pid.
daemon() {
	start timeout 100 task-run --queue "$@" </dev/null >/dev/null 2>&1
	until_true 20 is_up
}
is_up() { [ -n "$(find "$SVC_REGISTRY/tasks/claimants" -type f ! -name '.*')" ]; }
# is_in STATE ID: whether it is there.
is_in() { [ "$(task-status -o '%{state}' "$2")" = "$1" ]; }
# reason ID: the word and the sentence.
reason() { task-status "$1" | jq -r '"\(.reason): \(.message)"'; }
# ids OPTIONS...: those that it lists, in one line.
ids() { task-status -o '%{id}' "$@" | paste -sd' '; }
states() { task-status -a -o '%{id}=%{state}' | sort | paste -sd' '; }

@test "a task that waits is one record with its reason" {
	submit t1 -s render --priority 5
	run -0 jq -c 'del(.since, .message)' <(task-status)
	[ "$output" = '{"id":"t1","service":"render","state":"waiting","attempt":0,"priority":5,"reason":"no-scheduler"}' ]
	[ "$(reason t1)" = "no-scheduler: no task-run executes the queue: start 'task-run --queue'" ]
}

@test "since is the time at which it came to its state" {
	before=$(date -u +%FT%T)
	submit t1
	run -0 task-status -o '%{since}' t1
	[[ ! $output < $before ]] && [[ ! $output > "$(date -u -d '+1 second' +%FT%T)" ]]
	touch -d '2 hours ago' "$SVC_REGISTRY/tasks/new/t1.0"
	[[ ! $(task-status -o '%{since}' t1) < $before ]]
}

@test "what waits stands in the order in which it is to run" {
	submit late
	submit far --deadline 2h
	submit near --deadline 1h
	submit high --priority 5
	submit low --priority -5
	submit last
	[ "$(ids)" = 'high near far late last low' ]
}

@test "a list is sorted by state, and has no ended ones unless asked" {
	submit good
	submit bad
	# shellcheck disable=SC2016
	drain -- sh -c 'read -r n; [ "$n" = "\"good\"" ]' || :
	submit held
	task-status --hold held >/dev/null
	submit waits
	[ "$(ids)" = 'waits held' ]
	[ "$(ids -a)" = 'waits held good bad' ]
	[ "$(ids --state failed,held)" = 'held bad' ]
}

@test "only tasks of the service that -s names" {
	submit a -s render
	submit b -s resize
	submit c
	[ "$(ids -s render)" = a ]
	run -1 task-status -s other
	[ -z "$output" ]
}

@test "an ended task comes with its finished line" {
	submit t1
	drain -- cat
	run -0 jq -c '[.state, .line.id, .line.result]' <(task-status t1)
	[ "$output" = '["done","t1","t1"]' ]
	[ "$(task-status -o '%{line.result}' t1)" = t1 ]
}

@test "result prints the results alone, and says which have none" {
	submit good
	submit bad
	drain -- grep good || :
	submit waits
	[ "$(task-status -o result)" = '"good"' ]
	run -1 task-status -o result good bad waits
	says '"good"'
	says 'task-status: bad: failed: exit: '
	says 'task-status: waits: is waiting: it has no result'
}

@test "tsv has the id first, and control characters are harmless" {
	submit t1 -s render
	run -0 task-status -o tsv
	[[ $output == $'t1\trender\twaiting\t0\t\t'*$'\tno-scheduler\tno task-run'* ]]
	mkdir -p "$SVC_REGISTRY/tasks/failed"
	printf '{"task":1,"error":{"code":"x","message":"a\\u001b[2J\\n"}}\n' >"$SVC_REGISTRY/tasks/failed/t2"
	run -1 task-status -o tsv t2
	says 'a\x1b[2J\n'
}

@test "an id that is none of the queue's is said to be none" {
	submit t1
	run -1 task-status nope t1
	says 'task-status: nope: no such task'
	says '"id":"t1"'
}

@test "a queue that does not exist has nothing in it" {
	for place in "$SVC_REGISTRY" "$PWD/none"; do
		run -1 task-status -R "$place"
		[ -z "$output" ]
		run -1 task-status -R "$place" --retry t1
		says 't1: no such task'
	done
	[ "$(task-status -R "$PWD/none" --count)" = '{"waiting":0,"held":0,"running":0,"done":0,"failed":0}' ]
	[ ! -e none ]
}

@test "on a terminal there is a table, or one sentence" {
	run script -qec 'TERM=dumb task-status' /dev/null
	says 'no such tasks in the queue of'
	submit t1 -s render
	run script -qec 'stty cols 60; TERM=dumb task-status' /dev/null
	says 'ID SERVICE STATE   TRY AGE DETAIL'
	says 't1 render  waiting   0'
	says '…'
}

@test "counts are by state, and with --all by service" {
	submit a -s render
	submit b -s render
	submit c
	task-status --hold b >/dev/null
	[ "$(task-status --count)" = '{"waiting":2,"held":1,"running":0,"done":0,"failed":0}' ]
	[ "$(task-status --count --state held -o '%{held}')" = 1 ]
	run -0 task-status --count -a -o tsv
	[ "${lines[0]}" = $'\t1\t0\t0\t0\t0' ]
	[ "${lines[1]}" = $'render\t1\t1\t0\t0\t0' ]
	[ "$(task-status --count -s render | jq .waiting)" = 1 ]
}

@test "neither a count nor one task reads the tasks" {
	needs strace
	for id in a b c; do submit "$id"; done
	for arguments in --count b; do
		ASAN_OPTIONS=exitcode=99:detect_leaks=0 strace -f -o trace -e trace=openat,openat2,open task-status "$arguments" >out
		[ -s out ]
		[ "$(grep -cE '"[ac]\.0"' trace)" -eq 0 ]
	done
	ASAN_OPTIONS=exitcode=99:detect_leaks=0 strace -f -o trace -e trace=openat,openat2,open task-status >out
	grep -F '"a.0"' trace
}

@test "a held task says how it is released, and is" {
	submit t1
	run -0 jq -r .state <(task-status --hold t1)
	[ "$output" = held ]
	[ "$(reason t1)" = "held: it is held until 'task-status --release t1'" ]
	run -0 jq -r .state <(task-status --release t1)
	[ "$output" = waiting ]
}

@test "one that waits for others says for whom" {
	submit a
	submit b
	submit c --after a --after b
	drain -- grep a || :
	[ "$(reason c)" = "skipped: $(jq -r .error.message "$SVC_REGISTRY/tasks/failed/c")" ]
	submit d
	task-status --hold d >/dev/null
	submit e --after a --after d
	[ "$(reason e)" = 'after: it waits for 1 of 2: d' ]
}

@test "one that can never run says why, until a scheduler sees it" {
	submit a
	submit b --after a
	task-status --cancel a >/dev/null
	[ "$(reason b)" = "ruled-out: 'a', which it waits for, was skipped or cancelled" ]
	task-status --purge a >/dev/null
	[ "$(reason b)" = "ruled-out: 'a', which it waits for, is not in the queue" ]
}

@test "one whose time has not come says when it does" {
	submit t1 --not-before 2100-01-01T00:00:00Z
	[ "$(reason t1)" = 'not-before: it is not to start before 2100-01-01T00:00:00.000Z' ]
}

@test "one that came back from a lost claim rests" {
	mkdir -p "$SVC_REGISTRY"/tasks/{ids,new}
	echo '{"id":"t1","task":1,"lost":["x, then","y, then"]}' >"$SVC_REGISTRY/tasks/ids/t1"
	cp "$SVC_REGISTRY/tasks/ids/t1" "$SVC_REGISTRY/tasks/new/t1.2"
	touch "$SVC_REGISTRY/tasks/new/t1.2"
	run -0 reason t1
	says 'rests: it came back from a claim that was lost (2 of 3), and rests until 2'
	[ "$(task-status -o '%{attempt}' t1)" = 2 ]
}

@test "one whose service has no instances says what is wrong with them" {
	svc-register -i w1 render 127.0.0.1:1 >/dev/null
	svc-register --drain render w1 >/dev/null
	daemon
	submit t1 -s render
	submit t2 -s other
	[ "$(reason t1)" = 'no-instances: render: 1 instance, none available: 1 draining' ]
	[ "$(reason t2)" = 'no-instances: other: no instances' ]
}

@test "those before it are counted, of the same service" {
	daemon -j 1 --exec -- sleep 100
	submit first
	until_true 20 is_in running first
	for id in a b c d; do submit "$id" -s render; done
	until_true 20 claimed_all
	run -0 task-status --state waiting -o '%{reason}: %{message}'
	[ "${lines[0]}" = 'busy: it is next, as soon as a task-run has room for it' ]
	[ "${lines[1]}" = 'turn: 1 task of render comes before it' ]
	run -0 reason "$(task-status --state waiting -o '%{id}' | tail -n 1)"
	says 'turn: it waits for its turn, as '
	ids | tr ' ' '\n' | task-status --cancel - >/dev/null
}
# What the daemon takes ahead, it has taken.
claimed_all() { [ "$(task-status --count -o '%{waiting}')" -ge 2 ]; }

@test "a running task says which claimant has it" {
	daemon --exec -- sleep 100
	submit t1
	until_true 20 is_in running t1
	run -0 jq -r '"\(.attempt) \(.where)"' <(task-status t1)
	[ -e "$SVC_REGISTRY/tasks/claimants/${output#1 }" ]
	task-status --cancel t1 >/dev/null
}

@test "a running task is cancelled, and what it started stops" {
	daemon --exec -- sh -c 'echo $$ >job; exec sleep 100'
	submit t1
	until_true 20 test -s job
	run -0 jq -r '"\(.state) \(.reason)"' <(task-status --cancel t1)
	[ "$output" = 'failed cancelled' ]
	wait_gone "$(cat job)" 20
	is_in failed t1
}

@test "failed ones that a pipe names are retried" {
	seq 3 | task-submit >/dev/null
	submit fine --not-before 1h
	drain -- false || :
	run -0 bash -c "task-status --state failed -o tsv | cut -f 1 | task-status --retry -"
	[ "${#lines[@]}" -eq 3 ]
	[ "$(task-status --count -o '%{waiting} %{failed}')" = '4 0' ]
	drain -- cat
	[ "$(task-status -o result | sort | paste -sd' ')" = '1 2 3' ]
}

@test "ids come from lines, plain or with a member id" {
	for id in a b c; do submit "$id"; done
	run -65 task-status -o '%{id}' - c <<-'END'
		a
		{"id":"b","task":1}
		not an id
	END
	says "task-status: stdin:3: neither an id nor a JSON object with one: 'not an id'"
	[ "$(task-status -o '%{id}' - c < <(printf 'a\n{"id":"b"}\n') | paste -sd' ')" = 'a b c' ]
}

@test "one that cannot be changed says why, and the others are" {
	submit a
	submit b
	task-status --hold a >/dev/null
	run -1 task-status --hold a nope b
	says 'task-status: a: is held: only waiting tasks can be held'
	says 'task-status: nope: no such task'
	[ "$(states)" = 'a=held b=held' ]
	run -1 task-status --retry a
	says 'a: is held: only failed tasks can be retried'
	run -1 task-status --purge a
	says 'a: is held: only done and failed tasks can be purged'
}

@test "-n prints what would be done, and does nothing" {
	submit a
	submit b
	task-status --hold b >/dev/null
	run -1 task-status --hold -n a b
	says '"would":"hold"'
	says 'b: is held: only waiting'
	[ "$(states)" = 'a=waiting b=held' ]
	run -0 task-status --cancel -n -o '%{would} %{id}' a b
	[ "$output" = $'cancel a\ncancel b' ]
}

@test "what is purged is printed with its line, and gone" {
	submit a
	drain -- cat
	run -0 jq -r '.state, .line.result' <(task-status --purge a)
	[ "$output" = $'done\na' ]
	run -1 task-status a
	says 'a: no such task'
	[ ! -e "$SVC_REGISTRY/tasks/ids/a" ]
	submit a
}

@test "--purge --older takes what ended long ago, of the states asked for" {
	submit good
	submit bad
	drain -- grep good || :
	submit waits
	run -0 task-status --purge --older 1h
	[ -z "$output" ]
	[ "$(task-status --purge --older 0 --state failed -n -o '%{id}')" = bad ]
	[ "$(task-status --purge --older 0 --state failed -o '%{id}')" = bad ]
	[ "$(states)" = 'good=done waits=waiting' ]
	[ "$(task-status --purge --older 0 -o '%{id}')" = good ]
}

@test "a named task that failed makes exit 1" {
	submit good
	submit bad
	drain -- grep good || :
	run -0 task-status good
	run -1 task-status good bad
	run -0 task-status -a
}

@test "files that are no tasks are warned of, and stop nobody" {
	submit t1
	echo 'no JSON' >"$SVC_REGISTRY/tasks/new/bad.0"
	echo '{"id":"x"}' >"$SVC_REGISTRY/tasks/held/x.0"
	mkfifo "$SVC_REGISTRY/tasks/new/fifo.0"
	ln -s /etc/passwd "$SVC_REGISTRY/tasks/new/link.0"
	: >"$SVC_REGISTRY/tasks/new/empty.0"
	run -0 timeout 20 task-status -o '%{id}'
	says $'\nt1'
	for name in new/bad.0 held/x.0 new/fifo.0 new/link.0; do
		[ "$(grep -c "task-status: .*/tasks/$name: .*: skipped" <<<"$output")" -eq 1 ]
	done
	run -0 timeout 20 task-status -q -o '%{id}'
	[ "$output" = t1 ]
}

@test "-f prints what there is, and then each change" {
	submit t1
	start task-status -f -o '%{id}=%{state}' >out
	until_true 20 grep -x t1=waiting out
	task-status --hold t1 >/dev/null
	until_true 20 grep -x t1=held out
	submit t2
	until_true 20 grep -x t2=waiting out
	task-status --cancel t2 >/dev/null
	until_true 20 grep -x t2=failed out
	[ "$(sort out | uniq -d)" = '' ]
	kill -0 "$pid"
}

@test "-f follows a queue that is not there yet" {
	start task-status -f -o '%{id}' >out
	until_true 20 test -d "/proc/$pid"
	submit t1
	until_true 20 grep -x t1 out
}

@test "-f with ids ends when they have all ended" {
	seq 5 | task-submit >batch.ndjson
	submit other --not-before 1h
	task-status -f -o '%{state}' - <batch.ndjson >out 3>&- &
	follower=$!
	drain -- cat
	timeout 20 tail --pid="$follower" -f /dev/null
	wait "$follower"
	[ "$(grep -cx 'done' out)" -eq 5 ]
}

@test "-f with ids is exit 1 when one fails or is not there" {
	submit good
	submit bad
	submit stays --not-before 1h
	drain -- grep good || :
	run -1 timeout 20 task-status -f -o '%{state}' good bad
	run -0 timeout 20 task-status -f good
	run -1 timeout 20 task-status -f good nope
	says 'nope: no such task'
}

@test "-f ends when nobody reads" {
	submit t1
	run -0 timeout 20 bash -c 'task-status -f | head -n 1'
	says '"id":"t1"'
}

@test "what changes tasks goes with nothing that lists, nor with each other" {
	for arguments in '--cancel --retry t1' '--hold -a t1' '--purge -f t1' \
		'--release --count t1' '--retry -s render t1' '--cancel' '--purge' \
		'--cancel --state waiting t1' '--purge --older 1d t1' '--older 1d' \
		'--purge --older 1d --state waiting' '-n' '--count t1' '--count -f' \
		'--state nowhere' '--count -o result' '-o xml' '../x' 't1 -a'; do
		# shellcheck disable=SC2086
		run -64 task-status $arguments
		[ "${#lines[@]}" -eq 1 ]
	done
}

@test "a full disk is told" {
	[ -e /dev/full ] || skip 'there is no /dev/full'
	submit t1
	run -74 bash -c 'task-status >/dev/full'
	says 'task-status: stdout: '
}

@test "who may not change the queue is told, and nothing is" {
	[ "$(id -u)" -ne 0 ] || skip 'root may do all'
	submit t1
	chmod 500 "$SVC_REGISTRY/tasks/new"
	run task-status --hold t1
	chmod 700 "$SVC_REGISTRY/tasks/new"
	is 77
	is_in waiting t1
}
