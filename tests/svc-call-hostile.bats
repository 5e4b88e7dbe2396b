#!/usr/bin/env bats
# lib/common sets top, pid and started.
# shellcheck disable=SC2154,SC2030,SC2031
# svc-call(1) against servers that are broken or mean ill: each ends as one
# code, in time, within the memory, and beside it a healthy one gets its work.

bats_require_minimum_version 1.5.0
load lib/common

# Of a task, in seconds; what may come on top of it; KiB of memory with -j 2.
timeout=1
grace=1
memory=$((64 * 1024))

# up PROGRAM MODE [OPTION=VALUE]...: a server of tests/lib; its port in $port.
up() {
	local program=$1 out=$BATS_TEST_TMPDIR/port.$RANDOM$RANDOM
	shift
	start python3 "$top/tests/lib/$program.py" "$@" >"$out" 7>&-
	until_true 10 test -s "$out"
	port=$(cat "$out")
}

# hostile MODE [OPTION=VALUE]...: the same of hostile_server; logs into ./log.
hostile() {
	up hostile_server "$@" log=log
}

# line ID PORT [TASK [SCHEME]]: a task line that was planned onto the port.
line() {
	printf '{"id":"%s","instance":{"service":"w","id":"p%s","slots":300,"address":"%s://127.0.0.1:%s/"},"task":%s}\n' \
		"$1" "$2" "${4:-http}" "$2" "${3:-1}"
}

# sanitized: whether it was built with ASan, which has memory of its own.
sanitized() {
	local libraries
	libraries=$(ldd "$(command -v svc-call)")
	[[ $libraries == *libasan* ]]
}

# bounded FILE: what time(1) wrote is within the time and the memory.
bounded() {
	local elapsed rss
	read -r elapsed rss < <(tail -1 "$1")
	awk "BEGIN { exit !($elapsed <= $timeout + $grace) }" || { echo "took $elapsed s" >&2; return 1; }
	sanitized || ((rss < memory)) || { echo "took $rss KiB" >&2; return 1; }
}

# call [OPTION]...: svc-call from ./in to ./out, for $timeout, with the bounds.
call() {
	status=0
	/usr/bin/time -qf '%e %M' -o took timeout -k 1 60 svc-call -q -j 2 \
		--max-result 8M -T "${timeout}s" "$@" <in >out || status=$?
	((status <= 1)) || { cat out >&2; return 1; }
	bounded took
}

# comes_out ID CODE: its line ended so ("ok": with a result).
comes_out() {
	local code
	code=$(jq -r "select(.id == \"$1\") | .error.code // (select(has(\"result\")) | \"ok\")" out)
	[[ $code =~ ^($2)$ ]] || { echo "$1: $code, not $2" >&2; cat out >&2; return 1; }
}

# ends CODE: $task at $port ends as CODE, and one beside it at a healthy server
# as it should.
ends() {
	local bad=$port
	if [ -z "${good:-}" ]; then
		up http_server echo
		good=$port
	fi
	{ line bad "$bad" "${task:-1}" "${scheme:-}"; line good "$good" '"healthy"'; } >in
	call
	[ "$(wc -l <out)" -eq 2 ]
	comes_out bad "$1"
	comes_out good ok
	[ "$(jq -r 'select(.id == "good") | .result' out)" = healthy ]
}

# survives MODE CODE [OPTION=VALUE]...: one that talks to such a server.
survives() {
	echo "$*"
	hostile "$1" "${@:3}"
	ends "$2"
}

# answered CODE ANSWER [OPTION=VALUE]...: one that gets such an answer.
answered() {
	survives raw "$1" "answer=$2" "${@:3}"
}

# executed COUNT: how many requests the server has taken.
executed() {
	[ "$(wc -l <log)" -eq "$1" ]
}

ok='HTTP/1.1 200 OK\r\n'
json='Content-Type: application/json\r\n'
chunked='Transfer-Encoding: chunked\r\n'

# Slow and silent

@test "a header that drips is a timeout" {
	survives drip timeout head="$ok" text='X-Slow: drip\r\n'
}

@test "a status line that drips is a timeout" {
	survives drip timeout head='HTTP/1.' text='1'
}

@test "a body that drips is a timeout" {
	survives drip timeout head="${ok}Content-Length: 60000\r\n\r\n" text=' '
}

