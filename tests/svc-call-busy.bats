#!/usr/bin/env bats
# lib/common sets top, pid and started.
# shellcheck disable=SC2154,SC2016,SC2030,SC2031
# svc-call(1): busy is not failure, sentence by sentence of DESIGN section 7.
# What one answer does is in svc-call-retries.bats.

bats_require_minimum_version 1.5.0
load lib/common

# up SERVER [OPTION=VALUE]...: a server of tests/lib; its port in $port, its pid
# in $pid.
up() {
	local server=$1 out=$BATS_TEST_TMPDIR/port.$RANDOM$RANDOM
	shift
	start python3 "$top/tests/lib/$server.py" "$@" >"$out" 7>&-
	until_true 30 test -s "$out"
	port=$(cat "$out")
}
serve() { up http_server "$@"; }

# served ID SLOTS MODE [OPTION=VALUE]...: a server that is an instance of w.
served() {
	local id=$1 slots=$2
	shift 2
	serve "$@"
	svc-register -i "$id" -c "slots=$slots" w "127.0.0.1:$port" >/dev/null
}

# planned COUNT ID: task lines that came from task-schedule.
planned() {
	local instance
	instance=$(svc-discover w | jq -c "select(.id == \"$2\") | {service,id,address}")
	seq "$1" | sed "s|.*|{\"id\":\"p&\",\"task\":&,\"instance\":$instance}|"
}

# count FILE: its lines; 0 where there is none.
count() {
	[ ! -e "$1" ] || wc -l <"$1"
	[ -e "$1" ] || echo 0
}

# codes FILE: how often each error code is in it.
codes() {
	jq -r '.error.code // "ok"' "$1" | sort | uniq -c | sed 's/^ *//'
}

# call [OPTION]...: calls w in the background, from the file in, its pid in $call.
call() {
	svc-call -q "$@" w <in >out 3>&- &
	call=$!
	started+=("$call")
}

# pass SECONDS: where time is what the test is about.
pass() {
	read -rt "$1" <> <(:) || :
}

# larger FILE BYTES: it is by now.
larger() { [ "$(stat -c %s "$1")" -gt "$2" ]; }

# outage SIGNAL [OPTION]...: calls a server of 32 slots with the tasks of the file
# in; among them it gets the signal, nobody is there for 5 s, then another one
# is on the same port.  Its executions are in the file log.
outage() {
	local signal=$1
	shift
	up slot_server log=log slots=32 delay=0.002
	svc-register -c slots=32 w "127.0.0.1:$port" >/dev/null
	call -j 32 "$@"
	until_true 60 larger log 1000000
	kill -s "$signal" "$pid"
	wait_gone "$pid" 20
	pass 5
	[ "$(wc -l <out)" -lt "$(wc -l <in)" ]
	up slot_server log=log slots=32 delay=0.002 "port=$port"
	status=0
	wait "$call" || status=$?
	[ "$(wc -l <out)" -eq "$(wc -l <in)" ]
}

# tasks COUNT: into the file in, with ids.
tasks() { seq "$1" | sed 's/.*/{"id":"t&","task":&}/' >in; }

# logged WHAT: the ids of which the server of outage() logged that, sorted.
logged() { awk -v what="$1" '$2 == what { print $3 }' log | sort; }

@test "no instance of several gets more requests than its slots, under any policy" {
	served a 1 echo slots=1 delay=0.002 log=a
	served b 3 echo slots=3 delay=0.01 log=b
	served c 5 echo slots=5 delay=0.03 log=c
	for policy in p2c random round-robin weighted least-loaded hash; do
		: | tee a b >c
		run -0 svc-call -j 64 --policy "$policy" w < <(seq 120)
		[ "$(jq .status <<<"$output" | sort | uniq -c | tr -s ' ')" = ' 120 200' ]
		run ! grep over a b c
		# nor does one of them stand idle
		[ -s a ] && [ -s b ] && [ -s c ] || { wc -l a b c; return 1; }
	done
}

