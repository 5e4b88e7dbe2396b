#!/usr/bin/env bats
# lib/common sets top, pid and started.
# shellcheck disable=SC2154,SC2030,SC2031
# svc-call(1): deadlines, retries, their budget, ejection, hedges, --rate,
# against real servers.

bats_require_minimum_version 1.5.0
load lib/common

# serve MODE [OPTION=VALUE]...: a server of tests/lib/http_server.py; its port
# in $port, its pid in $pid.
serve() {
	local out=$BATS_TEST_TMPDIR/port.$RANDOM$RANDOM
	start python3 "$top/tests/lib/http_server.py" "$@" >"$out" 7>&-
	until_true 10 test -s "$out"
	port=$(cat "$out")
}

# instance ID ADDRESS [SLOTS]: an instance line of the service w.
instance() {
	printf '{"service":"w","id":"%s","address":"%s","slots":%s}' \
		"$1" "$2" "${3:-4}"
}

# served ID MODE [OPTION=VALUE]...: a server that is registered as an instance
# of w.
served() {
	local id=$1
	shift
	serve "$@"
	svc-register -i "$id" -c slots=4 w "127.0.0.1:$port" >/dev/null
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

# milliseconds: since some time.
milliseconds() {
	echo $(($(date +%s%N) / 1000000))
}

# attempts ADDRESS [OPTION]...: how often one task was sent, and how it ended.
attempts() {
	local address=$1
	shift
	instance a "$address" >line
	timeout 20 svc-call -q -d 1 "$@" <line >out || :
	jq -r '"\(.attempts // .error.attempts) \(.error.code // "ok")"' out
}

# row ADDRESS WANT WANT: attempts with the defaults and with --idempotent, two
# retries each.
row() {
	local address=$1 got
	shift
	for option in --retries=2 --idempotent; do
		got=$(attempts "$address" "$option")
		[ "$got" = "$1" ] || { echo "$address $option: $got, not $1"; return 1; }
		shift
	done
}

@test "table: 503 without Retry-After and not reached are retried" {
	serve status status=503
	row "http://127.0.0.1:$port/" '3 http' '3 http'
	row http://255.255.255.255:9/ '3 unreachable' '3 unreachable'
}

@test "table: TLS refused and forbidden fail at once where there is nobody else" {
	openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=x -keyout key -out cert 2>/dev/null
	cat key cert >both
	serve echo cert=both log=log
	row "https://127.0.0.1:$port/" '1 tls' '1 tls'
	svc-register -i a w "https://127.0.0.1:$port/" >/dev/null
	run --separate-stderr svc-call -v -d 1 w
	is 1
	[ "$(jq -c '.error | [.code,.attempts,.retryable]' <<<"$output")" = '["tls",1,false]' ]
	[[ $stderr != *'sending it again'* ]]
	# What our own options forbid has not left.
	[ "$(attempts "http://127.0.0.1:$port/" --deny-private)" = 'null forbidden' ]
	[ ! -e log ]
}

@test "table: TLS refused is retried where there is another instance" {
	openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=x -keyout key -out cert 2>/dev/null
	cat key cert >both
	serve echo cert=both
	svc-register -i a -l tls=yes w "https://127.0.0.1:$port/" >/dev/null
	served b echo
	run -0 --separate-stderr svc-call --policy round-robin -j 1 w < <(seq 4)
	[ "$(jq -c '[.instance.id,.attempts]' <<<"$output" | sort -u | tr '\n' ' ')" = '["b",1] ["b",2] ' ]
	# It alone has what this one requires, and that one was planned onto it.
	{ echo '{"task":1,"requires":{"labels":"tls=yes"}}'; planned 1 a; } >in
	run --separate-stderr svc-call w <in
	is 1
	[ "$(jq -c '.error | [.code,.attempts]' <<<"$output" | sort | uniq -c | tr -s ' ')" = ' 2 ["tls",1]' ]
}

@test "table: other 5xx, resets, closed and cut answers are retried with --idempotent alone" {
	for status in 500 502 504; do
		serve status "status=$status"
		row "http://127.0.0.1:$port/" '1 http' '3 http'
	done
	for mode in reset close cut; do
		serve "$mode"
		row "http://127.0.0.1:$port/" '1 reset' '3 reset'
	done
}

@test "table: other statuses, too large, no HTTP, no result are not retried" {
	for status in 302 400 404 408; do
		serve status "status=$status"
		row "http://127.0.0.1:$port/" '1 http' '1 http'
	done
	serve garbage
	row "http://127.0.0.1:$port/" '1 bad-response' '1 bad-response'
	serve type type=application/json 'body={'
	row "http://127.0.0.1:$port/" '1 bad-response' '1 bad-response'
	serve huge size=3000000
	[ "$(attempts "http://127.0.0.1:$port/" --idempotent --max-result 1M)" = '1 too-large' ]
}

@test "table: no answer in time is the end, since the time is that of all attempts" {
	serve silent log=log
	for option in --retries=2 --idempotent; do
		[ "$(attempts "http://127.0.0.1:$port/" "$option" -T 0.3s)" = '1 timeout' ]
	done
	[ "$(count log)" -eq 2 ]
}

@test "table: 429, 503 with Retry-After and refused connections are free of charge" {
	for status in 429 503; do
		serve busy "status=$status" times=5
		[ "$(attempts "http://127.0.0.1:$port/" --retries 0)" = '6 ok' ]
	done
	kill "$pid"
	wait_gone "$pid" 10
	got=$(attempts "http://127.0.0.1:$port/" --retries 0 -T 0.7s)
	[ "${got% *}" -gt 2 ] && [ "${got#* }" = unreachable ]
}

@test "--retries says how often, and a line's retries beat it" {
	served a status status=503 log=log
	run --separate-stderr svc-call --retries 4 -d 1 w
	is 1
	[ "$(count log)" -eq 5 ]
	run --separate-stderr svc-call --retries 4 w <<<'{"task":1,"retries":1}'
	[ "$(count log)" -eq 7 ]
	run --separate-stderr svc-call --retries 0 -d 1 w
	[ "$(count log)" -eq 8 ]
}

@test "a retry goes to another instance first" {
	served bad status status=500 log=bad
	served good echo log=good
	run -0 --separate-stderr svc-call --policy round-robin --idempotent --retries 9 -j 1 w < <(seq 20)
	[ "$(count good)" -eq 20 ]
	[ "$(count bad)" -ge 3 ]
	[ "$(jq -r .attempts <<<"$output" | sort -u | tr '\n' ' ')" = '1 2 ' ]
}

@test "a planned task is retried where it was planned" {
	served a fail status=503 times=2 log=a
	served b echo log=b
	planned 1 a >in
	run -0 --separate-stderr svc-call <in
	[ "$(jq -c '[.attempts,.instance.id]' <<<"$output")" = '[3,"a"]' ]
	[ ! -e b ]
}

@test "retries come after random times that grow from 25 ms to 1 s" {
	served a fail status=503 times=3
	before=$(milliseconds)
	run -0 --separate-stderr svc-call --retries 3 -d 1 w
	# 25, 50 and 100 ms at most.
	(($(milliseconds) - before < 1500))
	served a fail status=503 times=11 log=log
	before=$(milliseconds)
	run -0 --separate-stderr svc-call --retries 11 -d 1 w
	after=$(milliseconds)
	# On average 3.8 s, of 7.6 s at most.
	((after - before > 300 && after - before < 9500))
}

@test "Retry-After is waited for, in seconds or as a date" {
	serve busy times=1 retry_after=1
	before=$(milliseconds)
	[ "$(attempts "http://127.0.0.1:$port/")" = '2 ok' ]
	(($(milliseconds) - before >= 950))
	serve busy times=1 "retry_after=$(date -u -d '+3 sec' '+%a, %d %b %Y %T GMT')"
	before=$(milliseconds)
	[ "$(attempts "http://127.0.0.1:$port/")" = '2 ok' ]
	took=$(($(milliseconds) - before))
	((took >= 950 && took < 8000))
}

@test "a Retry-After in 1970 is at once" {
	serve busy times=3 'retry_after=Thu, 01 Jan 1970 00:00:00 GMT'
	before=$(milliseconds)
	[ "$(attempts "http://127.0.0.1:$port/")" = '4 ok' ]
	(($(milliseconds) - before < 2000))
}

@test "a Retry-After of 10^9 seconds waits no longer than the task has" {
	for status in 429 503; do
		serve status "status=$status" retry_after=1000000000 log=log
		before=$(milliseconds)
		[ "$(attempts "http://127.0.0.1:$port/" -T 0.7s)" = '1 busy' ]
		took=$(($(milliseconds) - before))
		((took >= 650 && took < 1700))
	done
}

@test "while one instance asks for a long rest the others get the work" {
	served a status status=503 retry_after=1000000000 log=a
	served b echo log=b
	before=$(milliseconds)
	run -0 --separate-stderr svc-call --retries 0 -j 4 w < <(seq 50)
	(($(milliseconds) - before < 5000))
	[ "$(count b)" -eq 50 ]
	(($(count a) <= 4))
}

@test "where everything fails there are at most 1.2 requests a task, and 3" {
	served a status status=500 log=log
	seq 200 | svc-call -q --idempotent -j 8 w >out || [ $? -eq 1 ]
	requests=$(count log)
	((requests <= 243 && requests > 220))
	[ "$(jq .error.attempts out | awk '{ n += $1 } END { print n }')" -eq "$requests" ]
	[ "$(jq -r .error.code out | sort -u)" = http ]
	grep -q 'the budget of retries is used up' out
}

@test "with many --retries the budget begins with that many" {
	served a fail status=503 times=20 log=log
	run -0 --separate-stderr svc-call --retries 20 -T 60s -d 1 w
	[ "$(count log)" -eq 21 ]
}

@test "busy answers take nothing from the budget" {
	served a busy times=12 log=log
	run -0 --separate-stderr svc-call --retries 0 -j 2 w < <(seq 10)
	[ "$(grep -c busy log)" -eq 12 ]
	[ "$(jq -r .error <<<"$output" | sort -u)" = null ]
}

@test "an instance that fails five times in a row is not chosen any more" {
	for mode in 'status status=500' close 'type type=application/json body={' garbage; do
		read -ra words <<<"$mode"
		served bad "${words[@]}" log=bad
		served good echo log=good
		run --separate-stderr svc-call -v --policy round-robin --retries 0 -j 1 w < <(seq 40)
		is 1
		[ "$(count bad)" -eq 5 ] || { echo "$mode: $(count bad)"; return 1; }
		[ "$(count good)" -eq 35 ]
		[[ $stderr == *w/bad:*"not chosen for 30 s"* ]]
		rm bad good
	done
}

@test "an instance that answers 4xx or is busy is not ejected" {
	served bad status status=404 log=bad
	served good echo log=good
	run --separate-stderr svc-call --policy round-robin -j 1 w < <(seq 40)
	[ "$(count bad)" -eq 20 ] && [ "$(count good)" -eq 20 ]
	served bad busy times=6 log=busy
	served good echo delay=0.02
	run -0 --separate-stderr svc-call --policy round-robin -j 4 w < <(seq 400)
	[ "$(grep -c busy busy)" -eq 6 ]
	[ "$(grep -vc busy busy)" -gt 0 ]
}

@test "a success in between: five failures must be in a row" {
	served a fail status=500 times=4 log=a
	served b echo log=b
	run --separate-stderr svc-call --policy round-robin -j 1 w < <(seq 40)
	is 1
	[ "$(count a)" -eq 20 ]
}

@test "at most half of the instances are ejected, and a lone one never" {
	for id in a b c d; do
		served "$id" status status=500 log="$id"
	done
	run --separate-stderr svc-call -q --policy round-robin -j 1 w < <(seq 60)
	is 1
	[ "${#lines[@]}" -eq 60 ]
	counts=$(for id in a b c d; do count "$id"; done | sort -n | tr '\n' ' ')
	[ "$counts" = '5 5 25 25 ' ]
	for id in b c d; do svc-register --remove w "$id"; done
	run --separate-stderr svc-call -q -j 1 w < <(seq 20)
	[ "$(($(count a)))" -ge 25 ]
}

@test "what is planned onto an ejected instance still goes there" {
	served bad status status=500 log=bad
	served good echo log=good
	{ seq 20; planned 7 bad; } >in
	run --separate-stderr svc-call -q --policy round-robin -j 1 w <in
	is 1
	[ "$(grep -c '^p' bad)" -eq 7 ]
	[ "$(grep -vc '^p' bad)" -eq 5 ]
}

@test "all attempts share the time of the task" {
	served a fail status=500 times=1000 delay=0.3 log=log
	before=$(milliseconds)
	run --separate-stderr svc-call --idempotent --retries 1000 -T 1s -d 1 w
	is 1
	took=$(($(milliseconds) - before))
	((took >= 900 && took < 2000))
	(($(count log) >= 2 && $(count log) <= 4))
}

@test "an attempt gets what remains of the time" {
	served a fail status=500 times=1 delay=0.7 begun=begun
	before=$(milliseconds)
	run --separate-stderr svc-call --idempotent -T 1s -d 1 w
	is 1
	took=$(($(milliseconds) - before))
	((took >= 900 && took < 2000))
	[ "$(jq -c '[.error.code,.error.attempts]' <<<"$output")" = '["timeout",2]' ]
	[ "$(count begun)" -eq 2 ]
}

@test "a line's timeout and deadline bound all of its attempts" {
	served a silent
	before=$(milliseconds)
	soon=$(date -u -d '+1 sec' +%FT%T.%3NZ)
	run --separate-stderr svc-call --idempotent w < <(
		echo '{"task":1,"timeout":0.5}'
		echo "{\"task\":2,\"timeout\":20,\"deadline\":\"$soon\"}"
	)
	is 1
	took=$(($(milliseconds) - before))
	((took >= 900 && took < 2000))
	[ "$(jq -r .error.code <<<"$output" | sort -u)" = timeout ]
}

@test "attempts say which they are, and share key, deadline and trace" {
	served a fail status=503 times=2 heads=heads
	run -0 --separate-stderr svc-call -T 20s w <<<'{"id":"one","task":1}'
	[ "$(jq -r '."svc-attempt"' heads | tr '\n' ' ')" = '1 2 3 ' ]
	[ "$(jq -r '."idempotency-key"' heads | sort -u)" = one ]
	times=$(jq -r '."svc-deadline"' heads | while read -r at; do
		echo $(($(date -d "$at" +%s%N) / 1000000))
	done | sort -n | sed -n '1p;$p' | tr '\n' ' ')
	read -r first last <<<"$times"
	((last - first <= 20))
	[ "$(jq -r '.traceparent | split("-")[1]' heads | sort -u | wc -l)" -eq 1 ]
	[ "$(jq -r '.traceparent | split("-")[2]' heads | sort -u | wc -l)" -eq 3 ]
}

@test "an error says what the body says" {
	for row in '{"detail":"disk full","title":"no"}|: disk full' \
		'{"title":"no\u001b[1m way"}|: no [1m way' '{"error":{"x":1},"message":"m"}|: m' \
		'{"error":"e"}|: e' '{"error":5}|' 'plain text|' '[1]|' '{"detail":"cut|'; do
		IFS='|' read -r body want <<<"$row"
		serve status status=500 "body=$body"
		instance a "http://127.0.0.1:$port/" >line
		run --separate-stderr svc-call -d 1 <line
		[ "$(jq -r .error.message <<<"$output")" = "w/a: HTTP 500$want" ] || { echo "$row"; echo "$output"; return 1; }
	done
}

@test "--hedge: a second instance answers for one that is slow" {
	served a echo delay=5 heads=slow
	served b headers heads=fast
	before=$(milliseconds)
	run -0 --separate-stderr svc-call --policy round-robin --hedge 0.2s w <<<'{"id":"one","task":1}'
	took=$(($(milliseconds) - before))
	((took >= 190 && took < 3000))
	[ "$(jq -c '[.attempts,.instance.id,.result["svc-attempt"]]' <<<"$output")" = '[2,"b","2"]' ]
	[ "$(jq -r '."idempotency-key"' slow fast | tr '\n' ' ')" = 'one one ' ]
	[ "$(jq -r '.traceparent | split("-")[1]' slow fast | sort -u | wc -l)" -eq 1 ]
}

@test "--hedge: the one that loses is cancelled" {
	served a silent begun=begun gone=gone
	served b echo
	mkfifo in
	svc-call --policy round-robin --hedge 0.2s w <in >out 3>&- &
	call=$!
	started+=("$call")
	exec 7>in
	echo '{"id":"one","task":1}' >&7
	until_true 10 test -s out
	until_true 10 test -s gone
	[ "$(cat gone)" = one ]
	kill -0 "$call"
	exec 7>&-
	wait "$call"
}

@test "--hedge: the first instance wins when it is first" {
	served a echo delay=0.8
	served b silent begun=begun
	run -0 --separate-stderr svc-call --policy round-robin --hedge 0.2s -d 1 w
	[ "$(jq -c '[.attempts,.instance.id]' <<<"$output")" = '[2,"a"]' ]
	[ "$(count begun)" -eq 1 ]
}

@test "--hedge: when the second one fails or is busy the first is waited for" {
	for mode in 'status=500' 'status=404' 'status=503 retry_after=5'; do
		read -ra words <<<"$mode"
		served a echo delay=0.6
		served b status "${words[@]}" log=log
		run -0 --separate-stderr svc-call --policy round-robin --hedge 0.1s -d 1 w
		[ "$(jq -c '[.attempts,.instance.id]' <<<"$output")" = '[2,"a"]' ]
	done
	[ "$(count log)" -eq 3 ]
}

@test "--hedge: when the first one fails the second is waited for" {
	served a status status=500 delay=0.4 log=log
	served b echo delay=0.8
	run -0 --separate-stderr svc-call --policy round-robin --retries 0 --hedge 0.1s -d 1 w
	[ "$(jq -c '[.attempts,.instance.id]' <<<"$output")" = '[2,"b"]' ]
	[ "$(count log)" -eq 1 ]
}

@test "--hedge: when both fail the task is retried" {
	served a fail status=500 times=1 delay=0.3 log=a
	served b fail status=500 times=1 delay=0.3 log=b
	run -0 --separate-stderr svc-call --policy round-robin --hedge 0.1s -d 1 w
	((2 < $(jq .attempts <<<"$output")))
	[ "$(grep -c fail a)" -eq 1 ] && [ "$(grep -c fail b)" -eq 1 ]
}

@test "--hedge: at most one in ten tasks has a second request, and one beside" {
	served a echo delay=0.1 begun=begun
	served b echo delay=0.1 begun=begun
	run -0 --separate-stderr svc-call --hedge 0.01s -j 4 w < <(seq 60)
	[ "${#lines[@]}" -eq 60 ]
	requests=$(jq -s 'map(.attempts) | add' <<<"$output")
	((requests > 61 && requests <= 67))
	(($(count begun) > 60 && $(count begun) <= requests))
}

@test "--hedge: neither planned tasks nor those of a lone instance nor beyond -j" {
	served a echo delay=0.4 begun=a
	run -0 --separate-stderr svc-call --hedge 0.05s -d 1 w
	served b echo delay=0.4 begun=b
	planned 1 a >in
	run -0 --separate-stderr svc-call --hedge 0.05s <in
	run -0 --separate-stderr svc-call --hedge 0.05s -j 1 -d 1 w
	[ "$(jq .attempts <<<"$output")" -eq 1 ]
	[ "$(cat a b | wc -l)" -eq 3 ]
}

# again PID: the signal a second time, until there is a line.
again() {
	[ -s out ] || { kill "$1" && false; }
}

@test "a signal ends a task with two requests under way as one line" {
	served a silent begun=a
	served b silent begun=b
	start svc-call -q --policy round-robin --hedge 0.1s -d 1 w >out
	until_true 10 test -s b
	kill "$pid"
	until_true 10 again "$pid"
	wait_gone "$pid" 10
	[ "$(jq -c '[.error.code,.error.attempts]' out)" = '["cancelled",2]' ]
}

@test "a reader that goes away ends it with two requests under way" {
	served a silent begun=a
	served b silent begun=b
	serve echo
	svc-register v "127.0.0.1:$port" >/dev/null
	mkfifo in out
	svc-call -q --policy round-robin --hedge 0.1s <in >out 3>&- &
	call=$!
	started+=("$call")
	exec 7>in 6<out
	echo '{"task":1,"service":"w"}' >&7
	until_true 10 test -s a -a -s b
	exec 6<&-
	echo '{"task":2,"service":"v"}' >&7
	exec 7>&-
	status=0
	wait "$call" || status=$?
	is 141
}

@test "--rate bounds all requests, retries among them" {
	served a echo log=log
	before=$(milliseconds)
	run -0 --separate-stderr svc-call --rate 20/s -j 16 w < <(seq 40)
	took=$(($(milliseconds) - before))
	((took >= 1850 && took < 4000))
	served a fail status=503 times=20 log=log2
	before=$(milliseconds)
	run -0 --separate-stderr svc-call --rate 20/s --retries 30 -j 20 w < <(seq 20)
	took=$(($(milliseconds) - before))
	((took >= 1850 && took < 6000))
	[ "$(count log2)" -eq 40 ]
}

@test "--rate reaches its rate, and waits without work" {
	served a echo
	before=$(milliseconds)
	TIMEFORMAT='%U %S'
	seq 1000 >in
	{ time svc-call --rate 500/s w <in >out; } 2>cpu
	took=$(($(milliseconds) - before))
	((took >= 1950 && took < 3500))
	seq 5 >in
	{ time svc-call --rate 2/s w <in >out; } 2>cpu
	awk '{ exit !($1 + $2 < 0.7) }' cpu
}

@test "--rate 6/m sends the second task after ten seconds" {
	served a echo log=log
	seq 2 >in
	svc-call --rate 6/m w <in >out 3>&- &
	call=$!
	started+=("$call")
	until_true 5 test -s out
	before=$(milliseconds)
	wait "$call"
	took=$(($(milliseconds) - before))
	((took >= 9000 && took < 11500))
}