@test "chunks that drip are a timeout" {
	survives drip timeout head="$ok$chunked\r\n" text='1\r\n \r\n'
}

@test "interim answers that drip are a timeout" {
	survives drip timeout text='HTTP/1.1 100 Continue\r\n\r\n' pause=0.005
}

@test "silence is a timeout" {
	survives silent timeout
	executed 1
}

@test "silence where TLS should be is unreachable" {
	scheme=https
	survives deaf unreachable
}

@test "what is no TLS where TLS should be is tls" {
	scheme=https
	survives early tls answer="${ok}Content-Length: 1\r\n\r\n1"
}

@test "a server that never reads is a timeout, also with a task of 8 MiB" {
	task=$(head -c $((8 * 1024 * 1024 - 2)) /dev/zero | tr '\0' 1)
	survives deaf timeout
}

# Reset and truncated

@test "a reset at accept is a reset, or nothing was reached" {
	survives reset-accept 'reset|unreachable'
}

@test "a reset after the request is a reset, and is not sent again" {
	survives raw reset then=reset
	executed 1
}

@test "a reset in the middle of a body is a reset" {
	answered reset "${ok}Content-Length: 100\r\n\r\n[1," then=reset
	hostile raw answer="$ok$chunked\r\n3\r\n[1,\r\n" then=reset
	ends reset
}

@test "a server that executes and closes is a reset, and has executed once" {
	survives close reset
	executed 1
}

@test "a kept connection that dies is a reset, and nothing is executed twice" {
	hostile close first=answer
	for id in a b c; do line "$id" "$port"; done >in
	status=0
	timeout -k 1 20 svc-call -q -k -j 1 --retries 5 <in >out || status=$?
	[ "$status" -eq 1 ]
	[ "$(jq -r '.error.code // "ok"' out | tr '\n' ' ')" = "ok reset ok " ]
	[ "$(tr '\n' ' ' <log)" = "a b c " ]
}

@test "a status line that is cut is a reset" {
	answered 'reset|bad-response' 'HTTP/1.1 2' then=close
}

@test "a header that is cut is a reset, not an empty result" {
	answered reset "$ok" then=close
	hostile raw answer="${ok}Content-Len" then=close
	ends reset
	hostile raw answer="${ok}Content-Length: 0\r\n" then=close
	ends reset
}

@test "an interim answer alone is a reset" {
	answered reset 'HTTP/1.1 100 Continue\r\n\r\n' then=close
}

@test "a body shorter than its Content-Length is a reset" {
	answered reset "${ok}Content-Length: 100\r\n\r\n[1]" then=close
}

@test "a chunk that is cut is a reset" {
	answered reset "$ok$chunked\r\n64\r\n[1]" then=close
}

@test "a body without its last chunk is a reset" {
	answered reset "$ok$chunked\r\n3\r\n[1]\r\n" then=close
	hostile raw answer="$ok$chunked\r\n3\r\n[1]\r\n0" then=close
	ends reset
}

@test "JSON that is cut where the connection ends is a bad response" {
	answered bad-response "$ok\r\n[1," then=close
}

# Endless and large

@test "endless chunks are too large" {
	survives flood too-large head="$ok$chunked\r\n1\r\n[\r\n" \
		text="400\r\n$(printf '1,%.0s' {1..512})\r\n"
}

@test "endless tiny chunks are too large, or take too long" {
	survives flood 'too-large|timeout' head="$ok$chunked\r\n1\r\n[\r\n" text='1\r\n1\r\n'
}

@test "an endless body is too large" {
	survives flood too-large head="$ok\r\n[" text='1,'
}

@test "an endless body of an error is cut" {
	survives flood http head='HTTP/1.1 500 X\r\n\r\n' text='and so on, '
	[ "$(jq '.error.body // empty | length' out)" -eq 4096 ]
}

@test "JSON of 1 GB is too large" {
	survives flood too-large head="${ok}${json}Content-Length: 1000000000\r\n\r\n[" text='1,'
}

@test "a length beyond all numbers is no success" {
	answered 'too-large|bad-response' "${ok}Content-Length: 99999999999999999999\r\n\r\n[1]"
	executed 1
}

@test "chunk extensions without end are a timeout" {
	survives flood timeout head="$ok$chunked\r\n1" text=';a=b'
}

