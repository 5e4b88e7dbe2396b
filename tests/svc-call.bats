#!/usr/bin/env bats
# lib/common sets top, pid and started; until_true evaluates what it is given.
# shellcheck disable=SC2154,SC2016,SC2030,SC2031
# svc-call(1): every sentence of DESIGN section 7 against real servers.

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

# instance ID PORT [SLOTS]: an instance line of the service w.
instance() {
	printf '{"service":"w","id":"%s","address":"http://127.0.0.1:%s/task","slots":%s}' \
		"$1" "$2" "${3:-4}"
}

# registered ID PORT [OPTION]...: the same in the registry.
registered() {
	local id=$1 at=$2
	shift 2
	svc-register -i "$id" "$@" w "127.0.0.1:$at" >/dev/null
}

# planned COUNT INSTANCE: task lines that came from task-schedule.
planned() {
	seq "$1" | sed "s|.*|{\"id\":\"t&\",\"task\":&,\"instance\":$2}|"
}

# codes FILE: the error codes in it, each once.
codes() {
	jq -r '.error.code // "ok"' "$1" | sort | uniq -c | sed 's/^ *//'
}

@test "a planned task runs where it was planned, without a registry" {
	serve echo log=log
	rmdir "$SVC_REGISTRY"
	planned 3 "$(instance a "$port")" >in
	run -0 --separate-stderr svc-call <in
	[ "${#lines[@]}" -eq 3 ]
	[ "$(sort log | tr '\n' ' ')" = "t1 t2 t3 " ]
	jq -e '.status == 200 and .attempts == 1 and .ms >= 0 and .result == .task and .instance.id == "a"' <<<"$output"
}

@test "the payload travels byte for byte, both ways" {
	serve echo
	registered a "$port"
	payload='{"b":1,"a":1e400,"n":9007199254740993,"a":"\u00e9"}'
	run -0 svc-call w <<<"$payload"
	says "\"task\":$payload,"
	says "\"result\":$payload}"
}

@test "what waits for other tasks, or needs their results, is refused and not sent" {
	serve echo log=log
	registered a "$port"
	run svc-call w <<-'EOF'
		{"id":"a","task":1,"after":["b"]}
		{"id":"b","task":[null],"bind":{"/0":"c"}}
		{"id":"c","task":2,"after":[],"when":"done","bind":{}}
		{"id":"d","task":3,"after":["c"],"when":"done","result":4}
	EOF
	is 65
	[ "$(sort log | tr '\n' ' ')" = 'c d ' ]
	says '"after":["b"],"error":{"code":"invalid"'
	says '"bind":{"/0":"c"},"error":{"code":"invalid"'
	says 'stdin:1: "after": it waits for other tasks'
	says 'stdin:2: "bind": it needs results of other tasks'
	says '{"id":"d","task":4,"instance"'
}

@test "-d sends one task to a service and reads no stdin" {
	serve echo log=log
	registered a "$port"
	run -0 svc-call -d '{"x": 1}' w < <(echo '{"y":2}')
	[ "${#lines[@]}" -eq 1 ]
	says '"result":{"x": 1}'
	[ "$(wc -l <log)" -eq 1 ]
}

@test "-d @FILE may have lines, and -d must be JSON unless -L makes it text" {
	serve echo
	registered a "$port"
	printf '{\n"x":\n1}\n' >task
	run -0 svc-call -o result -d @task w
	[ "$output" = '{ "x": 1}' ]
	run -0 svc-call -L -o result -d 'no "json"' w
	[ "$output" = '"no \"json\""' ]
	run svc-call -d 'no json' w
	is 64
	printf '\211PNG' >binary
	run svc-call -L -d @binary w
	is 65
	says 'not UTF-8'
	run svc-call -d @missing w
	is 66
}

@test "-d without NAME sends the task once to each instance on stdin" {
	serve echo log=log1
	one=$port
	serve echo log=log2
	(instance a "$one"; echo; instance b "$port"; echo; echo '{"no":1}') >in
	run svc-call -q -d '"ping"' <in
	is 65
	[ "${#lines[@]}" -eq 3 ]
	[ "$(wc -l <log1)" -eq 1 ] && [ "$(wc -l <log2)" -eq 1 ]
	says '"error":{"code":"invalid"'
}

@test "-d of a type that is not JSON sends the bytes, and says that on the line" {
	printf '\377\000' >x.png
	serve headers
	run -0 --separate-stderr svc-call -d @x.png -H 'Content-Type: image/png' <<<"$(instance a "$port")"
	[ "$(jq -r .task <<<"$output")" = /wA= ]
	[ "$(jq -r '.result | ."content-type" + " " + ."content-length"' <<<"$output")" = "image/png 2" ]
	serve status status=400
	registered a "$port"
	run --separate-stderr svc-call -d @x.png -H 'Content-Type: image/png' w
	is 1
	[ "$(jq -c '[.task,.encoding,.error.code]' <<<"$output")" = '["/wA=","base64","http"]' ]
}

@test "--retry sends the bytes of such a line again" {
	serve fail status=500 times=1
	registered a "$port"
	# Bytes that can come back as a result.
	printf '[1, 2]' >x.bin
	run --separate-stderr svc-call -d @x.bin -H 'Content-Type: application/x-bin' w
	is 1
	id=$(jq -r .id <<<"$output")
	run -0 --separate-stderr svc-call --retry w <<<"$output"
	[ "$(jq -c '[.id,.task,.result]' <<<"$output")" = '["'"$id"'","WzEsIDJd",[1,2]]' ]
}