@test "tasks planned onto several instances have their slots, too" {
	served a 1 echo slots=1 delay=0.002 log=a
	served b 3 echo slots=3 delay=0.02 log=b
	{ planned 60 a; planned 60 b; seq 60; } | shuf >in
	run -0 svc-call -j 64 w <in
	[ "${#lines[@]}" -eq 180 ]
	run ! grep over a b
}

# lasts PORT CODE: a task for an instance there fails with that after 30 s, for
# want of another limit.
lasts() {
	local before=$EPOCHREALTIME took
	svc-call -q --retries 0 -d 1 >"out.$1" || [ $? -eq 1 ]
	took=$(((${EPOCHREALTIME/./} - ${before/./}) / 1000))
	((took >= 29900 && took <= 33000)) || { echo "$2 after $took ms"; return 1; }
	jq -e --arg code "$2" '.error | .code == $code and .attempts > 10 and .attempts < 150' "out.$1"
} <<<"{\"service\":\"w\",\"id\":\"a\",\"address\":\"http://127.0.0.1:$1/\"}"

@test "busy and refused are waited for 30 s unless said, however often they are tried" {
	local pids=()
	serve status status=429 retry_after=0
	lasts "$port" busy 3>&- & pids+=($!)
	serve status status=503 retry_after=0
	lasts "$port" busy 3>&- & pids+=($!)
	serve echo
	kill "$pid"
	wait_gone "$pid" 10
	lasts "$port" unreachable 3>&- & pids+=($!)
	started+=("${pids[@]}")
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
}

# waves FILE FILTER: in how many bursts, half a second apart at least, the lines
# came that the filter selects; FILE has lines with the time in front.
waves() {
	awk -v filter="$2" '$0 ~ filter { if (!n || $1 - last > 0.5) n++; last = $1 } END { print n + 0 }' "$1"
}

# timed COMMAND: its output with the time in front of each line.
timed() {
	"$@" | while IFS= read -r line; do
		printf '%s %s\n' "$EPOCHREALTIME" "$line"
	done
}

@test "tasks for a service that is always busy are given up together" {
	for server in 'status status=503 retry_after=1' 'status status=429 retry_after=0' \
		'status status=503 retry_after=1000000'; do
		# shellcheck disable=SC2086
		served a 4 $server
		before=$EPOCHREALTIME
		timed svc-call -q -T 2s w < <(seq 100) >out || true
		took=$(((${EPOCHREALTIME/./} - ${before/./}) / 1000))
		[ "$(cut -d ' ' -f 2- out | jq -r .error.code | sort | uniq -c | tr -s ' ')" = ' 100 busy' ]
		# One time for all; a task that was tried late has its own.
		((took >= 1900 && took < 6500)) || { echo "$server: $took ms"; return 1; }
		(($(waves out .) <= 2)) || { echo "$server"; cut -c 1-100 out; return 1; }
	done
}

@test "so are those for a service that has refused from the start" {
	served a 4 echo
	kill "$pid"
	wait_gone "$pid" 10
	before=$EPOCHREALTIME
	run --separate-stderr svc-call -q -T 2s w < <(seq 200)
	is 1
	(((${EPOCHREALTIME/./} - ${before/./}) < 6500000))
	[ "$(jq -r .error.code <<<"$output" | sort | uniq -c | tr -s ' ')" = ' 200 unreachable' ]
}

@test "a service that is busy first and works later loses nothing" {
	served a 4 busy times=10
	run -0 svc-call -T 30s w < <(seq 200)
	[ "$(jq .status <<<"$output" | sort | uniq -c | tr -s ' ')" = ' 200 200' ]
	# Nor one of several, nor where each task was planned.
	served b 4 busy status=429 times=6 retry_after=1
	{ planned 20 b; seq 20; } >in
	run -0 svc-call -T 30s w <in
	[ "$(jq .status <<<"$output" | sort | uniq -c | tr -s ' ')" = ' 40 200' ]
}