@test "empty JSON without end is too large" {
	survives flood too-large head="$ok\r\n" text=' '
}

@test "gzip that nobody asked for is not decoded" {
	survives bomb bad-response header='Content-Encoding: gzip'
	[[ $(jq -r '.error.message // ""' out) == *"has Content-Encoding 'gzip', which is not decoded"* ]]
	hostile bomb header=$'Content-Encoding: gzip\r\nContent-Type: image/x'
	ends ok
	(($(jq -r 'select(.id == "bad") | .result | length' out) < 2000000))
}

@test "an encoding that is none does not harm" {
	answered ok "${ok}Content-Encoding: utf-8\r\nContent-Length: 2\r\n\r\n12"
}

@test "transfer codings that nobody asked for are a bad response" {
	for coding in gzip 'gzip, chunked' deflate 'chunked, gzip' 'gzip, gzip, chunked'; do
		hostile bomb header="Transfer-Encoding: $coding"
		ends bad-response
	done
}

@test "transfer codings in several headers are a bad response" {
	answered bad-response "${ok}Transfer-Encoding: gzip\r\n$chunked\r\n1\r\n1\r\n0\r\n\r\n"
	answered bad-response "${ok}${chunked}transfer-encoding: chunked\r\n\r\n1\r\n1\r\n0\r\n\r\n"
}

# Headers

@test "endless headers are a bad response" {
	survives flood bad-response head="$ok" text='X-Huge: header\r\n'
}

@test "one endless header is a bad response" {
	survives flood bad-response head="${ok}X-Huge: " text='x'
}

@test "an endless status line is a bad response" {
	survives flood bad-response head='HTTP/1.1 200 ' text='OK'
}

@test "a flood of interim answers is a bad response" {
	survives flood bad-response text='HTTP/1.1 100 Continue\r\n\r\n'
	survives flood bad-response text='HTTP/1.1 103 Early\r\nX: y\r\n\r\n'
}

@test "endless trailers are a bad response" {
	survives flood bad-response head="$ok$chunked\r\n1\r\n1\r\n0\r\n" text='X-End: y\r\n'
	survives flood bad-response head="$ok$chunked\r\n1\r\n1\r\n0\r\nX-End: " text='y'
}

@test "NUL in a header or a status line is a bad response" {
	answered bad-response "${ok}X-Nul: a\0b\r\nContent-Length: 1\r\n\r\n1"
	answered bad-response "${ok}Content-Length: 1\0\r\n\r\n1"
	answered bad-response 'HTTP/1.1 200 O\0K\r\nContent-Length: 1\r\n\r\n1'
	answered bad-response 'HTTP/1.1 2\00 OK\r\nContent-Length: 1\r\n\r\n1'
}

@test "NUL in a body is a bad response, and in text a character" {
	answered bad-response "${ok}Content-Length: 3\r\n\r\n\"\0\""
	answered bad-response "${ok}Content-Length: 2\r\n\r\n1\0"
	answered ok "${ok}Content-Type: text/plain\r\nContent-Length: 3\r\n\r\na\0b"
	[ "$(jq -c 'select(.id == "bad") | .result' out)" = '"a\u0000b"' ]
}

@test "HTTP/0.9 and what is no HTTP are bad responses" {
	answered bad-response '{"a":1}' then=close
	answered bad-response '\x16\x03\x01\x00\xffgarbage\r\n\r\n'
	answered bad-response 'ICY 200 OK\r\nContent-Length: 1\r\n\r\n1'
	answered bad-response 'SSH-2.0-OpenSSH_9.2\r\n' then=close
}

@test "status lines that are none are bad responses" {
	for line in 'HTTP/1.1 20 OK' 'HTTP/1.1 2000 OK' 'HTTP/1.1 -200 OK' \
		'HTTP/1.1 000 OK' 'HTTP/1.1  OK' 'HTTP/9.9 200 OK' 'HTTP/1.1200 OK'; do
		answered bad-response "$line\r\nContent-Length: 1\r\n\r\n1"
	done
}

@test "switching protocols is not followed" {
	answered 'reset|bad-response' 'HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n' then=close
}

# Framing

@test "chunk sizes that are none are bad responses" {
	for size in -1 -ffffff x '' ' ' 0x10 fffffffffffffffff 10000000000000001 \
		7fffffffffffffff8 ffffffffffffffff; do
		answered bad-response "$ok$chunked\r\n$size\r\n1\r\n0\r\n\r\n"
	done
}

