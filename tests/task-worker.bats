# task-worker(8): a command as a service.
# shellcheck shell=bash disable=SC2016,SC2154

bats_require_minimum_version 1.5.0
load lib/common

# TERM and INT together end a worker at once; TERM alone takes a second.
teardown() {
	local pid
	for pid in "${started[@]}"; do
		kill -TERM "$pid" 2>/dev/null || continue
		kill -INT "$pid" 2>/dev/null || :
		wait_gone "$pid" 10 || kill -9 "$pid"
	done
}

# serve ARGUMENT...: a worker; its url, base and port, and its pid in $worker.
serve() {
	rm -f worker.out
	start env --default-signal=INT task-worker "$@" >worker.out 2>worker.err 7>&-
	worker=$pid
	until_true 10 test -s worker.out || { cat worker.err; return 1; }
	url=$(jq -r .address worker.out)
	base=${url%/task}
	port=${base##*:}
}

# post CURL-ARGUMENT...: $status is curl's, $code and $type the answer's; ./body.
post() {
	run curl -sS --max-time 20 -o body -w '%{http_code} %{content_type}' "$@" "$url"
	code=${output%% *} type=${output#* }
	[ "$status" -eq 0 ] || { echo "curl: $output"; return 1; }
}

# later FILE CURL-ARGUMENT...: a task in the background, its answer in FILE; it
# has been sent when this returns.
later() {
	local file=$1
	shift
	start curl -sS --max-time 20 --trace-ascii "$file.trace" -o "$file.body" \
	    -w '%{http_code}' "$@" "$url" >"$file" 2>"$file.err" 7>&-
	until_true 10 grep -q '=> Send data' "$file.trace"
}

# raw BYTES: what the worker says, until it closes.
raw() {
	exec 5<>"/dev/tcp/127.0.0.1/$port"
	printf '%b' "$1" >&5
	timeout 10 cat <&5
	exec 5>&-
}

health() {
	curl -sS "$base/health"
}

busy_is() {
	[ "$(health | jq .busy)" -eq "$1" ]
}

descriptors() {
	find "/proc/$worker/fd" -mindepth 1 | wc -l
}

# ends_with STATUS: the worker ends so.
ends_with() {
	local got=0
	wait "$worker" || got=$?
	[ "$got" -eq "$1" ]
}

# A gate: commands that run `flock -s gate true` wait until it opens.
shut_gate() {
	exec 7>gate
	flock 7
}

open_gate() {
	exec 7>&-
}

@test "the body is the command's input and its output the answer" {
	serve -- tr a b
	post -d '{"a":[1,2]}'
	[ "$code" -eq 200 ]
	[ "$type" = application/json ]
	[ "$(cat body)" = '{"b":[1,2]}' ]
}

@test "no output is an empty answer of JSON type" {
	serve -- true
	post -d 1
	[ "$code" -eq 200 ]
	[ "$type" = application/json ]
	[ ! -s body ]
}

@test "output of nothing but space is an empty answer" {
	serve -- echo
	post -d 1
	[ "$code" -eq 200 ]
	[ ! -s body ]
}

@test "an empty body is an empty input" {
	serve -- wc -c
	post -X POST
	[ "$code" -eq 200 ]
	[ "$(cat body)" = 0 ]
}

@test "output that is not JSON is 500 and says how to send text" {
	serve -- echo hello
	post -d 1
	[ "$code" -eq 500 ]
	[ "$type" = application/problem+json ]
	jq -e '.status == 500 and .title and (.detail | test("-L"))' body
}

@test "with -L the answer is text in UTF-8" {
	serve -L -- printf 'gr\303\274n\n'
	post -d 1
	[ "$code" -eq 200 ]
	[ "$type" = "text/plain; charset=utf-8" ]
	[ "$(cat body)" = grün ]
}

@test "with -L output that is not UTF-8 is 500" {
	serve -L -- printf '\377'
	post -d 1
	[ "$code" -eq 500 ]
	jq -e '.detail | test("UTF-8")' body
}

@test "a command that fails is 500 with its status and what it complained of" {
	serve -- sh -c 'echo "no such page" >&2; echo 1; exit 3'
	post -d 1
	[ "$code" -eq 500 ]
	[ "$type" = application/problem+json ]
	jq -e '.exit == 3 and .stderr == "no such page\n" and
	    (has("signal") | not)' body
}

@test "a command that is killed is 500 with the signal" {
	serve -- sh -c 'kill -SEGV $$'
	post -d 1
	[ "$code" -eq 500 ]
	jq -e '.signal == "SEGV" and (has("exit") | not)' body
}

@test "the last 4 KiB of the complaints are told" {
	serve -- sh -c 'seq 5000 >&2; exit 1'
	post -d 1
	jq -j .stderr body >last
	[ "$(stat -c %s last)" -eq 4096 ]
	cmp last <(seq 5000 | tail -c 4096)
}

@test "complaints reach the worker's standard error, but not with -q" {
	serve -- sh -c 'echo careful >&2'
	post -d 1
	grep -x careful worker.err
	serve -q -- sh -c 'echo careful >&2'
	post -d 1
	[ "$code" -eq 200 ]
	[ ! -s worker.err ]
}

@test "the command gets default signals" {
	serve -L -- grep -E '^Sig(Ign|Blk)' /proc/self/status
	post -d 1
	# 32 and 33 are the C library's own, and may be inherited ignored.
	while read -r _ set; do
		[ $((0x$set & 0x7fffffff)) -eq 0 ]
	done <body
}

@test "8 MiB go in and out unchanged" {
	{ printf '"'; head -c 8388606 /dev/zero | tr '\0' x; printf '"'; } >large
	serve -- cat
	post --data-binary @large
	[ "$code" -eq 200 ]
	cmp large body
	post -H 'Transfer-Encoding: chunked' --data-binary @large
	[ "$code" -eq 200 ]
	cmp large body
}

@test "a command need not read its input" {
	head -c 8000000 /dev/zero | tr '\0' 1 >large
	serve -- sh -c 'exec <&-; echo 7'
	post --data-binary @large
	[ "$code" -eq 200 ]
	[ "$(cat body)" = 7 ]
}

@test "an exit status is seen although SIGCHLD was ignored by who started it" {
	needs python3
	start python3 -c 'import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.execvp(sys.argv[1], sys.argv[1:])' task-worker -- sh -c 'exit 3' >worker.out
	until_true 10 test -s worker.out
	url=$(jq -r .address worker.out)
	post -d 1
	[ "$code" -eq 500 ]
	[ "$(jq .exit body)" -eq 3 ]
}

@test "more output than --max-result is 500 and ends the command" {
	serve --max-result 64K -- sh -c 'echo $$ >pid; exec yes'
	post -d 1
	[ "$code" -eq 500 ]
	jq -e '.detail | test("too large")' body
	wait_gone "$(cat pid)" 10
}

@test "health is told in JSON" {
	serve -j 4 -- true
	run curl -sS -w '%{http_code} %{content_type}' "$base/health"
	is 0
	[ "${lines[0]}" = '{"status":"passing","slots":4,"busy":0,"utilization":0}' ]
	[ "${lines[1]}" = "200 application/json" ]
}

@test "a running task is seen in the health" {
	shut_gate
	serve -j 4 -- sh -c 'flock -s gate true; echo 1'
	later one -d 1
	until_true 10 busy_is 1
	[ "$(health)" = '{"status":"passing","slots":4,"busy":1,"utilization":0.25}' ]
	open_gate
	until_true 10 busy_is 0
}

@test "four slots run four tasks at once, and a fifth waits" {
	shut_gate
	serve -j 4 -- sh -c 'touch in.$$; flock -s gate true; echo 1'
	for i in 1 2 3 4 5; do later "$i" -d 1; done
	until_true 10 eval '[ "$(find . -name "in.*" | wc -l)" -eq 4 ]'
	until_true 10 busy_is 4
	[ "$(find . -name 'in.*' | wc -l)" -eq 4 ]
	open_gate
	for i in 1 2 3 4 5; do until_true 10 grep -qx 200 "$i"; done
	[ "$(find . -name 'in.*' | wc -l)" -eq 5 ]
}

@test "beyond slots and backlog it is 503 with Retry-After" {
	shut_gate
	serve -j 1 --backlog 0 -- sh -c 'flock -s gate true; echo 1'
	later one -d 1
	until_true 10 busy_is 1
	post -d 1 -D head
	[ "$code" -eq 503 ]
	[ "$type" = application/problem+json ]
	grep -i '^Retry-After: 1.$' head
	open_gate
	until_true 10 grep -qx 200 one
}

@test "Retry-After follows from the tasks' time and the queue" {
	serve -j 1 --backlog 1 -- sh -c 'sleep 1.1; flock -s gate true; echo 1'
	post -d 1
	shut_gate
	later one -d 1
	later two -d 1
	post -d 1 -D head
	[ "$code" -eq 503 ]
	grep -i '^Retry-After: [3-9].$' head
	open_gate
}

@test "-T is 504 and ends the command's whole process group" {
	serve -T 200ms -- sh -c 'sleep 1000 & echo $! >grandchild; echo $$ >child; wait'
	post -d 1
	[ "$code" -eq 504 ]
	[ "$type" = application/problem+json ]
	wait_gone "$(cat child)" 10
	wait_gone "$(cat grandchild)" 10
	until_true 10 busy_is 0
}

@test "a command that ignores TERM is killed" {
	serve -T 100ms -- sh -c 'trap "" TERM; echo $$ >child; while :; do sleep 1000; done'
	post -d 1
	[ "$code" -eq 504 ]
	wait_gone "$(cat child)" 10
	until_true 10 busy_is 0
}

@test "Svc-Deadline ends a task, and is told to it" {
	serve -- sh -c 'echo "$SVC_DEADLINE" >deadline; sleep 1000'
	at=$(date -u -d '+2 seconds' +%Y-%m-%dT%H:%M:%S.%3NZ)
	post -d 1 -H "Svc-Deadline: $at"
	[ "$code" -eq 504 ]
	[ "$(cat deadline)" = "$at" ]
}

@test "a task whose deadline has passed is 504 and not run" {
	serve -- touch ran
	post -d 1 -H 'Svc-Deadline: 2020-01-01T00:00:00Z'
	[ "$code" -eq 504 ]
	[ ! -e ran ]
}

@test "a Svc-Deadline that is no time is 400 and not run" {
	serve -- touch ran
	for time in now +5m 17 tomorow; do
		post -d 1 -H "Svc-Deadline: $time"
		[ "$code" -eq 400 ]
	done
	jq -e '.detail | test("tomorow")' body
	[ ! -e ran ]
}

@test "a deadline that passes in the queue is 504 without a run" {
	shut_gate
	serve -j 1 --backlog 1 -- sh -c 'echo x >>ran; flock -s gate true'
	later one -d 1
	until_true 10 busy_is 1
	post -d 1 -H "Svc-Deadline: $(date -u -d '+1 second' +%Y-%m-%dT%H:%M:%SZ)"
	[ "$code" -eq 504 ]
	open_gate
	until_true 10 busy_is 0
	[ "$(wc -l <ran)" -eq 1 ]
}

@test "a client that goes away ends its task" {
	serve -- sh -c 'echo $$ >child; sleep 1000'
	later one -d 1
	until_true 10 test -s child
	kill "$pid"
	wait_gone "$(cat child)" 10
	until_true 10 busy_is 0
}

@test "a client that goes away while it waits is never run" {
	shut_gate
	serve -j 1 --backlog 1 -- sh -c 'cat >>ran; flock -s gate true'
	later one -d 1
	until_true 10 busy_is 1
	later two -d 2
	post -d 3
	[ "$code" -eq 503 ]
	kill "$pid"
	wait_gone "$pid" 10
	later three -d 4
	open_gate
	until_true 10 grep -qx 200 three
	[ "$(cat ran)" = 14 ]
}

@test "what a command leaves behind is ended and holds no slot" {
	serve -- sh -c 'sleep 1000 & echo $! >left; echo 1'
	post -d 1
	[ "$code" -eq 200 ]
	wait_gone "$(cat left)" 10
	busy_is 0
}

@test "a body beyond --max-task is 413, announced or in chunks" {
	head -c 100000 /dev/zero | tr '\0' 1 >large
	serve --max-task 64K -- touch ran
	post --data-binary @large
	[ "$code" -eq 413 ]
	[ "$type" = application/problem+json ]
	post --data-binary @large -H 'Transfer-Encoding: chunked'
	[ "$code" -eq 413 ]
	post --data-binary @large -H 'Expect: 100-continue'
	[ "$code" -eq 413 ]
	[ ! -e ran ]
}

@test "100-continue is answered" {
	serve -- wc -c
	exec 5<>"/dev/tcp/127.0.0.1/$port"
	printf 'POST /task HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r
Content-Length: 3\r\nConnection: close\r\n\r\n' >&5
	read -rt 10 -u 5 line
	[ "$line" = $'HTTP/1.1 100 Continue\r' ]
	printf '123' >&5
	run timeout 10 cat <&5
	says "HTTP/1.1 200 OK"
	[ "${lines[-1]}" = 3 ]
}

@test "other paths are 404, other methods 405 with what is allowed" {
	serve -- true
	run curl -sS -o /dev/null -w '%{http_code}' "$base/tasks"
	[ "$output" = 404 ]
	run curl -sS -o /dev/null -w '%{http_code}' --path-as-is -d 1 "$base//task"
	[ "$output" = 404 ]
	run curl -sS -D - -o /dev/null "$url"
	says "405 Method Not Allowed"
	says "Allow: POST"
	run curl -sS -D - -o /dev/null -X DELETE "$base/health"
	says "Allow: GET, HEAD"
}

@test "a method that nobody knows is 501, a strange version 505" {
	serve -- true
	run raw 'BREW /task HTTP/1.1\r\nHost: x\r\n\r\n'
	says "HTTP/1.1 501 "
	run raw 'GET /health HTTP/3.0\r\nHost: x\r\n\r\n'
	says "HTTP/1.1 505 "
}

@test "what two readers could read in two ways is 400 and the end" {
	serve -- sh -c 'cat >>ran; echo 1'
	smuggled='POST /task HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nbad'
	while read -r header; do
		run raw "POST /task HTTP/1.1\r\n$header\r\n\r\n$smuggled"
		[ "$(grep -c '^HTTP/1' <<<"$output")" -eq 1 ] || { echo "$header: $output"; return 1; }
		case $output in 'HTTP/1.1 400 '*) ;; *) echo "$header: $output"; return 1 ;; esac
	done <"$BATS_TEST_DIRNAME/lib/ambiguous-headers"
	[ ! -e ran ]
}