@test "what a task in base64 is stays on its line, whatever its result is" {
	serve type type=image/png 'body=\xff\x00'
	registered a "$port"
	serve echo
	svc-register -i b v "127.0.0.1:$port" >/dev/null
	echo '{"id":"t1","task":"WzFd","encoding":"base64"}' >in
	run -0 --separate-stderr svc-call v <in
	[ "$(jq -c '[.task,.task_encoding,.encoding,.result]' <<<"$output")" = '["WzFd","base64",null,[1]]' ]
	# Sent again as what it was, and turned.
	run -0 svc-call -o result v < <(jq -c 'del(.result)' <<<"$output")
	[ "$output" = '[1]' ]
	run -0 --separate-stderr bash -c 'svc-call v <in | svc-call w'
	[ "$(jq -c '[.task,.task_encoding,.encoding,.result]' <<<"$output")" = '[[1],null,"base64","/wA="]' ]
	run -0 --separate-stderr bash -c 'svc-call w <in | svc-call -o result -n w'
	[ "$(jq -c '[.task,.task_encoding,.encoding,.bytes]' <<<"$output")" = '["/wA=",null,"base64",2]' ]
}

@test "under a text type a string is sent as its characters, with --retry, too" {
	serve fail status=500 times=2
	registered a "$port"
	# Characters that can come back as a result.
	run --separate-stderr svc-call -L -H 'Content-Type: text/plain' w <<<'[1, "2"]'
	is 1
	[ "$(jq -c '[.task,.encoding]' <<<"$output")" = '["[1, \"2\"]",null]' ]
	again=$output
	run --separate-stderr svc-call -L -H 'Content-Type: text/plain' -d '{}' w
	is 1
	run -0 --separate-stderr svc-call --retry -H 'content-type: Text/CSV; charset=utf-8' w <<<"$again"
	[ "$(jq -c '[.id == $id,.result]' --arg id "$(jq -r .id <<<"$again")" <<<"$output")" = '[true,[1,"2"]]' ]
	run -0 svc-call -o result -H 'content-type: text/plain' w <<<'{"task":"eyJhIjoxfQ==","encoding":"base64"}'
	[ "$output" = '{"a":1}' ]
}

@test "what is no text is invalid under a text type" {
	serve echo log=log
	registered a "$port"
	printf '%s\n' 5 '"7"' '{"task":"\ud800"}' >in
	run --separate-stderr svc-call -H 'Content-Type: text/plain' w <in
	is 65
	printf '%s\n' "${lines[@]}" >out
	[ "$(grep -c '"code":"invalid"' out) $(grep -c '"result":7' out)" = "2 1" ]
	[[ $stderr == *'stdin:1: "task": not a string, and the Content-Type says text'* ]]
	[[ $stderr == *'stdin:3: "task": half of a surrogate pair'* ]]
	run svc-call -L -H 'Content-Type: text/plain; charset=latin1' w <<<x
	is 65
	says 'the Content-Type says another charset'
	[ "$(wc -l <log)" -eq 1 ]
}

@test "results follow the Content-Type" {
	for row in 'application/json|{"a":\n1}|{"a": 1}' 'text/plain|a"b|"a\"b"' \
		'image/png|\x01\x02|"AQI="' '|[1]|[1]' 'text/csv||null' \
		'application/ld+json|7|7'; do
		IFS='|' read -r type body want <<<"$row"
		serve type "type=$type" "body=$body"
		run -0 svc-call -o result -d "$(instance a "$port")" <<<"$(instance a "$port")"
		[ "$output" = "$want" ] || { echo "$row: $output"; return 1; }
	done
}

@test "base64 results say so, and base64 tasks are sent as bytes" {
	serve type type=image/png 'body=\xff\x00'
	run -0 --separate-stderr svc-call -d 1 <<<"$(instance a "$port")"
	[ "$(jq -c '[.result,.encoding]' <<<"$output")" = '["/wA=","base64"]' ]
	serve headers
	planned 1 "$(instance a "$port")" |
		sed 's/"task":1/"task":"AQI=","encoding":"base64"/' >in
	run -0 --separate-stderr svc-call <in
	[ "$(jq -r '.result["content-type"]' <<<"$output")" = application/octet-stream ]
	[ "$(jq -r '.result["content-length"]' <<<"$output")" = 2 ]
}

@test "a 2xx answer that is no JSON is a bad response" {
	serve type type=application/json 'body={"a":'
	run --separate-stderr svc-call -d 1 <<<"$(instance a "$port")"
	is 1
	[ "$(jq -r .error.code <<<"$output")" = bad-response ]
	[ "$(jq -r .error.attempts <<<"$output")" = 1 ]
}

@test "a result over --max-result is too large, also when it is chunked" {
	serve huge size=3000000
	run --separate-stderr svc-call --max-result 1M -d 1 <<<"$(instance a "$port")"
	is 1
	[ "$(jq -r .error.code <<<"$output")" = too-large ]
	run -0 --separate-stderr svc-call --max-result 4M -o result -d 1 <<<"$(instance a "$port")"
	[ "${#output}" -eq 3000002 ]
}

@test "an answer cut short is a reset" {
	serve cut
	run --separate-stderr svc-call -d 1 <<<"$(instance a "$port")"
	is 1
	[ "$(jq -r .error.code <<<"$output")" = reset ]
}

@test "deadline, key and headers of the user go along" {
	serve headers
	planned 1 "$(instance a "$port")" >in
	run -0 --separate-stderr svc-call -T 10s -H 'X-One: 1' -H 'content-type: application/x-one' -o result <in
	[ "$(jq -r '."idempotency-key"' <<<"$output")" = t1 ]
	[ "$(jq -r '."x-one"' <<<"$output")" = 1 ]
	[ "$(jq -r '."content-type"' <<<"$output")" = application/x-one ]
	deadline=$(date -d "$(jq -r '."svc-deadline"' <<<"$output")" +%s)
	left=$((deadline - $(date +%s)))
	((left >= 3 && left <= 10))
}