@test "a huge chunk that never comes is a timeout or a reset" {
	answered timeout "$ok$chunked\r\n7fffffffffffffff\r\n[1]"
	answered reset "$ok$chunked\r\n7fffffffffffffff\r\n[1]" then=close
}

@test "a chunk longer than it says is a bad response" {
	answered bad-response "$ok$chunked\r\n1\r\n123\r\n0\r\n\r\n"
}

@test "lengths that are none are bad responses" {
	for length in -1 x '1, 2' 0x1 1.0 '+1' '1 2' '1x'; do
		answered bad-response "${ok}Content-Length: $length\r\n\r\n1"
	done
}

@test "two lengths are a bad response" {
	answered bad-response "${ok}Content-Length: 1\r\nContent-Length: 2\r\n\r\n12"
	answered bad-response "${ok}Content-Length: 2\r\nContent-Length: 1\r\n\r\n12"
}

@test "a length beside chunks is a bad response" {
	answered bad-response "${ok}Content-Length: 1\r\n$chunked\r\n1\r\n1\r\n0\r\n\r\n"
	answered bad-response "$ok${chunked}Content-Length: 1\r\n\r\n1\r\n1\r\n0\r\n\r\n"
}

# kept_apart [OPTION=VALUE]...: three tasks at a server that says more than it
# was asked, on one connection, and each gets what is its own, or null.
kept_apart() {
	hostile raw then=keep "$@"
	for id in k1 k2 k3; do
		line "$id" "$port"
		read -rt "${between:-0.01}" <> <(:) || :
	done | timeout -k 1 30 svc-call -q -j 1 -T 5s >out
	[ "$(jq -r 'select(.result == .id or .result == null) | .id' out | sort | tr '\n' ' ')" = "k1 k2 k3 " ] ||
		{ cat out; return 1; }
}

own='Content-Length: 4\r\n\r\n"KEY"'
other="${ok}Content-Length: 7\r\n\r\n\"other\""

@test "what stands behind an answer is not the next one" {
	kept_apart answer="$ok$own$other"
	kept_apart answer="$ok$chunked\r\n4\r\n\"KEY\"\r\n0\r\n\r\n$other"
	kept_apart answer="HTTP/1.1 204 X\r\n\r\n$other"
	kept_apart answer="HTTP/1.1 204 X\r\nContent-Length: 7\r\n\r\n\"other\"$other"
	kept_apart answer="HTTP/1.1 205 X\r\nContent-Length: 0\r\n\r\n$other"
	kept_apart answer="HTTP/1.1 100 X\r\n\r\n$ok$own$other$other"
}

@test "what comes on an idle connection is not the next answer" {
	# The time is what this is about.
	between=0.5
	kept_apart answer="$ok$own" extra="$other"
	kept_apart answer="$ok$chunked\r\n4\r\n\"KEY\"\r\n0\r\n\r\n" extra="$other"
	kept_apart answer="HTTP/1.1 204 X\r\n\r\n" extra='HTTP/1.1 200'
}

# Data

@test "JSON of depth 1,000,000 is a bad response" {
	survives deep bad-response depth=1000000
}

@test "duplicate keys are accepted, and their bytes kept" {
	answered ok "${ok}${json}Content-Length: 28\r\n\r\n{\"a\":1,\"a\":1e400,\"\\\\u0061\":2}"
	grep -qF '"result":{"a":1,"a":1e400,"\u0061":2}' out
}

@test "bad UTF-8 is no JSON, and text in base64" {
	answered bad-response "${ok}${json}Content-Length: 3\r\n\r\n\"\xff\""
	answered bad-response "${ok}${json}Content-Length: 5\r\n\r\n\"\xed\xa0\x80\""
	answered ok "${ok}Content-Type: text/plain\r\nContent-Length: 1\r\n\r\n\xff"
	[ "$(jq -c 'select(.id == "bad") | [.result, .encoding]' out)" = '["/w==","base64"]' ]
}