@test "bad chunks are 400 and the end" {
	serve -- sh -c 'cat >>ran; echo 1'
	for chunks in '0x1\r\na\r\n0\r\n\r\n' '1;x=y\r\na\r\n0\r\n\r\n' ' 1\r\na\r\n0\r\n\r\n' \
	    '1\r\nab\r\n0\r\n\r\n' '-1\r\na\r\n0\r\n\r\n' '\r\na\r\n0\r\n\r\n' '1\na\n0\n\n\r\n'; do
		run raw "POST /task HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n$chunks"
		case $output in 'HTTP/1.1 400 '*) ;; *) echo "$chunks: $output"; return 1 ;; esac
	done
	[ ! -e ran ]
}

@test "a header that is too large is 431" {
	serve -- true
	run curl -sS -o /dev/null -w '%{http_code}' -H "X: $(printf '%020000d' 0)" "$base/health"
	[ "$output" = 431 ]
}

@test "pipelined requests are answered one after the other" {
	serve -j 1 --backlog 0 -- cat
	one='POST /task HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n'
	run raw "${one}1${one}2POST /task HTTP/1.1\r\nHost: x\r\nConnection: close\r
Content-Length: 1\r\n\r\n3"
	[ "$(grep -c '200 OK' <<<"$output")" -eq 3 ]
	# The bodies have no newline: the next answer follows in the same line.
	[ "$(grep -ao '[123]\(HTTP\|$\)' <<<"$output" | tr -d 'HTP\n')" = 123 ]
}

