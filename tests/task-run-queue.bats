#!/usr/bin/env bats
# task-run --queue: the durable queue executed, and what survives what.

load lib/common
bats_require_minimum_version 1.5.0

setup_file() {
	export BATS_TEST_TIMEOUT=300
}

# places STATE: the names in a state's directory, sorted.
places() { find "$SVC_REGISTRY/tasks/$1" -type f ! -name '.*' -printf '%f\n' | sort; }
# is_done COUNT: so many tasks have results.
is_done() { [ "$(places 'done' 2>/dev/null | wc -l)" -eq "$1" ]; }
is_failed() { [ "$(places failed 2>/dev/null | wc -l)" -eq "$1" ]; }
is_up() { [ -n "$(places claimants 2>/dev/null)" ]; }
has_lines() { [ "$(wc -l <"$1")" -eq "$2" ]; }
claimed() { [ "$(places running 2>/dev/null | wc -l)" -ge "$1" ]; }
# daemon OPTIONS...: a task-run --queue, its pid in $pid, its messages in err.$n
daemon() {
	n=$((${n:-0} + 1))
	# shellcheck disable=SC2024
	task-run --queue "$@" </dev/null >"out.$n" 2>"err.$n" 3>&- &
	pid=$!
	started+=("$pid")
}
drain() { timeout 120 task-run --queue --until-empty --exec "$@" </dev/null; }

@test "a submitted task is executed, and its result is in the queue" {
	task-submit -i one -d '{"n":20}' >/dev/null
	drain -- jq -c .n
	run -0 jq -c '[.id, .task, .result, .status]' "$SVC_REGISTRY/tasks/done/one"
	[ "$output" = '["one",{"n":20},20,0]' ]
	[ -z "$(places new)$(places running)$(places claimants)" ]
}

@test "a failed one lies under failed, and makes --until-empty exit 1" {
	task-submit -i bad -d 1 >/dev/null
	run -1 drain -- false
	[ "$(jq -r .error.code "$SVC_REGISTRY/tasks/failed/bad")" = exit ]
}

@test "it prints nothing, and an empty queue is drained at once" {
	run -0 drain -- cat
	[ -z "$output" ]
}

@test "priority comes first, then the deadline, then the submission" {
	task-submit -i late -d 1 >/dev/null
	task-submit -i far --deadline 2h -d 1 >/dev/null
	task-submit -i near --deadline 1h -d 1 >/dev/null
	task-submit -i high --priority 5 -d 1 >/dev/null
	task-submit -i low --priority -5 -d 1 >/dev/null
	task-submit -i last -d 1 >/dev/null
	# shellcheck disable=SC2016
	drain -j 1 -- sh -c 'cat; echo "$SVC_TASK_ID" >>order'
	[ "$(paste -sd' ' order)" = 'high near far late last low' ]
}

@test "ids with dots and digits are executed like others" {
	for id in t1.3 a.0 1.2.3 x@y; do task-submit -i "$id" -d 1 || :; done >/dev/null 2>&1
	drain -- cat
	[ "$(places 'done' | paste -sd' ')" = '1.2.3 a.0 t1.3' ]
}

@test "what waits for others waits, and gets their results" {
	task-submit -i a -d '[1,2]' >/dev/null
	task-submit >/dev/null <<-'END'
		{"id":"b","task":null,"bind":{"":"a#/1"}}
		{"id":"c","task":[null],"bind":{"/0":"b"},"after":["a"]}
	END
	drain -- cat
	[ "$(jq -c .result "$SVC_REGISTRY/tasks/done/c")" = '[2]' ]
}

@test "an undo step runs when what it waits for failed, and only then" {
	task-submit >/dev/null <<-'END'
		{"id":"ok","task":0}
		{"id":"bad","task":1}
		{"id":"undo-ok","task":0,"after":["ok"],"when":"failed"}
		{"id":"undo-bad","task":0,"after":["bad"],"when":"failed"}
		{"id":"next","task":0,"after":["bad"]}
	END
	# shellcheck disable=SC2016
	run -1 drain -- sh -c 'read -r n; echo "$n"; exit "$n"'
	[ "$(places 'done' | paste -sd' ')" = 'ok undo-bad' ]
	for id in undo-ok next; do
		[ "$(jq -r .error.code "$SVC_REGISTRY/tasks/failed/$id")" = skipped ]
	done
	jq -r .error.message "$SVC_REGISTRY/tasks/failed/next" | grep bad
}