@test "a type that the body is not is a bad response" {
	answered bad-response "${ok}${json}Content-Length: 6\r\n\r\n<html>"
	answered bad-response "${ok}${json}Content-Length: 4\r\n\r\n\xef\xbb\xbf1"
	answered bad-response "${ok}${json}Content-Length: 4\r\n\r\n\xff\xfe1\0"
	answered bad-response "${ok}Content-Length: 3\r\n\r\n1 2"
}

@test "204 and 205 with a body end in no time" {
	answered ok 'HTTP/1.1 204 X\r\nContent-Length: 3\r\n\r\n[1]'
	[ "$(jq -c 'select(.id == "bad") | .result' out)" = null ]
	answered ok 'HTTP/1.1 205 X\r\nContent-Length: 3\r\n\r\n[1]'
}

# Redirects

# redirected STATUS LOCATION: such an answer is the end, and goes nowhere.
redirected() {
	answered http "HTTP/1.1 $1 X\r\nLocation: $2\r\nContent-Length: 0\r\n\r\n"
	executed 1
	[ "$(jq -r 'select(.id == "bad") | .error.status' out)" = "$1" ]
	rm log
}

@test "a redirect to itself is not followed" {
	for status in 301 302 303 307 308; do
		redirected "$status" /
	done
}

@test "redirects to file:, ftp: and others are not followed" {
	echo '"secret"' >file
	for location in "file://$PWD/file" ftp://127.0.0.1/ gopher://127.0.0.1:1/ \
		dict://127.0.0.1:1/ http+unix:///x:/ 'http:///' '//' '%00' ''; do
		redirected 302 "$location"
	done
	run ! grep -q secret out
}

@test "a redirect to the loopback is not followed, and nothing comes there" {
	up http_server echo log=target begun=target
	target=$port
	for status in 301 302 303 307 308; do
		redirected "$status" "http://127.0.0.1:$target/"
	done
	[ ! -e target ]
}

# Busy

# turned STATUS CODE [AFTER]: what such an answer ends as, with few requests.
turned() {
	local after=${3+"Retry-After: $3\r\n"}
	answered "$2" "HTTP/1.1 $1 X\r\n${after}Content-Length: 0\r\n\r\n" then=keep
	(($(wc -l <log) <= 40)) || { wc -l log; return 1; }
	rm log
}

@test "429 is busy, whatever Retry-After says" {
	turned 429 busy
	for after in 0 1 1000000000 99999999999999999999999999 -1 soon '' \
		'Thu, 01 Jan 1970 00:00:00 GMT' 'Fri, 31 Dec 9999 23:59:59 GMT'; do
		turned 429 busy "$after"
	done
}

@test "503 is busy if Retry-After says when" {
	for after in 0 1 1000000000 99999999999999999999999999 \
		'Thu, 01 Jan 1970 00:00:00 GMT' 'Fri, 31 Dec 9999 23:59:59 GMT'; do
		turned 503 busy "$after"
	done
}

@test "503 is a failure without Retry-After, and when it makes no sense" {
	turned 503 http
	for after in -1 soon '' '1.5' '1 2' 'Thu, 32 Jan 1970 00:00:00 GMT'; do
		turned 503 http "$after"
	done
}

# Out of turn

@test "an answer before the request was read is an answer" {
	survives early 'http|reset' answer='HTTP/1.1 413 X\r\nContent-Length: 0\r\n\r\n'
	survives early ok answer="${ok}Content-Length: 2\r\n\r\n[]"
	task=$(head -c 5000000 /dev/zero | tr '\0' 1)
	survives early http answer='HTTP/1.1 413 X\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'
}

@test "a server that talks on an idle connection costs nothing" {
	hostile chatter
	{ line k1 "$port"; read -rt 1.5 <> <(:) || :; line k2 "$port"; } |
		/usr/bin/time -qf '%U %S' -o took timeout -k 1 20 svc-call -q -j 1 -T 5s >out
	[ "$(jq -r .result out | tr '\n' ' ')" = "k1 k2 " ]
	sanitized || awk '{ print; exit !($1 + $2 < 0.5) }' took
}

# Many

# mutants COUNT [OPTION=VALUE]...: so many tasks at such a server in ./in, which
# is 16 instances, lest one that says it is busy holds up all.
mutants() {
	hostile mutant "${@:2}"
	for i in $(seq "$1"); do line "m$i" "$port"; done |
		awk '{ sub(/"p[0-9]+"/, "\"p" (NR % 16) "\""); print }' >in
}

