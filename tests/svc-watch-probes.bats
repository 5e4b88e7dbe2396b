#!/usr/bin/env bats
# svc-watch(1) -p: probes, the health file, its one prober, panic.
bats_require_minimum_version 1.5.0

load lib/common

# server MODE [OPTION...]: an HTTP server in the background, its port in $port.
server() {
	rm -f port
	start python3 "$top/tests/lib/http_server.py" "$@" >port
	until_true 20 test -s port
	port=$(<port)
}

# switched NAME: a server that answers as the file NAME says, "200" at first.
switched() {
	echo 200 >"$1"
	server file state="$PWD/$1"
}

# answers NAME TEXT: from here on; never half a file.
answers() {
	echo "$2" >"$1.next"
	mv "$1.next" "$1"
}

# add ID PORT [MEMBER...]: registers an instance with a quick check.
add() {
	local id=$1 port=$2
	shift 2
	jq -cn --arg id "$id" --arg address "127.0.0.1:$port" \
		--argjson check "{$(IFS=,; echo "$*")}" \
		'{service: "render", $id, $address, check:
			({http: "/health", interval: 0.1, timeout: 1} + $check)}' |
		svc-register -q -
}

# watch ARGUMENT...: probes into the file events, and waits for its first line.
watch() {
	start svc-watch -p "$@" >events
	until_true 20 test -s events
}

# found ID FILTER: what the health file says of it holds.
found() {
	jq -nre --arg id "$1" "first(inputs | select(.id == \$id)) | $2" \
		"$SVC_REGISTRY/health/render"
}

# told EVENT ID: it stands among the events.
told() {
	jq -ne --arg event "$1" --arg id "$2" \
		'first(inputs | select(.event == $event and .id == $id))' events
}

# holds PID: the process has the health file's lock.
holds() {
	local inode
	inode=$(stat -c %i "$SVC_REGISTRY/health/render") || return 1
	find "/proc/$1/fd" -lname "$(readlink -f "$SVC_REGISTRY")/health/render*" \
		-exec stat -L -c %i {} + 2>/dev/null | grep -qx "$inode"
}

# holder PID...: the one of them that probes, in $holder.
holder() {
	for holder; do
		! holds "$holder" || return 0
	done
	return 1
}

@test "an instance that goes down is told, and so is that it is back" {
	switched state
	add a "$port"
	watch
	until_true 20 found a '.status == "passing" and .flaps == 0 and .latency_ms >= 0'
	answers state 500
	until_true 20 told down a
	[ "$(told down a | jq -r .reason)" = 'status 500' ]
	until_true 20 found a '.status == "critical" and .reason == "status 500"'
	run svc-discover render
	is 1
	answers state 200
	until_true 20 told up a
	until_true 20 found a '.status == "passing" and .flaps == 2 and .since and .checked'
	svc-discover render
}

@test "where nothing changes the file still tells when it was last checked" {
	local first
	switched state
	add a "$port"
	watch
	until_true 20 found a '.checked'
	first=$(found a '.checked | .[:19] + "Z" | fromdate')
	until_true 40 found a ".checked | .[:19] + \"Z\" | fromdate > $first + 8"
	[ "$(wc -l <events)" -le 3 ]
}

@test "a refused connection and one that never answers are critical" {
	switched state
	answers state 0
	add slow "$port" '"timeout":0.2'
	add down 1
	watch
	until_true 20 found slow '.status == "critical" and .reason == "timed out"'
	until_true 20 found down '.status == "critical" and .reason == "connection refused"'
}

@test "429 is warning, and gets work only where nothing passes" {
	switched state
	answers state 429
	add a "$port"
	watch
	until_true 20 found a '.status == "warning" and .reason == "status 429"'
	[ "$(svc-discover render | jq -r .id)" = a ]
	server status status=200
	add b "$port"
	until_true 20 found b '.status == "passing"'
	[ "$(svc-discover render | jq -r .id)" = b ]
}

@test "the body's numbers are the load, and none of its bytes are kept" {
	switched state
	answers state '200 {"status":"warn","busy":3,"slots":4,"output":"s3cret"}'
	add a "$port"
	watch
	until_true 20 found a '.status == "warning" and .utilization == 0.75'
	answers state '200 {"status":"warn"}'
	until_true 20 found a '.status == "warning" and .utilization == null'
	answers state '500 s3cret'
	until_true 20 found a '.status == "critical"'
	run ! grep -r s3cret "$SVC_REGISTRY/health" events
}

@test "one that answers now and then stays as it is until fall in a row" {
	switched state
	add a "$port" '"fall":1000' '"rise":1'
	watch
	until_true 20 found a '.status == "passing"'
	answers state 500
	add b "$port" '"fall":1'
	until_true 20 found b '.status == "critical"'
	found a '.status == "passing" and .flaps == 0'
}