@test "what is not to start before a time is left by --until-empty" {
	task-submit -i later --not-before 1h -d 1 >/dev/null
	task-submit -i now -d 1 >/dev/null
	drain -- cat
	[ "$(places 'done')" = now ]
	[ "$(places new)" = later.0 ]
}

@test "a daemon starts what comes, and what its time comes for" {
	daemon --exec -- cat
	task-submit -i soon --not-before 1s -d 1 >/dev/null
	task-submit -i now -d 2 >/dev/null
	until_true 20 is_done 2
	kill "$pid"
	wait "$pid"
}

@test "TERM lets what runs end, leaves the rest, and is exit 0" {
	mkfifo gate
	seq 3 | task-submit >/dev/null
	daemon --exec -j 1 -- sh -c 'cat; : >>ran; read -r line <gate'
	until_true 20 test -e ran
	kill "$pid"
	echo >gate
	wait "$pid"
	is_done 1
	[ "$(places new | wc -l)" -eq 2 ]
	[ -z "$(places running)$(places claimants)" ]
}

@test "TERM twice gives back what runs, and no claim is lost" {
	task-submit -i slow -d 1 >/dev/null
	daemon --exec -- sh -c ': >ran; exec sleep 600'
	until_true 20 test -e ran
	kill "$pid"
	until_true 20 claimed 1
	kill "$pid"
	wait "$pid"
	[ "$(places new)" = slow.0 ]
}

@test "what a killed one had is done by another at once" {
	seq 4 | task-submit >/dev/null
	daemon --exec -j 4 -- sh -c 'echo $$ >>pids; exec sleep 600'
	first=$pid
	until_true 20 claimed 4
	until_true 20 has_lines pids 4
	daemon --exec -j 4 -- cat
	kill -9 "$first"
	until_true 20 is_done 4
	# With its commands: nobody is left.
	while read -r p; do wait_gone "$p" 5; done <pids
	[ -z "$(places running)" ]
}

@test "one that was stopped past its lease completes nothing" {
	mkfifo gate
	task-submit -i one -d 1 >/dev/null
	# shellcheck disable=SC2016
	daemon --lease 1s --exec -- sh -c 'cat >/dev/null; echo "$0" >>ran
		read -r line <gate; echo "\"$0\""' first
	first=$pid
	until_true 20 grep -q first ran
	kill -STOP "$first"
	daemon --lease 1s --exec -- sh -c 'cat >/dev/null; echo "\"second\""'
	until_true 30 is_done 1
	echo >gate
	kill -CONT "$first"
	until_true 20 grep -q 'taken for dead' err.1
	kill "$first"
	wait "$first"
	[ "$(jq -r .result "$SVC_REGISTRY/tasks/done/one")" = second ]
	[ -z "$(places failed)$(places running)" ]
}

@test "three lost claims are enough, and the line says who had it" {
	task-submit -i poison -d 1 >/dev/null
	# shellcheck disable=SC2016
	for _ in 1 2 3; do
		daemon --exec -- sh -c 'kill -9 "$PPID"'
		wait_gone "$pid" 30
	done
	run -1 drain -- cat
	run -0 jq -r '.error.code, .error.message, (.lost | length)' \
		"$SVC_REGISTRY/tasks/failed/poison"
	[ "${lines[0]}" = lost ]
	[ "${lines[2]}" -eq 3 ]
}

@test "files that are no tasks are put aside, and stop nobody" {
	task-submit -i good -d 1 >/dev/null
	cd "$SVC_REGISTRY/tasks/new"
	echo nonsense >torn.0
	: >empty.0
	echo '{"id":"other","task":1}' >name.0
	echo '{"id":"foreign","task":1}' >foreign
	ln -s /etc/passwd link.0
	mkfifo fifo.0
	mkdir directory.0
	run drain -- cat
	[ "$(places 'done')" = good ]
	[ -e ../corrupt/torn.0 ]
	[ -e ../corrupt/name.0 ]
}

@test "a finished line that is found waiting is moved on, not run" {
	task-submit -i 'done' -d 1 >/dev/null
	echo '{"id":"done","task":1,"status":0,"result":7}' \
		>"$SVC_REGISTRY/tasks/new/done.0"
	drain -- sh -c ': >ran'
	[ "$(jq .result "$SVC_REGISTRY/tasks/done/done")" = 7 ]
	[ ! -e ran ]
}