@test "chunked and empty-line oddities that are allowed work" {
	serve -- cat
	run raw '\r\nPOST http://x/task HTTP/1.1\r\nhost:x\r\ntransfer-encoding: Chunked\r
Connection: close\r\n\r\n1\r\n4\r\n001\r\n2\r\n0\r\nTrailer: x\r\n\r\n'
	says "HTTP/1.1 200 OK"
	[ "${lines[-1]}" = 42 ]
}

@test "one connection serves many requests" {
	serve -- cat
	args=()
	for i in $(seq 20); do args+=(-o "out.$i" -d "$i" "$url" --next); done
	run curl -sS -v "${args[@]}" -d 21 "$url"
	is 0
	[ "$(grep -c 'Re-using existing connection' <<<"$output")" -eq 20 ]
	[ "$(cat out.20)" = 20 ]
}

@test "the command is told who it is and which task it has" {
	serve -i one echo -- sh -c 'printf "[\"%s\",\"%s\",\"%s\",\"%s\",\"%s\"]" \
	    "$SVC_NAME" "$SVC_ID" "$SVC_ADDRESS" "$PORT" "$SVC_TASK_ID"'
	post -d 1 -H 'Idempotency-Key: t-17'
	[ "$(cat body)" = "[\"echo\",\"one\",\"$url\",\"$port\",\"t-17\"]" ]
}

