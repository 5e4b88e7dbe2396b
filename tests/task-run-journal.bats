#!/usr/bin/env bats
# lib/common sets top, pid and started.
# shellcheck disable=SC2154,SC2016
# task-run(1): the journal, and what --resume makes of it after whatever happened.

bats_require_minimum_version 1.5.0
load lib/common

# serve [COMMAND]: a worker of service w with 4 slots; the tasks that it executes
# are lines of the file ran.  COMMAND has the task in $t, and prints the result.
serve() {
	: >ran
	start task-worker -q -j 4 w -- sh -c \
		"read -r t; echo \"\$t\" >>\"\$0\"; ${1:-echo \"\$t\"}" "$PWD/ran" >record
	until_true 30 test -s record
}

# tasks COUNT: their ids are their payloads.
tasks() { seq "$1" | sed 's/.*/{"id":"t&","task":"t&"}/' >flow; }

# go OPTION...: a run with the journal j; what it writes is in out and err.
go() { task-run -s w -j 4 --journal j "$@" >out 2>err; }

# ran: what has been executed since the last call.
ran() {
	sort ran | xargs
	: >ran
}

codes() { jq -r '"\(.id) \(.error.code // "ok")"' out | sort | xargs; }
counts() { jq -r '.error.code // "ok"' "${1:-out}" | sort | uniq -c | xargs; }

# journalled: the payloads of the tasks whose lines are whole in j.
journalled() { grep -o '^{"id":"[^"]*","task":"[^"]*".*}$' j | jq -c .task | sort; }

lines() { [ "$(wc -l <"$1")" -ge "$2" ]; }
over() { lines ran "$1" || ! kill -0 "$pid"; }

# interrupt SIGNAL [OPTION]...: a run of flow that gets SIGNAL after it has
# executed up to 60 tasks; its exit status is in $status.
interrupt() {
	local signal=$1 some=$(($(wc -l <ran) + 1 + RANDOM % 60))
	shift
	start task-run -q -s w -j 4 --journal j --resume -t flow "$@" >out
	until_true 60 over "$some"
	kill -s "$signal" "$pid" 2>/dev/null || :
	status=0
	wait "$pid" 2>/dev/null || status=$?
}

# repeated N OPTION...: killed N times, the runs of flow execute nothing again
# that the journal had, so of 4 at once at most 4 N; then it is complete.
repeated() {
	local i n=$1
	shift
	for ((i = 0; i < n; i++)); do
		interrupt KILL "$@"
		journalled >"had.$i"
		wc -l <ran >"mark.$i"
	done
	task-run -q -s w -j 4 --journal j --resume -t flow "$@" >out
	[ "$(counts)" = "$(wc -l <flow) ok" ]
	[ "$(sort -u ran | wc -l)" -eq "$(wc -l <flow)" ]
	[ "$(wc -l <ran)" -le $(($(wc -l <flow) + 4 * n)) ]
	for ((i = 0; i < n; i++)); do
		[ -z "$(tail -n "+$(($(cat "mark.$i") + 1))" ran | sort | comm -12 "had.$i" -)" ]
	done
}

@test "killed at any moment and resumed, only what was in flight is executed twice" {
	serve
	tasks 300
	repeated 6
}

@test "so it is with --sync" {
	serve
	tasks 200
	repeated 4 --sync
}

@test "and where the tasks come through a pipe" {
	local i
	serve
	tasks 200
	mkfifo in
	for i in 1 2 3; do
		cat flow >in 2>/dev/null 3>&- &
		start task-run -q -s w -j 4 --journal j --resume <in >out
		until_true 60 over $(($(wc -l <ran) + 1 + RANDOM % 60))
		kill -9 "$pid" 2>/dev/null || :
		wait "$pid" 2>/dev/null || :
	done
	go --resume < <(cat flow)
	[ "$(counts)" = '200 ok' ]
	[ "$(sort -u ran | wc -l)" -eq 200 ] && [ "$(wc -l <ran)" -le 212 ]
}