@test "hostile targets cost their timeout and hide nobody" {
	switched state
	add z "$port"
	add first "$port"
	server drip && add drip "$port" '"timeout":0.3'
	server hugeheader && add header "$port" '"timeout":0.3'
	server endless && add endless "$port" '"timeout":0.3'
	server cut && add cut "$port" '"timeout":0.3'
	server redirect && add redirect "$port"
	watch -j 2
	for id in drip header cut redirect; do
		until_true 20 found "$id" '.status == "critical"'
	done
	until_true 20 found endless .status
	until_true 20 found z '.status == "passing"'
	found redirect '.reason == "status 302"'
}

@test "those that hang do not delay the others" {
	local asked=$PWD/asked
	server status status=200 log="$asked"
	add a "$port" '"interval":0.05'
	switched state
	answers state 0
	for id in $(seq -w 40); do add "h$id" "$port" '"timeout":1'; done
	watch -j 2
	# Each of them once takes 40 s, or 20 in both places.
	until_true 18 eval '[ "$(wc -l <"$asked")" -ge 20 ]'
}

@test "an instance may come, and go, while others and itself are asked" {
	switched state
	answers state 0
	add slow "$port" '"timeout":60'
	server status status=200 begun="$PWD/begun"
	add a "$port"
	watch
	until_true 20 test -s begun
	add b "$port"
	until_true 20 found b '.status == "passing"'
	svc-register -q --remove render slow
	until_true 20 told remove slow
	answers state 200
	until_true 20 found a '.status == "passing"'
	run ! found slow .
}

@test "a path at an https address is a warning that says what to do" {
	jq -cn '{service: "render", id: "a", address: "https://127.0.0.1:1/task",
		check: {http: "/"}}' | svc-register -q -
	run svc-watch -1 -p
	is 0
	found a '.status == "warning" and .reason == "https is not probed: check by tcp"'
}

@test "a malformed check is a warning with the reason" {
	server status status=200
	add a "$port"
	mkdir -p "$SVC_REGISTRY/services/render"
	echo '{"service":"render","id":"x","address":"http://127.0.0.1:1/task","check":{"http":"/","rise":0}}' \
		>"$SVC_REGISTRY/services/render/x.json"
	watch
	until_true 20 found x '.status == "warning" and (.reason | contains("rise"))'
	until_true 20 found a '.status == "passing"'
	[ "$(svc-discover -a render | jq -r 'select(.id == "x").status')" = warning ]
}

@test "one probes; when it is killed another goes on from what it found" {
	switched state
	add a "$port"
	local pids=() i since
	for i in 1 2 3 4; do
		start svc-watch -p >"events.$i"
		pids+=("$pid")
	done
	until_true 20 found a '.status == "passing"'
	until_true 20 holder "${pids[@]}"
	since=$(found a .since)
	kill -9 "$holder"
	wait_gone "$holder" 10
	until_true 20 holder "${pids[@]}"
	[ "$(found a .since)" = "$since" ]
	answers state 500
	until_true 20 found a '.status == "critical" and .flaps == 1'
}

@test "an orderly stop leaves the file, and lets the next one in" {
	switched state
	add a "$port"
	watch
	first=$pid
	until_true 20 found a '.status == "passing"'
	start svc-watch -p >other
	second=$pid
	until_true 20 test -s other
	holds "$first" && ! holds "$second"
	kill "$first"
	wait_gone "$first" 10
	found a '.status == "passing"'
	until_true 20 holds "$second"
}

@test "a health file removed by hand is made anew" {
	server status status=200
	add a "$port"
	watch
	until_true 20 found a '.status == "passing"'
	rm "$SVC_REGISTRY/health/render"
	until_true 20 found a '.status == "passing"'
}

@test "the file is written at most once a second" {
	local file=$SVC_REGISTRY/health/render begun writes i
	switched state
	add a "$port" '"interval":0.02' '"rise":1' '"fall":1'
	watch
	until_true 20 test -s "$file"
	begun=$SECONDS
	for i in $(seq 150); do
		answers state $((i % 2 ? 500 : 200))
		stat -c %i.%Y "$file" >>writes
	done
	until_true 20 found a '.flaps > 4'
	writes=$(uniq writes | wc -l)
	[ "$writes" -le $((SECONDS - begun + 2)) ]
}

@test "a file with nothing new to say is touched" {
	local file=$SVC_REGISTRY/health/render before
	add a 1 '"interval":60'
	watch
	until_true 20 found a '.status == "critical"'
	before=$(stat -c %Y "$file")
	cp "$file" old
	until_true 20 eval '[ "$(stat -c %Y "$file")" -ge $((before + 4)) ]'
	cmp "$file" old
}

@test "instances that vanish leave the file, and the last takes it along" {
	server status status=200
	add a "$port"
	add b "$port"
	watch
	until_true 20 found b '.status == "passing"'
	svc-register --remove render b
	until_true 20 eval '! found b .status && found a .status'
	svc-register --remove render a
	until_true 20 test ! -e "$SVC_REGISTRY/health/render"
}

@test "one pass probes each once, and sums up" {
	server status status=200 log="$PWD/log"
	add a "$port"
	add b "$port"
	run svc-watch -1 -p -j 1
	is 0
	[ "$(wc -l <log)" -eq 2 ]
	found a '.status == "passing"'
	add c 1
	run svc-watch -1 -p
	is 1
	says 'connection refused'
	found c '.status == "critical"'
}