@test "an Idempotency-Key that is no name is not handed on" {
	export SVC_TASK_ID=outer SVC_DEADLINE=outer
	serve -L -- sh -c 'echo "${SVC_TASK_ID-none} ${SVC_DEADLINE-none}"'
	for key in '../../etc' 'a b' '$(id)' ''; do
		post -d 1 -H "Idempotency-Key: $key"
		[ "$(cat body)" = "none none" ]
	done
}

@test "NAME registers an instance with its real address" {
	serve -j 3 -i one -l zone=eu -c cpu=8 -u 0.5 --meta a=b --accepts text/csv \
	    --produces application/json count -- wc -l
	run svc-discover count
	is 0
	jq -e --arg url "$url" '.service == "count" and .id == "one" and .address == $url and
	    .lease == "lock" and .capacity == {slots: 3, cpu: 8} and .labels.zone == "eu" and
	    .utilization == 0.5 and .meta.a == "b" and .accepts == "text/csv" and
	    .produces == "application/json"' <<<"$output"
}

@test "the record has a check, so that who probes learns of its load" {
	serve count -- wc -l
	[ "$(svc-discover count | jq -c '[.status, .check.http]')" = '["passing","/health"]' ]
}

# load_is CONDITION: whether its load has been reported, and is so.
load_is() {
	svc-discover count | jq -e "select(.reported and (.utilization | $1))"
}