@test "a trace context on the line is passed on, and one that is none is invalid" {
	serve headers
	context=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
	planned 1 "$(instance a "$port")" | sed "s/}$/,\"traceparent\":\"$context\"}/" >in
	run -0 --separate-stderr svc-call <in
	[ "$(jq -r '.result.traceparent + .traceparent' <<<"$output")" = "$context$context" ]
	run --separate-stderr svc-call < <(sed 's/-b7ad/-B7AD/' in)
	is 65
	[ "$(jq -r .error.code <<<"$output")" = invalid ]
	[[ $stderr == *'stdin:1: "traceparent": not a trace context (00-TRACE-PARENT-FLAGS'* ]]
}

@test "headers that would break the request are refused" {
	for header in 'Host: x' 'content-length: 1' 'Transfer-Encoding: x' 'no colon' \
		': x' 'a b: c' $'X: a\nY: b' $'X: a\rb' 'X:' 'Svc-Deadline: x'; do
		run svc-call -H "$header" -d 1 w
		is 64
	done
}

@test "an error of the server is an error line with what it said" {
	serve status status=404 body=gone
	run svc-call -d 1 <<<"$(instance a "$port")"
	is 1
	[ "$(jq -c '[.error.code,.error.status,.error.body,.error.attempts,.error.retryable]' <<<"$output")" = '["http",404,"gone",1,false]' ]
	says 'w/a: HTTP 404'
}

@test "500 is tried again only with --idempotent, and --retries says how often" {
	serve fail status=500 times=2 log=log
	run svc-call -d 1 <<<"$(instance a "$port")"
	is 1
	[ "$(wc -l <log)" -eq 1 ]
	run -0 svc-call --idempotent -d 1 <<<"$(instance a "$port")"
	says '"attempts":2'
	serve fail status=500 times=9 log=log2
	run svc-call --idempotent --retries 3 -d 1 <<<"$(instance a "$port")"
	is 1
	[ "$(wc -l <log2)" -eq 4 ]
}

@test "503 without Retry-After is a failure that may be tried again" {
	serve fail status=503 times=2 log=log
	run -0 svc-call -d 1 <<<"$(instance a "$port")"
	says '"attempts":3'
	serve status status=503 log=log3
	run svc-call --retries 1 -d 1 <<<"$(instance a "$port")"
	is 1
	[ "$(jq -r .error.code <<<"$output")" = http ]
	[ "$(wc -l <log3)" -eq 2 ]
}

@test "429 and 503 with Retry-After wait, and spend no retries" {
	for status in 429 503; do
		serve busy status=$status times=6 log=log.$status
		run -0 svc-call --retries 0 -d 1 <<<"$(instance a "$port")"
		says '"attempts":7'
	done
}

@test "Retry-After is waited for" {
	serve busy times=1 retry_after=1
	before=$(date +%s%N)
	run -0 svc-call -d 1 <<<"$(instance a "$port")"
	(($(date +%s%N) - before >= 950000000))
}

@test "a server that stays busy is busy at the end of the timeout" {
	serve status status=503 retry_after=1000000000
	run timeout 10 svc-call -T 0.5s -d 1 <<<"$(instance a "$port")"
	is 1
	[ "$(jq -r .error.code <<<"$output")" = busy ]
	[ "$(jq -r .error.status <<<"$output")" = 503 ]
}

@test "a refused connection waits until the timeout, then it is unreachable" {
	serve echo
	kill "$pid"
	wait_gone "$pid" 10
	run timeout 10 svc-call -T 0.5s -d 1 <<<"$(instance a "$port")"
	is 1
	[ "$(jq -r .error.code <<<"$output")" = unreachable ]
	says 'connection refused'
	says w/a
}

@test "a server that never answers is a timeout, within the task's own time" {
	serve silent
	planned 1 "$(instance a "$port")" | sed 's/"task"/"timeout":0.4,"task"/' >in
	run timeout 10 svc-call <in
	is 1
	[ "$(jq -r .error.code <<<"$output")" = timeout ]
}

@test "a deadline that has passed is not sent" {
	serve echo log=log
	planned 1 "$(instance a "$port")" |
		sed 's/"task"/"deadline":"2020-01-01T00:00:00Z","task"/' >in
	run --separate-stderr svc-call <in
	is 1
	[ "$(jq -r .error.code <<<"$output")" = deadline ]
	[ ! -e log ]
}

@test "a server that executes and closes has executed once" {
	for mode in close reset; do
		serve $mode log=log.$mode
		run --separate-stderr svc-call -d 1 <<<"$(instance a "$port")"
		is 1
		[ "$(jq -r .error.code <<<"$output")" = reset ]
		[ "$(wc -l <log.$mode)" -eq 1 ]
	done
}

@test "a kept connection that dies under a request is not used again for it" {
	serve close first=answer log=log
	planned 20 "$(instance a "$port" 1)" >in
	run svc-call -j 1 <in
	is 1
	[ "${#lines[@]}" -eq 20 ]
	[ -z "$(sort log | uniq -d)" ]
	[ "$(wc -l <log)" -eq 20 ]
	run -0 svc-call -j 1 --idempotent --retries 20 <in
	[ "${#lines[@]}" -eq 20 ]
}