@test "a workflow that is killed again and again comes to the same results" {
	serve 'echo $((t + 1))'
	# Ten chains of 20, each link adding 1 to the result of the one before.
	for chain in 0 1 2 3 4 5 6 7 8 9; do
		echo "{\"id\":\"c$chain-0\",\"task\":$((chain * 1000))}"
		for n in {1..19}; do
			echo "{\"id\":\"c$chain-$n\",\"task\":null,\"bind\":{\"\":\"c$chain-$((n - 1))\"}}"
		done
	done | shuf >flow
	for _ in 1 2 3 4; do interrupt KILL; done
	go --resume -t flow
	[ "$(counts)" = '200 ok' ]
	[ "$(jq -r 'select(.id | endswith("-19")) | .result' out | sort -n | xargs)" = \
		'20 1020 2020 3020 4020 5020 6020 7020 8020 9020' ]
	[ "$(wc -l <ran)" -le $((200 + 4 * 4)) ]
}

@test "stopped by TERM and resumed, nothing is executed twice; lines in are lines out" {
	local done=0 before
	serve
	tasks 200
	while :; do
		before=$done
		interrupt TERM
		[ "$(wc -l <out)" -eq 200 ]
		[ "$(jq -r .id out | sort -u | wc -l)" -eq 200 ]
		done=$(grep -c '"result":' out)
		((done >= before))
		[ "$status" -ne 0 ] || break
		[ "$status" -eq 143 ]
	done
	[ "$(counts)" = '200 ok' ]
	[ "$(wc -l <ran)" -eq 200 ]
}

@test "TERM twice cancels what runs, and a resume does it again" {
	serve 'if [ -e go ]; then echo "$t"; else sleep 60; fi'
	tasks 20
	start task-run -q -s w -j 4 --journal j -t flow >out
	until_true 30 lines ran 4
	kill "$pid"
	until_true 30 grep -q cancelled out
	kill "$pid"
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 143 ]
	[ "$(counts)" = '20 cancelled' ]
	touch go
	go --resume -t flow
	[ "$(counts)" = '20 ok' ]
	[ "$(wc -l <ran)" -eq 24 ]
}

@test "what comes out of the journal comes out as it did, and in the same order with -k" {
	serve
	tasks 30
	task-run -s w --journal j -k -t flow >first
	[ "$(jq -r .id first | xargs)" = "$(jq -r .id flow | xargs)" ]
	go --resume -k -t flow
	cmp first out
	go --resume -o result -k -t flow
	diff out <(jq -c .result first)
	[ "$(wc -l <ran)" -eq 30 ]
}

@test "tasks that were changed, inserted or removed, and what depends on them" {
	serve
	printf '%s\n' '{"id":"a","task":"a"}' '{"id":"b","task":"b"}' \
		'{"id":"c","task":null,"bind":{"":"b"}}' '{"id":"d","task":"d","after":["c"]}' \
		'{"id":"e","task":"e","after":["a"]}' '{"id":"f","task":"f"}' >flow
	go -t flow
	[ "$(ran)" = 'a b b d e f' ]
	# b is another one, f has gone, g has come.
	sed 's/"task":"b"/"task":"B"/; /"id":"f"/d' flow >changed
	sed -i '1i {"id":"g","task":"g","after":["e"]}' changed
	go --resume -t changed
	[ "$(ran)" = 'B B d g' ]
	[ "$(jq -r 'select(.id == "c").result' out)" = B ]
	[ "$(wc -l <out)" -eq 6 ]
	go --resume -t changed
	[ "$(ran)" = '' ]
	[ "$(wc -l <out)" -eq 6 ]
	# The last one counts: what b was once is not what it is.
	go --resume -t flow
	[ "$(ran)" = 'b b d' ]
	[ "$(codes)" = 'a ok b ok c ok d ok e ok f ok' ]
}