@test "the slots that are busy are reported as its load" {
	shut_gate
	serve -j 2 count -- sh -c 'flock -s gate true; echo 1'
	later one --max-time 60 -d 1
	until_true 20 load_is '. > 0.3 and . <= 0.5'
	open_gate
	until_true 20 load_is '. == 0'
}

@test "the id follows from the port that was free" {
	serve count -- wc -l
	[ "$(jq -r .id worker.out)" = "127.0.0.1-$port" ]
	[ "$port" -gt 0 ]
	[ -s "$SVC_REGISTRY/services/count/127.0.0.1-$port.json" ]
}

@test "without NAME nothing is registered and the address is printed" {
	serve -- wc -l
	jq -e '.address and (has("service") | not)' worker.out
	[ ! -e "$SVC_REGISTRY/services" ]
}

@test "an id that a living worker holds is 75" {
	serve -i one count -- true
	run timeout 10 task-worker -i one count -- true
	is 75
}

@test "a killed worker is gone from the registry and so are its children" {
	serve -j 2 count -- sh -c 'echo $$ >child; exec sleep 1000'
	later one -d 1
	until_true 10 test -s child
	kill -9 "$worker"
	wait_gone "$(cat child)" 10
	run svc-discover count
	is 1
}

@test "TERM deregisters, refuses newcomers, finishes, and exits 0" {
	shut_gate
	serve -j 2 count -- sh -c 'flock -s gate true; echo 5'
	later one -d 1
	until_true 10 busy_is 1
	kill "$worker"
	until_true 10 eval '[ "$(health | jq -r .status)" = draining ]'
	run svc-discover count
	is 1
	post -d 1 -D head
	[ "$code" -eq 503 ]
	grep -i '^Connection: close' head
	open_gate
	ends_with 0
	[ "$(cat one)$(cat one.body)" = 2005 ]
}