@test "connections that the server closes lose no task and repeat none" {
	serve stale times=3 log=log
	planned 300 "$(instance a "$port" 8)" >in
	svc-call -j 8 <in >out || true
	[ "$(wc -l <out)" -eq 300 ]
	[ -z "$(sort log | uniq -d)" ]
	jq -r 'select(.error) | .error.code' <out | sort -u >failed
	[ ! -s failed ] || [ "$(cat failed)" = reset ]
	# Whatever is reported as done was done.
	jq -r 'select(.result) | .id' <out | sort >finished
	[ -z "$(comm -23 finished <(sort log))" ]
}

@test "no instance gets more requests than its slots" {
	serve echo slots=3 delay=0.02 log=log
	registered a "$port" -c slots=3
	run -0 svc-call -j 32 w < <(seq 60)
	[ "${#lines[@]}" -eq 60 ]
	run grep -c over log
	[ "$output" -eq 0 ]
}

@test "two callers that share an instance are both served" {
	serve echo slots=2 delay=0.005 log=log
	registered a "$port" -c slots=2
	seq 50 | svc-call -j 8 w >out1 3>&- &
	other=$!
	seq 50 | svc-call -j 8 w >out2
	wait "$other"
	[ "$(codes out1)" = "50 ok" ] && [ "$(codes out2)" = "50 ok" ]
}

@test "three workers of 4 slots at 3, 10 and 100 ms: none fails, each runs where planned" {
	i=0
	for delay in 0.003 0.01 0.1; do
		serve echo slots=4 delay=$delay log=log.$i
		registered "w$i" "$port" -c slots=4
		i=$((i + 1))
	done
	svc-discover w | jq -c '{service,id,address,slots:4}' >instances
	for i in 0 1 2; do
		planned 60 "$(sed -n $((i + 1))p instances)" | sed "s/\"t/\"$i-t/"
	done | shuf >in
	run -0 --separate-stderr svc-call -j 64 <in
	[ "$(jq -r 'select(.instance.id != "w" + .id[0:1]) | .id' <<<"$output")" = "" ]
	[ "$(jq -r .status <<<"$output" | sort | uniq -c | tr -s ' ')" = " 180 200" ]
	run ! grep -q over log.*
}

@test "a server that is killed and restarted in the middle fails no waiting task" {
	serve echo delay=0.005 log=log
	registered a "$port" -c slots=2
	at=$port first=$pid
	mkfifo in
	svc-call --idempotent --retries 9 -j 4 w <in >out 3>&- &
	call=$!
	started+=("$call")
	exec 7>in
	seq 100 >&7
	until_true 10 test -s log
	kill -9 "$first"
	wait_gone "$first" 10
	seq 101 200 >&7
	serve echo "port=$at" log=log
	exec 7>&-
	wait "$call"
	[ "$(codes out)" = "200 ok" ]
}

@test "unplanned tasks use what is there, the less loaded of two" {
	serve echo delay=0.001 log=fast
	registered fast "$port" -c slots=8
	serve echo delay=0.1 log=slow
	registered slow "$port" -c slots=8
	run -0 svc-call -j 8 w < <(seq 200)
	(($(wc -l <fast) > 3 * $(wc -l <slow)))
}

@test "an instance that fails fast does not attract work" {
	serve status status=500 log=bad
	registered bad "$port" -c slots=4
	serve echo delay=0.005 log=good
	registered good "$port" -c slots=4
	seq 300 | svc-call -j 32 w >out || true
	(($(wc -l <bad) < 30))
	(($(wc -l <good) > 270))
}

@test "a task moves only when its instance is gone, draining or critical" {
	serve echo log=log1
	registered a "$port"
	plan=$(instance a "$port")
	serve echo log=log2
	registered b "$port"
	svc-register --drain w a >/dev/null
	run -0 --separate-stderr svc-call <<<"$(planned 1 "$plan")"
	[ "$(jq -r .instance.id <<<"$output")" = b ]
	svc-register --undrain w a >/dev/null
	run -0 --separate-stderr svc-call <<<"$(planned 1 "$plan")"
	[ "$(jq -r .instance.id <<<"$output")" = a ]
	svc-register --remove w a >/dev/null
	run -0 --separate-stderr svc-call <<<"$(planned 1 "$plan")"
	[ "$(jq -r .instance.id <<<"$output")" = b ]
}

@test "tasks that wait for an instance move when it leaves the registry" {
	serve echo delay=1 log=log1 begun=begun
	registered a "$port" -c slots=1
	plan=$(instance a "$port" 1)
	serve echo log=log2
	registered b "$port"
	planned 4 "$plan" >in
	svc-call <in >out 3>&- &
	call=$!
	started+=("$call")
	until_true 10 test -s begun
	svc-register --remove w a >/dev/null
	wait "$call"
	[ "$(codes out)" = "4 ok" ]
	[ "$(wc -l <log1)" -eq 1 ] && [ "$(wc -l <log2)" -eq 3 ]
}

@test "tasks wait for a service that appears" {
	serve echo log=log
	svc-call -q -T 20s w <<<1 >out 3>&- &
	call=$!
	started+=("$call")
	until_true 10 eval 'ls -l "/proc/$call/fd" | grep -q inotify'
	[ ! -s out ]
	registered late "$port"
	wait "$call"
	[ "$(jq -r .instance.id out)" = late ]
}

@test "a service without instances says why when the time is up" {
	run --separate-stderr svc-call -T 0.3s -d 1 w
	is 1
	[ "$(jq -r .error.code <<<"$output")" = no-instances ]
	says 'w: no instances'
	serve echo
	registered a "$port"
	svc-register --drain w a >/dev/null
	run --separate-stderr svc-call -T 0.3s -d 1 w
	[ "$(jq -r .error.code <<<"$output")" = unplaceable ]
	says '1 draining'
}