@test "another bind is another task; another service, timeout or order is not" {
	serve
	printf '%s\n' '{"id":"a","task":{"x":"1","y":"2"}}' \
		'{"id":"b","task":null,"bind":{"":"a#/x"}}' '{"id":"c","task":"c"}' >flow
	go -t flow
	ran
	sed 's,#/x,#/y,; s/"id":"c"/"timeout":9,"priority":3,&/' flow | tac >changed
	go --resume -t changed
	[ "$(ran)" = 2 ]
}

@test "tasks without ids are known by what they are, and how often" {
	serve
	printf '%s\n' 1 2 2 3 >flow
	go -t flow
	ran
	printf '%s\n' 0 1 2 2 2 3 >flow
	go --resume -k -t flow
	[ "$(ran)" = '0 2' ]
	[ "$(jq -r .result out | xargs)" = '0 1 2 2 2 3' ]
	printf '%s\n' 2 3 >flow
	go --resume -t flow
	[ "$(ran)" = '' ]
	[ "$(jq -r .result out | sort | xargs)" = '2 3' ]
}

@test "what failed stays failed, and what was undone stays undone, without --retry" {
	serve 'if [ "$t" = '\''"b"'\'' ] && [ ! -e fixed ]; then exit 1; fi; echo "$t"'
	printf '%s\n' '{"id":"a","task":"a"}' '{"id":"b","task":"b","after":["a"]}' \
		'{"id":"c","task":"c","after":["b"]}' \
		'{"id":"undo","task":"undo","after":["b"],"when":"failed"}' >flow
	run -1 go -t flow
	[ "$(ran)" = 'a b undo' ]
	touch fixed
	run -1 go --resume -t flow
	[ "$(ran)" = '' ]
	[ "$(codes)" = 'a ok b http c skipped undo ok' ]
	go --resume --retry -t flow
	[ "$(ran)" = 'b c' ]
	[ "$(codes)" = 'a ok b ok c ok undo skipped' ]
}

@test "a journal with lines is not begun anew, and a file that is none not touched" {
	serve
	tasks 3
	go -t flow
	run -73 go -t flow
	grep -q -- --resume err
	echo 'dear diary' >other
	run -65 task-run -s w --journal other --resume -t flow
	[ "$(cat other)" = 'dear diary' ]
	[ "$(wc -l <ran)" -eq 3 ]
}

@test "a second run with the same journal is refused, and the first not disturbed" {
	serve 'until [ -e go ]; do sleep 0.05; done; echo "$t"'
	tasks 8
	start task-run -s w -j 4 --journal j -t flow >out
	until_true 30 lines ran 4
	run -75 task-run -s w --journal j --resume -t flow
	says 'another run has this journal'
	touch go
	wait "$pid"
	[ "$(counts)" = '8 ok' ]
	[ "$(wc -l <ran)" -eq 8 ]
}

@test "cut anywhere, the journal is good for all that is whole in it" {
	local size whole cut
	serve
	tasks 6
	go -t flow
	cp j complete
	size=$(stat -c %s j)
	for ((cut = size; cut >= 0; cut -= 1 + RANDOM % 60)); do
		head -c "$cut" complete >j
		whole=$(($(wc -l <j) - 1))
		: >ran
		go --resume -t flow || { cat err >&2; return 1; }
		[ "$(wc -l <ran)" -eq $((6 - (whole > 0 ? whole : 0))) ]
		[ "$(counts)" = '6 ok' ]
	done
}

@test "a torn last line is told of, and cut off" {
	serve
	tasks 3
	go -t flow
	cp j complete
	head -c -20 complete >j
	go --resume -t flow
	grep -q '^task-run: j:4: a torn line' err
	[ "$(wc -l <ran)" -eq 4 ]
	# What a power cut leaves of a block that was never written.
	{ cat complete; head -c 512 /dev/zero; } >j
	go --resume -t flow
	cmp j complete
	[ "$(wc -l <ran)" -eq 4 ]
}