@test "a draining worker is not healthy, and waits a second more" {
	serve -- true
	began=$(date +%s%N)
	kill "$worker"
	until_true 10 eval '[ "$(health | jq -r .status)" = draining ]'
	run curl -sS -o /dev/null -w '%{http_code}' "$base/health"
	[ "$output" = 503 ]
	ends_with 0
	[ $(($(date +%s%N) - began)) -ge 1000000000 ]
}

@test "a second TERM ends everything at once" {
	serve -- sh -c 'echo $$ >child; sleep 1000'
	later one -d 1
	until_true 10 test -s child
	kill "$worker"
	until_true 10 eval '[ "$(health | jq -r .status)" = draining ]'
	kill "$worker"
	ends_with 0
	wait_gone "$(cat child)" 10
}

@test "INT ends it in good order and as INT" {
	serve count -- true
	kill -INT "$worker"
	ends_with 130
	run svc-discover count
	is 1
}

@test "an address that others reach needs --public" {
	run timeout 10 task-worker -b 0.0.0.0:0 -- true
	is 64
	says "others reach"
	serve --public -b 0.0.0.0:0 -- true
	[ "$(curl -sS "http://127.0.0.1:$port/health" | jq -r .status)" = passing ]
}

@test "IPv6 loopback works" {
	[ -e /proc/net/if_inet6 ] && grep -q ' lo$' /proc/net/if_inet6 || skip "no IPv6"
	serve -b '[::1]:0' -- cat
	post -g -d 6
	[ "$(cat body)" = 6 ]
}

@test "a port that is taken is 69" {
	serve -- true
	run timeout 10 task-worker -b "127.0.0.1:$port" -- true
	is 69
	says "127.0.0.1:$port"
}

@test "a command line that makes no sense is 64" {
	for words in '' 'count' 'count true' '-j 0 -- true' '-b 80 -- true' '-b ::1:80 -- true' \
	    '-c slots=3 count -- true' '-i x -- true' '../x -- true' '-T soon -- true' \
	    '--max-task 0 -- true' '-u -1 count -- true' '--backlog -1 -- true'; do
		# shellcheck disable=SC2086
		run timeout 10 task-worker $words
		is 64
	done
}

@test "a command that is not there is 127, one that cannot be run 126" {
	run -127 timeout 10 task-worker count -- ./nothing
	run -127 timeout 10 task-worker --lines count -- nothing-of-that-name
	touch plain
	run timeout 10 task-worker count -- ./plain
	is 126
	[ ! -e "$SVC_REGISTRY/services" ]
}

@test "descriptors and children are given back" {
	serve -j 4 --backlog 300 -- cat
	post -d 1
	before=$(descriptors)
	seq 200 | xargs -P 8 -I N curl -sS -o /dev/null -d N "$url"
	seq 50 | xargs -P 8 -I N timeout -s KILL 0.01 curl -sS -o /dev/null -d N "$url" || :
	until_true 10 busy_is 0
	until_true 10 eval '[ "$(descriptors)" -le '"$before"' ]'
	[ -z "$(ps -o pid= --ppid "$worker")" ]
	post -d 1
	[ "$code" -eq 200 ]
}

@test "clients that reset in the middle of an answer harm nobody" {
	head -c 4000000 /dev/zero | tr '\0' 1 >large
	serve -j 4 --backlog 20 -- cat large
	for _ in $(seq 20); do
		exec 5<>"/dev/tcp/127.0.0.1/$port"
		printf 'POST /task HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n1' >&5
		read -rn 5 -u 5 answer
		exec 5>&-
		[ "$answer" = HTTP/ ]
	done
	post -d 1
	cmp large body
}

@test "--lines: a copy stays and answers line by line" {
	serve --lines -- sh -c 'while read -r line; do echo "[$$,$line]"; done'
	post -d '{"a": 1}'
	first=$(jq '.[0]' body)
	post -d 2
	[ "$code $type" = "200 application/json" ]
	[ "$(cat body)" = "[$first,2]" ]
}

@test "--lines: line breaks in a task become spaces" {
	serve --lines -- sed -u 's/a/b/'
	post --data-binary $'{"a":\r\n1}\n'
	[ "$code" -eq 200 ]
	[ "$(head -c 8 body)" = '{"b":  1' ]
}

@test "--lines: a body that is not JSON is 400" {
	serve --lines -- cat
	for bad in '{"a":1' 'hello' '1 2' ''; do
		post -d "$bad"
		[ "$code" -eq 400 ]
	done
	post -d 1
	[ "$code" -eq 200 ]
}

@test "--lines: SLOTS copies work at once" {
	shut_gate
	serve -j 3 --lines -- sh -c 'while read -r n; do touch in.$$; flock -s gate true; echo $n; done'
	for i in 1 2 3; do later "$i" -d "$i"; done
	until_true 10 eval '[ "$(find . -name "in.*" | wc -l)" -eq 3 ]'
	busy_is 3
	open_gate
	for i in 1 2 3; do until_true 10 grep -qx 200 "$i"; [ "$(cat "$i.body")" = "$i" ]; done
}

@test "--lines: a copy that dies is 500 for its task and started again" {
	serve --lines -- sh -c 'read -r n; [ $n = 1 ] && { echo gone >&2; exit 9; }; echo $n'
	post -d 1
	[ "$code" -eq 500 ]
	jq -e '.exit == 9 and .stderr == "gone\n"' body
	post -d 2
	[ "$code $(cat body)" = "200 2" ]
}

@test "--lines: a line too many is 500 and a new copy" {
	serve --lines -- sh -c 'while read -r n; do printf "%s\n$$\n" $n; read -r n; done'
	post -d 1
	[ "$code" -eq 500 ]
	jq -e '.detail | test("more than a line")' body
	busy_is 0 || until_true 10 busy_is 0
}

@test "--lines: output that nobody asked for is not the next task's answer" {
	serve --lines -- sh -c '[ -e once ] || { touch once; echo 99; }; exec sed -u s/a/b/'
	until_true 10 test -e once
	until_true 10 grep -q "without a task" worker.err
	post -d 1
	[ "$code $(cat body)" = "200 1" ]
}

# ask BODY: a task of one byte on descriptor 5; heard: its answer's first one.
ask() {
	printf 'POST /task HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n%s' "$1" >request
	cat request >&5 # in one write(2): bash makes one of each line
}

heard() {
	local line
	while read -rt 10 -u 5 line; do
		[ "$line" != $'\r' ] || break
	done
	read -rt 10 -n 1 -u 5 line
	echo "$line"
}

@test "--lines: a line that lies there before the task is not its answer" {
	shut_gate
	serve --lines -- sh -c 'if [ ! -e did ]; then { flock -s gate true; echo 99; touch did; } & fi
	    while read -r n; do echo $n; done'
	exec 5<>"/dev/tcp/127.0.0.1/$port"
	ask 1
	[ "$(heard)" = 1 ]
	until_true 10 busy_is 0
	kill -STOP "$worker"
	until_true 10 grep -q '^State:.T' "/proc/$worker/status"
	ask 2
	open_gate
	until_true 10 test -e did
	kill -CONT "$worker"
	[ "$(heard)" = 2 ]
}

@test "--lines: an answer that comes too late is nobody's" {
	shut_gate
	serve -T 300ms --lines -- sh -c 'trap "" TERM
	    while read -r n; do [ $n = 1 ] && flock -s gate true; echo $n; touch said.$n; done'
	post -d 1
	[ "$code" -eq 504 ]
	later two -d 2
	open_gate
	until_true 10 test -e said.1
	until_true 10 grep -qx 200 two
	[ "$(cat two.body)" = 2 ]
}

@test "--lines: half a line and death is 500" {
	serve --lines -- sh -c 'read -r n; [ $n = 1 ] && { printf "{\"a\":"; exit; }; echo $n'
	post -d 1
	[ "$code" -eq 500 ]
	jq -e .exit==0 body
	post -d 2
	[ "$code $(cat body)" = "200 2" ]
}

@test "--lines: a line beyond --max-result is 500 and a new copy" {
	serve --max-result 64K --lines -- sh -c 'read -r n; [ $n = 1 ] && exec yes 1 | tr -d "\\n"; echo $n'
	post -d 1
	[ "$code" -eq 500 ]
	jq -e '.detail | test("too large")' body
	post -d 2
	[ "$code $(cat body)" = "200 2" ]
}

@test "--lines: -T is 504 and a new copy" {
	serve -T 1s --lines -- sh -c 'while read -r n; do [ $n = 1 ] && sleep 1000; echo $n; done'
	post -d 1
	[ "$code" -eq 504 ]
	post -d 2
	[ "$code $(cat body)" = "200 2" ]
}

@test "--lines: a client that goes away gets a new copy for the next one" {
	serve --lines -- sh -c 'echo $$ >>pids; while read -r n; do [ $n = 1 ] && { touch in; sleep 1000; }; echo $n; done'
	later one -d 1
	until_true 10 test -e in
	kill "$pid"
	wait_gone "$(head -n 1 pids)" 10
	post -d 2
	[ "$code $(cat body)" = "200 2" ]
}

@test "--lines -L: a line of text is the answer" {
	serve --lines -L -- sh -c 'while read -r n; do echo "n is $n"; done'
	post -d '"x"'
	[ "$type" = "text/plain; charset=utf-8" ]
	[ "$(cat body)" = 'n is "x"' ]
}

@test "--lines: a copy that dies at once does not spin" {
	serve --lines -- sh -c 'echo x >>starts; exit 1'
	until_true 10 eval '[ "$(wc -l <starts)" -ge 4 ]'
	# The pauses double from 0.1 s: the fifth start is 1.5 s after the first.
	[ "$(wc -l <starts)" -le 5 ]
}

@test "--lines: without a living copy the health is critical" {
	serve --lines -- sh -c 'exit 1'
	until_true 10 eval '[ "$(health | jq -r .status)" = critical ]'
	until_true 10 eval '[ "$(curl -s -o /dev/null -w "%{http_code}" "$base/health")" = 503 ]'
}

@test "--lines: 8 MiB go in and out unchanged" {
	{ printf '"'; head -c 8388606 /dev/zero | tr '\0' x; printf '"'; } >large
	serve --lines -- sed -u 's/^//'
	post --data-binary @large
	[ "$code" -eq 200 ]
	cmp large body
}

@test "a refusal names the long option, and what would be right" {
	run task-worker -b 0.0.0.0:0 -- cat
	is 64
	says "--bind: an address that others reach: '0.0.0.0:0' (--public allows it)"
	run task-worker -c cpu=x w -- cat
	is 64
	says "--capacity: cpu: not a quantity: 'x' (say 4"
	run task-worker w -j 2 -- cat
	is 64
	says "options come before NAME: '-j'"
}