@test "the line's instance and service beat NAME, and neither is no target" {
	serve echo log=log
	svc-register -i a v "127.0.0.1:$port" >/dev/null
	run -0 --separate-stderr svc-call w <<<'{"task":1,"service":"v"}'
	[ "$(jq -r .instance.service <<<"$output")" = v ]
	run --separate-stderr svc-call <<<'{"task":1}'
	is 1
	[ "$(jq -r .error.code <<<"$output")" = no-target ]
}

@test "-l chooses among the instances" {
	serve echo log=log1
	registered a "$port" -l zone=x
	serve echo log=log2
	registered b "$port" -l zone=y
	run -0 svc-call -l zone=y w < <(seq 20)
	[ ! -e log1 ] && [ "$(wc -l <log2)" -eq 20 ]
}

@test "-k keeps the order of the input" {
	serve echo delay=0.001 log=log1
	registered a "$port"
	serve echo delay=0.03 log=log2
	registered b "$port"
	run -0 svc-call -k -j 8 -o result w < <(seq 100)
	[ "$output" = "$(seq 100)" ]
}

@test "lines in are lines out: invalid, huge, empty, finished, failed, duplicate" {
	serve echo
	registered a "$port"
	{
		echo '{"id":"x","task":1}'
		echo '{"id":"x","task":1}'
		echo
		echo '{"broken'
		printf '"%s"\n' "$(head -c 200000 /dev/zero | tr '\0' a)"
		echo '{"id":"f","task":2,"error":{"code":"busy","message":"m"}}'
		echo '{"id":"y","task":1,"result":7,"status":200}'
		printf '"last"'
	} >in
	run --separate-stderr svc-call --max-task 100K w <in
	is 65
	[ "${#lines[@]}" -eq 7 ]
	printf '%s\n' "${lines[@]}" >out
	[ "$(codes out | tr '\n' ' ')" = "1 busy 1 invalid 4 ok 1 too-large " ]
	[ "$(jq -r 'select(.id=="y") | .result' out)" = 7 ]
}

@test "--retry sends exactly what failed again" {
	serve echo log=log
	registered a "$port"
	cat >in <<-'END'
		{"id":"ok","task":1,"result":5}
		{"id":"bad","task":2,"error":{"code":"busy","message":"m"}}
	END
	run -0 --separate-stderr svc-call --retry w <in
	[ "$(cat log)" = bad ]
	[ "$(jq -c '[.id,.result]' <<<"$output" | sort | tr '\n' ' ')" = '["bad",2] ["ok",5] ' ]
}

@test "-o result prints results on stdout and what failed on stderr" {
	serve echo
	registered a "$port"
	run --separate-stderr svc-call -q -o result w < <(printf '1\n{"id":"f","task":2,"error":{"code":"busy","message":"m"}}\n')
	is 1
	[ "$output" = 1 ]
	[[ $stderr == '{"id":"f"'* ]]
}

@test "-n prints what would be sent, and sends nothing" {
	serve echo log=log
	registered a "$port"
	run -0 --separate-stderr svc-call -n -H 'X-A: b' w <<<'{"id":"t1","task":"abc"}'
	[ "$(jq -c '[.id,.service,.instance.id,.bytes,.headers["X-A"],.headers["Idempotency-Key"]]' <<<"$output")" = '["t1","w","a",5,"b","t1"]' ]
	[ "$(jq -r .url <<<"$output")" = "http://127.0.0.1:$port/task" ]
	[ "$(jq -r '.headers["Svc-Attempt"]' <<<"$output")" = 1 ]
	[[ $(jq -r .headers.traceparent <<<"$output") =~ ^00-[0-9a-f]{32}-[0-9a-f]{16}-00$ ]]
	date -d "$(jq -r '.headers["Svc-Deadline"]' <<<"$output")"
	[ ! -e log ]
}

@test "what -n prints is the task still, and can be sent" {
	serve echo
	registered a "$port"
	svc-call -n w <<<'{"id":"t1","task":{"b":1,"a":1e400},"key":5,"extra":[]}' >plan
	grep -q '^{"id":"t1","task":{"b":1,"a":1e400},"key":5,"extra":\[\],"service":"w","instance":{' plan
	run -0 --separate-stderr svc-call <plan
	[ "$(jq -c '[.id,.instance.id,.status,.key]' <<<"$output")" = '["t1","a",200,5]' ]
}

@test "-q leaves out the seed that -v prints" {
	registered a 1
	run -0 svc-call -v --seed 7 -n -d 1 w
	says 'svc-call: seed 7'
	run -0 svc-call -v -q --seed 7 -n -d 1 w
	[[ $output != *'seed 7'* ]]
}

@test "-n says who finds nobody, and why, as the call does" {
	same() {
		run --separate-stderr svc-call -n "$@"
		is 1
		previewed=$(jq -c '[.error.code,.error.message]' <<<"$output")
		run --separate-stderr svc-call -T 0.1s "$@"
		is 1
		[ "$(jq -c '[.error.code,.error.message]' <<<"$output")" = "$previewed" ]
		[[ $previewed == "$want"* ]] || { echo "$previewed"; return 1; }
	}
	serve echo
	want='["no-instances","w: no instances' same -d 1 w
	registered a "$port"
	want='["no-instances","w: 1 instance, none' same -l zone=x -d 1 w
	svc-register --drain w a >/dev/null
	want='["unplaceable","w: 1 instance, none available: 1 draining' same -d 1 w
}