@test "one pass beside a prober probes all the same, and writes nothing" {
	switched state
	add a "$port" '"fall":1000' '"interval":60'
	watch
	until_true 20 found a '.status == "passing"'
	answers state 500
	run svc-watch -1 -p
	is 1
	says 'status 500'
	found a '.status == "passing"'
}

@test "one pass where there is nothing to probe ends" {
	svc-register -q -i a render 127.0.0.1:1
	run timeout 20 svc-watch -1 -p
	is 0
	[ ! -e "$SVC_REGISTRY/health/render" ]
}

@test "in panic all instances get work, marked, until most are back" {
	switched state
	for id in a b c; do add "$id" "$port" '"interval":1'; done
	watch
	for id in a b c; do until_true 20 found "$id" '.status == "passing"'; done
	answers state 500
	until_true 20 jq -ne 'input | select(.panic == "critical").since' "$SVC_REGISTRY/health/render"
	# The mark stands as soon as two of them are critical.
	until_true 20 eval '[ "$(svc-discover render | jq -c "[.id, .status, .panic]" |
		tr -d "\n\"")" = "[a,critical,true][b,critical,true][c,critical,true]" ]'
	svc-discover -o table render | grep -q 'critical (panic)'
	until_true 20 grep -q '"event":"panic","service":"render"' events
	answers state 200
	until_true 20 grep -q '"event":"calm","service":"render"' events
	until_true 20 eval '! grep panic "$SVC_REGISTRY/health/render"'
	[ "$(svc-discover render | grep -c panic)" -eq 0 ]
}

@test "in panic svc-call and task-schedule use those that fail, too" {
	switched state
	add a "$port" '"interval":1'
	add b "$port" '"interval":1'
	server status status=200 body=1
	add c "$port" '"interval":1'
	watch
	for id in a b c; do until_true 20 found "$id" '.status == "passing"'; done
	answers state 500
	until_true 20 grep -q panic "$SVC_REGISTRY/health/render"
	seq 30 | task-schedule --round-robin -s render >placed
	[ "$(jq -r .instance.id placed | sort -u | tr '\n' ' ')" = 'a b c ' ]
	svc-discover -a render | task-schedule --round-robin -t <(seq 30) >placed
	[ "$(jq -r .instance.id placed | sort -u | tr '\n' ' ')" = 'a b c ' ]
	seq 30 | svc-call -j 1 --retries 0 render >called || [ $? -eq 1 ]
	grep -q '"status":500' called
	grep -q '"status":200' called
}

@test "half of a service's instances is no panic" {
	switched state
	for id in a b; do add "$id" "$port"; done
	server status status=200
	for id in c d; do add "$id" "$port"; done
	watch
	for id in a b c d; do until_true 20 found "$id" '.status == "passing"'; done
	answers state 500
	for id in a b; do until_true 20 found "$id" '.status == "critical"'; done
	run ! grep panic "$SVC_REGISTRY/health/render" events
	[ "$(svc-discover render | jq -r .id | tr '\n' ' ')" = 'c d ' ]
}

@test "what drains gets no work in a panic, and a task goes to the others" {
	switched state
	for id in a b c; do add "$id" "$port" '"interval":1'; done
	watch
	for id in a b c; do until_true 20 found "$id" '.status == "passing"'; done
	svc-register --drain render c
	answers state 500
	until_true 20 grep -q panic "$SVC_REGISTRY/health/render"
	[ "$(svc-discover render | jq -r .id | tr '\n' ' ')" = 'a b ' ]
	svc-discover -a render >all
	run task-schedule --round-robin -r all -s render <<<'{"task":1}'
	is 0
	says '"id":"a"'
	# The server answers 500: that it was asked is what counts.
	run svc-call --retries 0 -d 1 render
	says '"status":500'
}

@test "--panic=0 believes everything" {
	switched state
	add a "$port"
	add b "$port"
	watch --panic=0
	for id in a b; do until_true 20 found "$id" '.status == "passing"'; done
	answers state 500
	for id in a b; do until_true 20 found "$id" '.status == "critical"'; done
	run ! grep panic "$SVC_REGISTRY/health/render"
	run svc-discover render
	is 1
}

@test "one pass that cannot write health says so, and sums up all the same" {
	add a 1
	mkdir -p "$SVC_REGISTRY/health/render"
	run --separate-stderr svc-watch -1 -p
	is 1
	says 'connection refused'
	[[ $stderr == *health/render* && $stderr != *again* ]]
}

@test "health that cannot be written is said once, and nothing is lost" {
	server status status=200
	add a "$port"
	mkdir -p "$SVC_REGISTRY/health/render"
	start svc-watch -p >events 2>errors
	until_true 20 grep 'trying again' errors
	svc-register -q -i b render 127.0.0.1:1
	until_true 20 told register b
	svc-register -q --remove render b
	until_true 20 told remove b
	[ "$(grep -c 'trying again' errors)" -eq 1 ]
}