@test "a task of a service that nobody is of waits until somebody is" {
	task-submit -s echo -i one -d 1 >/dev/null
	daemon
	until_true 20 is_up
	[ -z "$(places running)" ]
	start task-worker echo -- cat
	until_true 30 is_done 1
	[ "$(jq -r .instance.service "$SVC_REGISTRY/tasks/done/one")" = echo ]
}

@test "tasks that nobody takes are left, and --until-empty says 69" {
	task-submit -s nobody -d 1 >/dev/null
	run -69 timeout 60 task-run --queue --until-empty </dev/null
	says 'nobody takes'
	[ "$(places new | wc -l)" -eq 1 ]
}

@test "several share a queue, and each task is done once" {
	seq 300 | task-submit >/dev/null
	for _ in 1 2 3; do
		# shellcheck disable=SC2016
		daemon --until-empty --exec -j 2 -- sh -c 'cat; echo "$SVC_TASK_ID" >>ran'
		pids+=("$pid")
	done
	for p in "${pids[@]}"; do wait "$p"; done
	is_done 300
	[ "$(wc -l <ran)" -eq 300 ]
	[ "$(sort -u ran | wc -l)" -eq 300 ]
}

@test "a running task that is cancelled is stopped" {
	task-submit -i long -d 1 >/dev/null
	daemon --exec -- sh -c 'echo $$ >child; exec sleep 600'
	until_true 20 test -s child
	task-status --cancel long >/dev/null
	wait_gone "$(cat child)" 20
	[ "$(jq -r .error.code "$SVC_REGISTRY/tasks/failed/long")" = cancelled ]
	kill "$pid"
	wait "$pid"
	[ -z "$(places new)$(places running)" ]
}

@test "a full disk stops claims, and what has ended is written when there is room" {
	[ "$(id -u)" -eq 0 ] || skip 'only root can mount'
	mkdir small
	mount -t tmpfs -o size=256k tmpfs small || skip 'no tmpfs here'
	export SVC_REGISTRY=$PWD/small/registry
	mkdir -m 700 "$SVC_REGISTRY"
	task-submit -i one -d 1 >/dev/null
	daemon --exec -- sh -c 'cat; : >ran; until test -e go; do sleep 0.02; done'
	until_true 20 test -e ran
	dd if=/dev/zero of=small/fill bs=4096 2>/dev/null || :
	: >go
	until_true 20 grep -qi 'no space' err.1
	rm small/fill
	until_true 20 is_done 1
	kill "$pid"
	wait "$pid"
	umount small
}

@test "a service manager is told that it is ready, how it stands, and that it ends" {
	python3 - notify >told 3>&- <<-'END' &
		import socket, sys
		s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		s.bind(sys.argv[1])
		while True:
		    text = s.recv(4096).decode()
		    print(text, flush=True)
		    if text == "STOPPING=1":
		        break
	END
	manager=$!
	started+=("$manager")
	until_true 20 test -S notify
	task-submit -i one -d 1 >/dev/null
	NOTIFY_SOCKET=$PWD/notify WATCHDOG_USEC=200000 daemon --exec -- \
		sh -c 'env >environment; cat'
	until_true 20 grep -q '^STATUS=.* 1 done' told
	until_true 20 grep -q '^WATCHDOG=1' told
	kill "$pid"
	wait "$pid" "$manager"
	[ "$(head -n 1 told)" = READY=1 ]
	run -1 grep -e NOTIFY_SOCKET -e WATCHDOG environment
}

@test "in the journal of systemd lines have levels" {
	exec 9>journal
	JOURNAL_STREAM=$(stat -Lc '%d:%i' /proc/self/fd/9) task-run --queue -k 2>&9 || :
	task-run --queue -n 2>&9 || :
	[ "$(cut -d: -f1 journal | paste -sd' ')" = '<3>task-run task-run' ]
}

@test "USR1 says how it stands" {
	task-submit -i later --not-before 1h -d 1 >/dev/null
	daemon --exec -- cat
	until_true 20 is_up
	until_true 20 sh -c "kill -USR1 $pid; grep -q '0 running, 0 done, 1 for a time' err.1"
}

@test "options that make no sense with --queue are refused" {
	for option in --bare -k -n '-o result' '--journal j' '--halt now,fail=1' \
		'--order edf' --retry '-t f' '-r f' '--gantt g' -L; do
		# shellcheck disable=SC2086
		run -64 task-run --queue $option
		says '--queue'
	done
	run -64 task-run --until-empty
	says '--queue'
	run -64 task-run --lease 5s
	says '--queue'
	run -64 task-run --queue --lease 0.1
	says 'shorter than a second'
}