@test "-n chooses by what the task requires, and says when nobody has it" {
	registered small 1 -c cpu=2
	registered large 2 -c cpu=8
	run -0 --separate-stderr svc-call -n w < <(seq 5 | sed 's/.*/{"task":&,"requires":{"cpu":4}}/')
	[ "$(jq -r .instance.id <<<"$output" | sort -u)" = large ]
	run --separate-stderr svc-call -n w <<<'{"task":1,"requires":{"cpu":16}}'
	is 1
	[ "$(jq -r .error.code <<<"$output")" = unplaceable ]
	[[ "$(jq -r .error.message <<<"$output")" != *"none available: 2 passing"* ]]
}

@test "unix sockets are used when their owner may be believed" {
	serve echo socket="$PWD/s" log=log
	svc-register -i a u "http+unix://$PWD/s:/task" >/dev/null
	run -0 svc-call -o result -d '"hi"' u
	[ "$output" = '"hi"' ]
	[ "$(id -u)" -eq 0 ] || skip "needs root to give the socket away"
	chown 12345 s
	run svc-call --retries 0 -d 1 u
	is 1
	says 'belongs to user 12345'
	[ "$(wc -l <log)" -eq 1 ]
}

@test "^C cancels what waits, lets what runs finish, and every line read comes out" {
	serve echo delay=0.5 slots=2 begun=begun
	registered a "$port" -c slots=2
	mkfifo in
	svc-call -j 4 w <in >out 3>&- &
	call=$!
	started+=("$call")
	exec 7>in
	seq 50 >&7
	until_true 10 eval '[ "$(wc -l <begun)" -eq 2 ]'
	kill -TERM "$call"
	status=0
	wait "$call" || status=$?
	exec 7>&-
	[ "$status" -eq 143 ]
	[ "$(codes out | tr '\n' ' ')" = "48 cancelled 2 ok " ]
}

# half INPUT: what comes out of INPUT, whose first line runs when a signal comes.
half() {
	serve echo delay=0.3 begun=begun
	registered a "$port" -c slots=1
	mkfifo in
	svc-call -q -j 1 w <in >out 3>&- &
	local call=$!
	started+=("$call")
	exec 7>in
	printf '%s' "$1" >&7
	until_true 10 test -s begun
	kill -TERM "$call"
	wait "$call" || true
	exec 7>&-
}

@test "half a line comes out, too, when a signal comes" {
	half $'1\n{"id":"t2","ta'
	[ "$(codes out | tr '\n' ' ')" = "1 invalid 1 ok " ]
	[ "$(jq -r 'select(.error) | .input' out)" = '{"id":"t2","ta' ]
}

@test "a line that has all but its newline is cancelled" {
	half $'1\n{"id":"t2","task":2}'
	[ "$(codes out | tr '\n' ' ')" = "1 cancelled 1 ok " ]
	[ "$(jq -r 'select(.error) | .id' out)" = t2 ]
}

@test "half a number is not taken for a whole one" {
	half $'1\n23'
	[ "$(codes out | tr '\n' ' ')" = "1 invalid 1 ok " ]
	grep -q 'its end was not read' out
}

@test "a second signal cancels what runs, too" {
	serve silent log=log
	registered a "$port" -c slots=2
	svc-call -j 2 w < <(seq 2) >out 3>&- &
	call=$!
	started+=("$call")
	until_true 10 eval '[ "$(wc -l <log)" -eq 2 ]'
	kill -TERM "$call"
	until_true 10 eval 'kill -TERM "$call"; wait_gone "$call" 5'
	[ "$(codes out)" = "2 cancelled" ]
}

@test "a closed stdout ends it quietly, a full disk is 74" {
	serve echo log=log
	registered a "$port"
	seq 20000 >in
	status=0
	(svc-call -j 4 w <in || echo "$?" >status) | head -1 >/dev/null
	[ "$(cat status)" -eq 141 ]
	(($(wc -l <log) < 20000))
	run bash -c 'svc-call w <in >/dev/full'
	is 74
	says 'No space left'
}

@test "while stdout is blocked nothing new is started" {
	serve type "type=text/plain" "body=$(head -c 60000 /dev/zero | tr '\0' x)" log=log
	registered a "$port"
	mkfifo pipe
	seq 1000 | svc-call -j 4 w >pipe 3>&- &
	call=$!
	exec 7<pipe
	until_true 10 test -s log
	stalled() {
		local before
		before=$(wc -l <log)
		read -rt 0.5 <> <(:) || :
		[ "$(wc -l <log)" -eq "$before" ]
	}
	until_true 10 stalled
	(($(wc -l <log) < 100))
	[ "$(wc -l <&7)" -eq 1000 ]
	exec 7<&-
	wait "$call"
}

# rss FILE KIB: GNU time's figure in FILE is under KIB; ASan has memory of its own.
rss() {
	local libraries
	libraries=$(ldd "$(command -v svc-call)")
	case $libraries in *libasan*) skip "ASan has its own" ;; esac
	(($(tail -1 "$1") < $2)) || { echo "$(tail -1 "$1") KiB" >&2; return 1; }
}

# large COUNT: tasks of 8 MiB.
large() {
	local task
	task=$(head -c $((8 * 1024 * 1024 - 2)) /dev/zero | tr '\0' x)
	for _ in $(seq "$1"); do printf '"%s"\n' "$task"; done
}

@test "memory is bounded by -j and the sizes" {
	needs /usr/bin/time
	serve huge size=4000000
	planned 40 "$(instance a "$port" 2)" >in
	run bash -c '/usr/bin/time -f %M -o rss svc-call -j 2 <in | wc -c'
	((output > 160000000))
	rss rss $((64 * 1024))
}