@test "with --sync nothing is printed before the disk has it" {
	needs strace
	serve
	tasks 10
	# The leak checker cannot work beside strace.
	ASAN_OPTIONS+=:detect_leaks=0 strace -f -y -o trace -e trace=write,fdatasync \
		task-run -s w -j 1 --sync --journal j -t flow >out
	awk '/ write\([0-9]+<[^>]*\/j>/ { unsynced = 1; written++ }
		/ fdatasync\([0-9]+<[^>]*\/j>/ { unsynced = 0 }
		/ write\(1</ { printed++; if (unsynced) early++ }
		END { exit !(written > 1 && printed > 1 && early == 0) }' trace
	[ "$(counts)" = '10 ok' ]
}

# stopped_short OUT STATUS: a run whose journal could not be written on: what
# had begun came out, each line did, and nothing else was started.
stopped_short() {
	[ "$2" -eq 74 ]
	[ "$(wc -l <"$1")" -eq "$(wc -l <flow)" ]
	[ "$(jq -r '.error.code // "ok"' "$1" | sort -u | xargs)" = 'cancelled ok' ]
	jq -r '.error.message // empty' "$1" | sort -u | grep -qx 'the journal cannot be written'
	diff <(sort ran) <(jq -c 'select(.status == 200).task' "$1" | sort)
}

# taken_up OUT: the run after it has done all, and again only what had ended when
# that was noticed, or was in flight then.
taken_up() {
	[ "$(counts "$1")" = "$(wc -l <flow) ok" ]
	[ "$(sort -u ran | wc -l)" -eq "$(wc -l <flow)" ]
	[ "$(wc -l <ran)" -le $(($(wc -l <flow) + 8)) ]
}

@test "a full disk under the journal: nothing is started, nothing lost, and it can be resumed" {
	needs unshare
	unshare -rm true 2>/dev/null || skip 'namespaces are not allowed here'
	serve
	tasks 400
	cat >full.sh <<-'SH'
		mkdir disk && mount -t tmpfs -o size=1m none disk || exit
		head -c 1000K /dev/zero >disk/other
		task-run -s w -j 4 --journal disk/j -t flow >first 2>err
		echo $? >status
		cp ran ran.first
		rm disk/other
		task-run -s w -j 4 --journal disk/j --resume -t flow >second
	SH
	unshare -rm bash full.sh
	mv ran ran.all && mv ran.first ran
	[ "$(cat err)" = 'task-run: disk/j: cannot be written: No space left on device: nothing new is started' ]
	stopped_short first "$(cat status)"
	mv ran.all ran
	taken_up second
}

@test "a limit on files ends a run as a full disk does" {
	serve
	tasks 400
	run bash -c '(ulimit -f 16; exec task-run -s w -j 4 --journal j -t flow) | cat >first; exit "${PIPESTATUS[0]}"'
	says 'File too large: nothing new is started'
	stopped_short first "$status"
	go --resume -t flow
	taken_up out
}

@test "with --sync, too" {
	serve
	tasks 200
	run bash -c '(ulimit -f 16; exec task-run -s w -j 4 --sync --journal j -t flow) | cat >first; exit "${PIPESTATUS[0]}"'
	stopped_short first "$status"
	go --resume -t flow
	taken_up out
}

@test "a journal that cannot even be begun starts nothing" {
	serve
	tasks 3
	run -74 bash -c '(ulimit -f 0; exec task-run -s w --journal j -t flow) | cat >first; exit "${PIPESTATUS[0]}"'
	[ ! -s first ]
	[ ! -s ran ]
	run -73 task-run -s w --journal nowhere/j -t flow
	ln -s elsewhere link
	run -73 task-run -s w --journal link -t flow
	[ ! -e elsewhere ]
	[ ! -s ran ]
}