@test "a task that comes when its service has been busy for long is tried" {
	echo 429 >state
	served a 4 file state=state
	mkfifo in
	svc-call -q -T 1s w <in >out 3>&- &
	call=$!
	started+=("$call")
	exec 7>in
	seq 40 >&7
	until_true 10 eval '[ "$(count out)" -eq 40 ]'
	[ "$(codes out)" = '40 busy' ]
	echo '200 "fine"' >state
	# Its rest is at most the 2 s of a pace, and who comes first may be early.
	until_true 10 eval 'echo 1 >&7; pass 0.1; grep -q fine out'
	echo 2 >&7
	exec 7>&-
	wait "$call" || true
	[ "$(tail -n 1 out | jq -r .result)" = fine ]
}

@test "tasks planned onto a busy instance are given up together, too" {
	served a 4 status status=503 retry_after=1
	served b 4 echo
	{ planned 60 a; seq 20; } >in
	before=$EPOCHREALTIME
	run --separate-stderr svc-call -q -T 2s w <in
	is 1
	(((${EPOCHREALTIME/./} - ${before/./}) < 6500000))
	[ "$(jq -r '.error.code // .instance.id' <<<"$output" | sort | uniq -c | tr -s ' ')" = $' 20 b\n 60 busy' ]
}

@test "who waits behind a request that was let in is not given up" {
	# Somebody else is in there first; then, a rest of 2 s later at most, the
	# patient one is.
	served a 1 echo slots=1 delay=3 begun=begun
	start svc-call -d 1 w >other
	until_true 10 test -s begun
	printf '{"id":"%s","task":1,"timeout":%s}\n' p 20 q 5.5 >in
	run -0 svc-call w <in
	[ "$(jq -c '[.id,.attempts > 1]' <<<"$output" | tr '\n' ' ')" = '["p",true] ["q",false] ' ]
}

@test "a service that never was is waited for once" {
	before=$EPOCHREALTIME
	run --separate-stderr svc-call -T 1s nosuch < <(seq 200)
	is 1
	(((${EPOCHREALTIME/./} - ${before/./}) < 3000000))
	[ "$(jq -r .error.code <<<"$output" | sort | uniq -c | tr -s ' ')" = ' 200 no-instances' ]
	[ "$(grep -c waiting <<<"$stderr")" -eq 1 ]
}

@test "a service that was waited for in vain is used as soon as it is there" {
	mkfifo in
	svc-call -q -T 2s w <in >out 3>&- &
	call=$!
	started+=("$call")
	exec 7>in
	seq 3 >&7
	until_true 10 eval '[ "$(count out)" -eq 3 ]'
	served a 4 echo
	until_true 10 eval 'echo 4 >&7; pass 0.1; grep -q "\"result\":4" out'
	# Now it has been there, and who comes waits his own time.
	svc-register --remove w a >/dev/null
	pass 2.5
	echo 5 >&7
	pass 0.5
	svc-register -i a w "127.0.0.1:$port" >/dev/null
	exec 7>&-
	wait "$call" || true
	[ "$(tail -n 1 out | jq .result)" = 5 ]
}

@test "that nobody has what a task requires is said once, and why" {
	served a 4 echo
	svc-register -i a -c cpu=2 w "127.0.0.1:$port" >/dev/null
	svc-register -i b -c cpu=4 w "127.0.0.1:$port" >/dev/null
	seq 40 | sed 's/.*/{"task":&,"requires":{"cpu":8}}/' >in
	before=$EPOCHREALTIME
	run --separate-stderr svc-call -T 1s w <in
	is 1
	(((${EPOCHREALTIME/./} - ${before/./}) < 3000000))
	[ "$stderr" = 'svc-call: w: 0 of 2 instances: 2 insufficient cpu (need 8, most free 4); waiting' ]
	[ "$(jq -r .error.code <<<"$output" | sort | uniq -c | tr -s ' ')" = ' 40 unplaceable' ]
	run --separate-stderr svc-call -q -T 0.2s w <in
	[ "$stderr" = '' ]
	run -0 --separate-stderr svc-call w <<<'{"task":1,"requires":{"cpu":4}}'
	[ "$stderr" = '' ]
}