@test "memory is bounded when tasks and results are as large as they may be" {
	needs /usr/bin/time
	serve echo
	registered a "$port"
	large 8 >in
	/usr/bin/time -f %M -o rss svc-call -j 2 w <in >out
	[ "$(wc -l <out)" -eq 8 ]
	/usr/bin/time -f %M -o rss2 svc-call -j 2 w <in | cat >out
	[ "$(grep -c '"status":200' out)" -eq 8 ]
	tr -d '"' <in | /usr/bin/time -f %M -o rss3 svc-call -L -k -j 2 w | cat >out
	[ "$(grep -c '"status":200' out)" -eq 8 ]
	rss rss $((56 * 1024))
	rss rss2 $((56 * 1024))
	rss rss3 $((56 * 1024))
}

@test "memory is bounded when large results grow on their lines" {
	needs /usr/bin/time
	large 6 >in
	for type in image/png text/plain; do
		serve huge "size=$((8 * 1024 * 1024 - 2))" "type=$type"
		registered a "$port"
		/usr/bin/time -f %M -o rss svc-call -j 2 w <in | cat >out
		[ "$(grep -c '"status":200' out)" -eq 6 ]
		rss rss $((60 * 1024))
		svc-register --remove w a >/dev/null
	done
}

@test "memory is flat for a million lines and a reader that stops" {
	needs /usr/bin/time
	mkfifo pipe
	seq 1000000 | sed 's/.*/{"id":"t&","task":&,"result":&}/' |
		/usr/bin/time -f %M -o rss svc-call --retry >pipe 3>&- &
	exec 7<pipe
	read -r _ <&7
	read -rt 0.5 <> <(:) || :
	[ "$(wc -l <&7)" -eq 999999 ]
	exec 7<&-
	wait $!
	rss rss $((32 * 1024))
}

@test "names that the registry does not have take no memory" {
	needs /usr/bin/time
	seq 30000 | sed 's/.*/{"task":1,"service":"s&"}/' >in
	run bash -c '/usr/bin/time -f %M -o rss svc-call -q -n <in | wc -l'
	[ "$output" -eq 30000 ]
	rss rss $((20 * 1024))
}

@test "large results that end together all come out, into a file, too" {
	serve huge size=700000
	planned 8 "$(instance a "$port" 8)" >in
	for options in '-j 8' '-k -j 8'; do
		# shellcheck disable=SC2086
		timeout -k 1 30 svc-call $options <in >out
		[ "$(wc -l <out)" -eq 8 ]
	done
}

@test "what is wrong with a line is said with its number" {
	run svc-call -d 1 <<<'{"no":1}'
	is 65
	says 'svc-call: stdin:1: not an instance'
	run svc-call < <(printf '\n%s\n' '{"task":1,"instance":{"service":"w","id":"a","address":"ftp://x"}}')
	is 65
	says 'svc-call: stdin:2: "instance": not an object with a URL'
	run svc-call w < <(printf '\n\n%s\n' '{"task":"!","encoding":"base64"}')
	is 65
	says 'svc-call: stdin:3: "task": not base64'
}

@test "with few descriptors fewer requests run, and no task fails" {
	serve echo delay=0.001
	registered a "$port"
	run --separate-stderr bash -c 'ulimit -Sn 48; ulimit -Hn 48; seq 200 | svc-call -j 100 w'
	is 0
	[ "${#lines[@]}" -eq 200 ]
	[[ $stderr == *'requests at once: 8, not more'* ]]
}

@test "a certificate that nobody vouches for is tls, and nothing is sent" {
	needs openssl
	openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost \
		-addext subjectAltName=IP:127.0.0.1 -keyout key -out certificate 2>/dev/null
	cat key certificate >both
	serve echo cert=both log=log
	run svc-call <<<"$(planned 1 "$(instance a "$port")" | sed 's|http:|https:|')"
	is 1
	[ "$(jq -c '[.error.code,.error.attempts,.error.retryable]' <<<"$output")" = '["tls",1,false]' ]
	says 'self-signed certificate'
	[ ! -e log ]
}

@test "when the input breaks, what has come of it comes out" {
	serve echo delay=0.05
	registered a "$port"
	# A terminal whose other side has gone is EIO.
	cat >broken.py <<-'END'
		import os, pty, subprocess, sys, tty
		master, slave = pty.openpty()
		tty.setraw(slave)
		os.write(slave, b"".join(b"%d\n" % i for i in range(50)) + b'{"ta')
		os.close(slave)
		sys.exit(subprocess.run(sys.argv[1:], stdin=master).returncode)
	END
	run --separate-stderr python3 broken.py svc-call -j 4 w
	is 74
	[[ $stderr == *'stdin: Input/output error'* ]]
	printf '%s\n' "${lines[@]}" >out
	[ "$(codes out | tr '\n' ' ')" = "1 invalid 50 ok " ]
}

@test "error lines of -o result that cannot be written are 74" {
	echo '{"id":"f","task":2,"error":{"code":"busy","message":"m"}}' >in
	run bash -c 'svc-call -o result w <in 2>/dev/full'
	is 74
	# Who closes it does not want them.
	run bash -c 'svc-call -o result w <in 2>&-'
	is 1
}

@test "a standard descriptor that is closed is 74" {
	serve echo
	registered a "$port"
	run timeout -k 1 10 bash -c 'exec svc-call w <&-'
	is 74
	says 'stdin: Bad file descriptor'
	run timeout -k 1 10 bash -c 'exec svc-call w <<<1 >&-'
	is 74
	says 'stdout: Bad file descriptor'
}