# each_once COUNT: that many lines came out, no id twice, and no task has the
# result of another one.
each_once() {
	[ "$(wc -l <out)" -eq "$1" ]
	[ "$(jq -r .id out | sort -u | wc -l)" -eq "$1" ]
	jq -c 'select(.result == ([.result[0]?] | . + . + .)) | select(.id != .result[0])' out >foreign
	[ ! -s foreign ] || { cat foreign; return 1; }
}

@test "300 random mutations of an answer at once: each task ends in time" {
	mutants 300 seed=1
	timeout=3
	memory=$((512 * 1024))
	call -j 300
	each_once 300
}

@test "300 random mutations over kept connections: none gets another one's answer" {
	mutants 300 seed=2 then=keep
	status=0
	timeout -k 1 60 svc-call -q -j 16 -T 0.3s <in >out || status=$?
	((status <= 1))
	each_once 300
	grep -q '"result":\["m' out
}

# joins ID MODE [OPTION=VALUE]...: such a server becomes an instance of w.
joins() {
	up "${@:2}"
	svc-register -i "$1" -c slots=8 w "127.0.0.1:$port" >/dev/null
}

@test "among hostile instances and two good ones every line comes out once" {
	joins silent hostile_server silent
	joins drip hostile_server drip head="$ok" text='X: y\r\n'
	joins reset hostile_server raw then=reset
	joins flood hostile_server flood head="$ok" text='X: y\r\n'
	joins garbage hostile_server raw answer="$ok$chunked\r\nx\r\n"
	joins good1 http_server echo
	joins good2 http_server echo
	status=0
	seq 1000 | timeout -k 1 60 svc-call -q -j 32 -T 2s --idempotent --retries 5 w >out || status=$?
	((status <= 1))
	[ "$(wc -l <out)" -eq 1000 ]
	[ "$(jq .task out | sort -n | cmp - <(seq 1000))" = "" ]
	[ "$(jq 'select(has("result") and .result != .task)' out)" = "" ]
	(($(grep -c '"status":200' out) > 900)) || { jq -r '.error.code // "ok"' out | sort | uniq -c; return 1; }
}

# Words

# wording CODE MESSAGE: that is how the task to $target ends.
wording() {
	run --separate-stderr timeout 10 svc-call -q -T 0.5s --retries 0 <<<"{\"id\":\"t\",\"task\":1,\"instance\":{\"service\":\"w\",\"id\":\"a\",\"address\":\"$target\",\"slots\":1}}"
	is 1
	message=$(jq -r '"\(.error.code) \(.error.message)"' <<<"$output")
	# What waits says for how long it did.
	[ "${message% (given up*}" = "$1 w/a: $2" ] || { echo "$message" >&2; return 1; }
}

@test "what went wrong is said in words of our own" {
	hostile reset-accept
	target="http+unix://$PWD/nothing.sock:/"
	wording unreachable "no socket at '$PWD/nothing.sock'"
	# No server of names is asked: a label has 63 characters at most.
	nowhere=$(printf 'x%.0s' {1..64}).invalid
	target=http://$nowhere/
	wording unreachable "could not resolve '$nowhere'"
	up http_server silent
	target=http://127.0.0.1:$port/
	wording timeout 'no answer within 500ms'
	hostile raw then=reset
	target=http://127.0.0.1:$port/
	wording reset 'the server reset the connection'
	hostile raw then=close
	target=http://127.0.0.1:$port/
	wording reset 'the server closed the connection without an answer'
}

@test "what is wrong with an answer or with TLS is said in words of our own" {
	hostile raw then=close answer="${ok}Content-Length: 9\r\n\r\n1"
	target=http://127.0.0.1:$port/
	wording reset 'the answer is cut short'
	hostile early answer='HTTP/1.1 400 Bad\r\n\r\n'
	target=https://127.0.0.1:$port/
	wording tls 'TLS failed: wrong version number'
	hostile raw answer="${ok}Transfer-Encoding: chunked\r\n\r\nzz\r\n"
	target=http://127.0.0.1:$port/
	wording bad-response "the answer's chunks are broken"
	hostile raw answer='SSH-2.0-OpenSSH_9.2\r\n' then=close
	target=http://127.0.0.1:$port/
	wording bad-response 'the answer is not HTTP/1.1 or HTTP/2'
}