@test "the tasks of a sick service hold up others' only beyond 2 x -j of them" {
	serve status status=503 retry_after=1
	svc-register sick "127.0.0.1:$port" >/dev/null
	serve echo
	svc-register fast "127.0.0.1:$port" >/dev/null
	lines() { seq "$1" | sed "s/.*/{\"task\":&,\"service\":\"$2\"}/"; }
	{ lines 6 sick; lines 40 fast; } >few
	{ lines 40 sick; lines 20 fast; } >many
	svc-call -q -j 4 -T 2s <few >out || true
	# Two lines are left for the others, which pass the sick ones.
	[ "$(jq -r '.result != null' out | uniq -c | tr -s ' ')" = $' 40 true\n 6 false' ]
	timed svc-call -q -j 4 -T 2s <many >out || true
	# Behind more they wait, but not longer than one time.
	[ "$(cut -d ' ' -f 2- out | jq -r .service | sed -n '1,8p' | sort -u)" = sick ]
	[ "$(grep -c '"result"' out)" -eq 20 ]
	(($(waves out .) <= 2))
}

@test "while the only instance is drained nothing is started for its service" {
	served a 4 echo delay=0.01 log=log begun=begun
	seq 400 >in
	call -j 4
	until_true 10 test -s log
	svc-register --drain w a >/dev/null
	# What was in flight, and what was sent before it was heard of.
	pass 1
	before=$(count begun)
	[ "$before" -lt 200 ]
	pass 1
	[ "$(count begun)" -eq "$before" ] && [ "$(count log)" -eq "$before" ]
	svc-register --undrain w a >/dev/null
	wait "$call"
	[ "$(codes out)" = '400 ok' ]
}

@test "an instance that refuses leaves its work to the others" {
	served a 4 echo delay=0.005 log=a
	gone=$pid
	served b 4 echo delay=0.005 log=b
	seq 1000 >in
	call -j 8 --idempotent --retries 0
	until_true 10 test -s a
	kill "$gone"
	wait "$call" || :
	# Of what it had begun not all was answered.
	[ "$(jq -r 'select(.error) | .error.code' out | sort -u | grep -v reset)" = '' ]
	[ "$(grep -c '"error"' out)" -le 4 ]
	[ "$(jq 'select(.attempts > 20)' out)" = '' ]
}

@test "an outage of 5 s in the middle of 100,000 tasks fails none" {
	tasks 100000
	outage TERM
	[ "$status" -eq 0 ]
	[ "$(codes out)" = '100000 ok' ]
	# Each was executed once, and hardly one was tried while nobody was there.
	logged begun | cmp - <(jq -r .id out | sort)
	(($(jq .attempts out | awk '{ n += $1 } END { print n }') < 100000 + 200))
}

@test "an outage that begins with SIGKILL fails at most what was in flight" {
	tasks 40000
	outage KILL
	# A slow client may have had nothing in flight at that moment.
	failed=$(grep -c '"error":' out) || :
	((failed <= 32 && status == (failed > 0)))
	[[ $(codes out | sed 's/^[0-9]* //' | tr '\n' ' ') == 'ok '?(reset ) ]]
	# What is told as done was done, and nothing twice.
	[ "$(logged begun | uniq -d)" = '' ]
	[ "$(jq -r 'select(.status == 200) | .id' out | sort | comm -23 - <(logged begun))" = '' ]
}

@test "a server that dies with a kept connection has executed, and is not waited for" {
	# The next connection is refused: that says nothing of what was sent before.
	up slot_server log=log dies=2
	svc-register -i a w "127.0.0.1:$port" >/dev/null
	tasks 2
	run svc-call -q -j 1 -T 20s w <in
	is 1
	[ "$(logged begun | tr '\n' ' ')" = 't1 t2 ' ]
	[ "$(jq -c '[.error.code,.error.attempts]' <<<"${lines[1]}")" = '["reset",1]' ]
	says 'w/a: a kept connection died under the request'
}

@test "with --idempotent an outage that begins with SIGKILL fails none" {
	tasks 40000
	outage KILL --idempotent
	[ "$status" -eq 0 ]
	[ "$(codes out)" = '40000 ok' ]
	# Only what was in flight was sent twice.
	(($(logged begun | uniq -d | wc -l) <= 32))
}