@test "tasks can be typed at a terminal" {
	needs script
	serve echo log=log
	registered a "$port"
	mkfifo keys
	script -qefc 'svc-call w' typescript <keys >/dev/null 3>&- &
	typing=$!
	started+=("$typing")
	exec 7>keys
	printf '1\n' >&7
	# The answer is there before the input ends.
	until_true 10 grep -q '"result":1' typescript
	printf '2\n\004' >&7
	wait "$typing"
	exec 7>&-
	grep -q '"result":2' typescript
}

@test "a reader that stops for longer than the timeout fails no task" {
	serve type "type=text/plain" "body=$(head -c 60000 /dev/zero | tr '\0' x)"
	registered a "$port" -c slots=8
	mkfifo pipe
	seq 200 | svc-call -j 8 -T 1s w >pipe 3>&- &
	call=$!
	exec 7<pipe
	read -r first <&7
	# The time is what this is about.
	read -rt 2.5 <> <(:) || :
	{ echo "$first"; cat <&7; } >out
	exec 7<&-
	wait "$call"
	[ "$(codes out)" = "200 ok" ]
}

@test "stopped at any moment, what was executed comes out, each line once" {
	serve echo delay=0.002 log=log
	registered a "$port" -c slots=8
	seq 100000 | sed 's/.*/{"id":"t&","task":&}/' >in
	for signal in INT TERM HUP TERM INT; do
		: >log
		# In the background of a script INT would be ignored.
		env --default-signal=INT svc-call -j 8 w <in >out 3>&- &
		call=$! moment=$((RANDOM % 150 + 1)) status=0
		started+=("$call")
		until_true 10 eval '[ "$(wc -l <log)" -ge "$moment" ]'
		kill -"$signal" "$call"
		wait "$call" || status=$?
		[ "$status" -eq $((128 + $(kill -l "$signal"))) ]
		jq -r .id out | sort >ids
		[ -z "$(uniq -d ids)" ]
		[ -z "$(comm -13 ids <(sort log))" ]
		[ "$(jq -r 'select(.status == 200) | .id' out | sort | cmp - <(sort log))" = "" ]
		[ "$(codes out | sed 's/.* //' | tr '\n' ' ')" = "cancelled ok " ]
	done
}

@test "options that make no sense are 64" {
	for options in '-j 0' '-j x' '-T 0' '-T x' '--retries -1' '-o table' '-l =' \
		'--max-task 0' '--rate 0' '--rate x' '--rate -1' '--rate 5/d' '--rate /s' \
		'--rate 2000000/s' 'a b' '-L --bare' '-d 1 --retry w' '-L --retry w' '--bare --retry w' '-d @- -j 1' 'no/name'; do
		# shellcheck disable=SC2086
		run svc-call $options </dev/null
		is 64
	done
}

@test "rates are a second, a minute or an hour" {
	serve echo
	registered a "$port"
	for rate in 100 100/s 2.5/s 6/m 5000/h; do
		run -0 svc-call --rate "$rate" -o result -d 1 w
		[ "$output" = 1 ]
	done
	run svc-call --rate 5/d -d 1 w
	says "svc-call: --rate: not a rate: '5/d' (say 100, 100/s, 6/m or 5000/h)"
}

@test "a refusal names the long option, once" {
	run svc-call --max-task 0 w
	is 64
	[[ $output == "svc-call: --max-task: out of range: '0' (say one from 1 to 20M); try "* ]]
	run svc-call -H x w
	[[ $output == "svc-call: --header: not a header: 'x'"* ]]
	run svc-call -d 1 w -T 1
	is 64
	says "options come before NAME: '-T'"
}

@test "an interrupt ends a loop around svc-call and its reader" {
	serve echo delay=0.2 log=log
	registered w "$port" -c slots=1
	cat >loop <<-'SH'
		echo $$ >session
		for turn in 1 2 3; do
			echo "$turn" >>turns
			seq 40 | svc-call -j 1 w | cat >/dev/null
		done
	SH
	env --default-signal=INT setsid bash loop 3>&- &
	loop=$!
	started+=("$loop")
	until_true 20 test -s log
	kill -INT -- "-$(cat session)"
	wait "$loop" || status=$?
	[ "$status" -eq 130 ]
	[ "$(wc -l <turns)" -eq 1 ]
}

@test "a registry that cannot be one is told of before a line is read" {
	touch file
	run svc-call -R etcd://127.0.0.1:1 w </dev/null
	is 69
	says "no store for 'etcd'"
	run svc-call -R "$PWD/file" w </dev/null
	is 66
	echo 'svckit spool 99' >"$SVC_REGISTRY/version"
	run svc-call w </dev/null
	is 78
}

@test "where a named registry does not exist tasks fail at once" {
	for place in "-R missing" ""; do
		[ -n "$place" ] || export SVC_REGISTRY=$PWD/missing
		# shellcheck disable=SC2086
		run timeout 20 svc-call $place w < <(seq 2)
		is 1
		[ "${#lines[@]}" -eq 2 ]
		[[ $(jq -r .error.message <<<"${lines[1]}") == "w: no instances in the registry "*missing", which does not exist" ]]
		[ ! -e missing ]
	done
}

@test "the user's own registry is made, and waited in" {
	serve echo
	unset SVC_REGISTRY
	run -0 svc-call -n w < <(:)
	[ ! -e "$HOME/.local/state/svckit" ]
	start svc-call -o result -d 7 w >out 2>said
	caller=$pid
	until_true 10 grep -q waiting said
	[ "$(stat -c %a "$HOME/.local/state/svckit")" = 700 ]
	registered a "$port"
	wait "$caller"
	[ "$(cat out)" = 7 ]
}