@test "an instance that fails at once gets a small share beside slow ones" {
	# 404 says nothing of the instance, which therefore is not ejected.
	for answer in 500 404; do
		served bad 4 status "status=$answer" log="bad.$answer"
		served good 4 echo delay=0.05 log="good.$answer"
		served fine 4 echo delay=0.05 log="fine.$answer"
		run svc-call -q -j 12 w < <(seq 400)
		is 1
		[ "$(cat ./*."$answer" | wc -l)" -eq 400 ]
		# A third of the slots, and a thousand times as fast.
		bad=$(count "bad.$answer")
		((bad > 0 && bad <= 40)) || { echo "$answer: $bad of 400"; return 1; }
	done
}

@test "an instance that fails at once is no better a choice when all others are full" {
	served bad 4 status status=500 log=bad
	served good 1 echo delay=0.02 log=good
	run svc-call -q -j 32 w < <(seq 100)
	is 1
	(($(count bad) <= 20)) || { echo "$(count bad) of 100"; return 1; }
}

@test "a planned task stays through an outage, though another instance is idle" {
	served a 4 echo
	at=$port
	kill "$pid"
	wait_gone "$pid" 10
	served b 4 echo log=b
	planned 20 a >in
	call -j 8
	until_true 10 eval 'ls -l "/proc/$call/fd" | grep -q inotify'
	pass 1
	serve echo "port=$at" log=a
	wait "$call"
	[ "$(codes out)" = '20 ok' ]
	[ "$(count a)" -eq 20 ] && [ ! -e b ]
}

@test "a planned task stays with an instance that is busy, though another is idle" {
	served a 4 busy status=429 times=9 log=a
	served b 4 echo log=b
	planned 20 a >in
	run -0 svc-call --retries 0 -j 4 w <in
	[ "$(jq -r .instance.id <<<"$output" | sort | uniq -c | tr -s ' ')" = ' 20 a' ]
	[ ! -e b ]
}

@test "a planned task moves when its instance is critical, and stays when it is not" {
	served a 4 echo log=a
	served b 4 echo log=b
	planned 5 a >in
	mkdir -m 700 "$SVC_REGISTRY/health"
	echo '{"id":"a","status":"critical","reason":"status 500"}' >"$SVC_REGISTRY/health/w"
	run -0 svc-call w <in
	[ "$(count b)" -eq 5 ] && [ ! -e a ]
	echo '{"id":"a","status":"warning","reason":"slow"}' >"$SVC_REGISTRY/health/w"
	run -0 svc-call w <in
	[ "$(count b)" -eq 5 ] && [ "$(count a)" -eq 5 ]
}

@test "tasks that wait where they were planned move when that turns critical" {
	served a 1 silent begun=begun
	served b 4 echo log=b
	planned 5 a >in
	call -T 3s
	until_true 10 test -s begun
	mkdir -m 700 "$SVC_REGISTRY/health"
	echo '{"id":"a","status":"critical","reason":"status 500"}' >"$SVC_REGISTRY/health/w"
	wait "$call" || :
	[ "$(codes out)" = $'4 ok\n1 timeout' ]
	[ "$(count b)" -eq 4 ]
}

@test "who has fewer slots than it says is asked for more only now and then" {
	# Turned away it says when to come again, and is not asked before.
	up slot_server log=log slots=2 delay=0.02
	svc-register -c slots=16 w "127.0.0.1:$port" >/dev/null
	run -0 svc-call -j 16 w < <(seq 400)
	[ "${#lines[@]}" -eq 400 ]
	turned=$(grep -c turned log)
	((turned >= 14 && turned <= 50)) || { echo "$turned turned away"; return 1; }
}

@test "a service that goes while tasks wait for it is told of, once" {
	svc-register -i gone w 127.0.0.1:9 >/dev/null
	seq 3 >in
	svc-call -v -T 60s w <in >out 2>err 3>&- &
	call=$!
	started+=("$call")
	until_true 30 grep -q refused err
	svc-register --remove w gone >/dev/null
	until_true 30 grep -q 'w: no instances.*; waiting' err
	kill "$call"
	wait "$call" || :
	[ "$(grep -c 'no instances.*; waiting' err)" -eq 1 ]
	[ "$(wc -l <out)" -eq 3 ]
}
