#!/usr/bin/env bats
# svc-watch(1): the stream, the state, waiting, one pass, how it ends.
bats_require_minimum_version 1.5.0

load lib/common

# watch ARGUMENT...: follows into the file events, and waits for its first line.
watch() {
	start svc-watch "$@" >events
	until_true 20 test -s events
}

# told EVENT ID: it stands among the events.
told() {
	jq -e --arg event "$1" --arg id "$2" \
		'select(.event == $event and .id == $id)' events
}

# kinds: the events so far, "sync register:a ".
kinds() {
	jq -r '.event + (if .id then ":" + .id else "" end)' "${1:-events}" | tr '\n' ' '
}

@test "the first line is a sync with the whole state" {
	svc-register -i a -l zone=eu-1 render 127.0.0.1:1
	svc-register -i b --ttl 60 render 127.0.0.1:2
	svc-register -i c other 127.0.0.1:3
	watch
	[ "$(kinds)" = 'sync ' ]
	[ "$(jq -r '.instances[] | .service + "/" + .id + " " + .status' events | tr '\n' ' ')" = \
		'other/c passing render/a passing render/b passing ' ]
	jq -e '.at | test("^[0-9-]+T[0-9:.]+Z$")' events
}

@test "a registry that is empty, or is not there, is watched all the same" {
	export SVC_REGISTRY=$BATS_TEST_TMPDIR/none
	watch
	[ "$(jq -c .instances events)" = '[]' ]
	svc-register -i a render 127.0.0.1:1
	until_true 20 told register a
}

@test "register, change, drain, undrain and remove are told, in order" {
	watch render
	svc-register -i a -l zone=eu-1 render 127.0.0.1:1 >/dev/null
	until_true 20 told register a
	svc-register -i a -l zone=eu-2 render 127.0.0.1:1 >/dev/null
	until_true 20 told change a
	svc-register --drain render a
	until_true 20 told drain a
	svc-register --undrain render a
	until_true 20 told undrain a
	svc-register --remove render a
	until_true 20 told remove a
	[ "$(kinds)" = 'sync register:a change:a drain:a undrain:a remove:a ' ]
	jq -es '.[1:] | all(.service == "render" and .reason and .status and .at)' events
	jq -es '.[1].instance.address == "http://127.0.0.1:1/task"' events
}

@test "a change says which members differ, the old ones and the new ones" {
	svc-register -i a -l zone=eu-1 -c mem=1G render 127.0.0.1:1
	watch
	svc-register -i a -l zone=eu-2 -c mem=1G render 127.0.0.1:9
	until_true 20 told change a
	jq -e 'select(.event == "change") | .members == ["address","labels"]
		and .old == {address:"http://127.0.0.1:1/task",labels:{zone:"eu-1"}}
		and .new == {address:"http://127.0.0.1:9/task",labels:{zone:"eu-2"}}' events
}

@test "a write that changes nothing, a heartbeat and a load tell nothing" {
	svc-register -i a --ttl 60 render 127.0.0.1:1
	watch
	svc-register -i a --ttl 60 render 127.0.0.1:1
	svc-register --renew render a
	touch "$SVC_REGISTRY/services/render/a.json"
	svc-register -i last render 127.0.0.1:2
	until_true 20 told register last
	[ "$(kinds)" = 'sync register:last ' ]
}

@test "with -a heartbeats are told" {
	svc-register -i a --ttl 60 render 127.0.0.1:1
	watch -a
	until_true 20 renewed
}

renewed() {
	svc-register --renew render a
	told renew a
}

@test "the end of a registered command is told, also after kill -9" {
	watch
	start svc-register -i a render 127.0.0.1:1 -- sleep 1000
	until_true 20 told register a
	kill -9 "$pid"
	until_true 20 told expire a
	jq -e 'select(.event == "expire") | .status == "expired"' events
}

@test "an expiry is told at its time, and a heartbeat after it is up" {
	svc-register -i a --ttl 1 render 127.0.0.1:1
	watch
	until_true 20 told expire a
	svc-register --renew render a
	until_true 20 told up a
}

@test "-l and NAME leave out what does not match" {
	watch -l zone=eu-1 render
	svc-register -i a -l zone=eu-1 other 127.0.0.1:1
	svc-register -i b -l zone=eu-2 render 127.0.0.1:2
	svc-register -i c -l zone=eu-1 render 127.0.0.1:3
	until_true 20 told register c
	[ "$(kinds)" = 'sync register:c ' ]
	svc-register -i b -l zone=eu-1 render 127.0.0.1:2
	until_true 20 told register b
	jq -e 'select(.id == "b") | .reason | test("matches")' events
}

@test "-1 tells the state and ends" {
	svc-register -i a render 127.0.0.1:1
	run -0 svc-watch -1
	[ "$(jq -r '.instances[].id' <<<"$output")" = a ]
	run -0 svc-watch -1 -R "$BATS_TEST_TMPDIR/none"
	[ "$(jq -c .instances <<<"$output")" = '[]' ]
	[ ! -e "$BATS_TEST_TMPDIR/none" ]
}

@test "a NAME that nobody has registered with is an empty state, and a failed check" {
	run -0 svc-watch -1 none
	[ "$(jq -c .instances <<<"$output")" = '[]' ]
	run -1 svc-watch -1p none
	says 'CRITICAL - none: no instances'
}

@test "--state begins with the differences since the last run" {
	svc-register -i a render 127.0.0.1:1
	svc-register -i b render 127.0.0.1:2
	svc-watch -1 --state seen >first
	[ "$(kinds first)" = 'sync ' ]
	svc-watch -1 --state seen >second
	[ ! -s second ]
	svc-register --drain render a
	svc-register --remove render b
	svc-register -i c render 127.0.0.1:3
	svc-watch -1 --state seen >third
	[ "$(kinds third)" = 'drain:a remove:b register:c ' ]
	svc-watch -1 --state seen >fourth
	[ ! -s fourth ]
}

@test "--state of a run about others tells nothing of what is not asked for" {
	svc-register -i a -l zone=eu-1 render 127.0.0.1:1
	svc-register -i b -l zone=eu-2 render 127.0.0.1:2
	svc-register -i c other 127.0.0.1:3
	svc-watch -1 --state seen >first
	svc-watch -1 --state seen render >second
	svc-watch -1 --state seen -l zone=eu-1 render >>second
	[ ! -s second ]
	svc-watch -1 --state seen >third
	[ "$(kinds third)" = 'register:c register:b ' ]
}

@test "what could not be written is told again" {
	[ -w /dev/full ] || skip 'there is no /dev/full'
	svc-watch -1 --state seen >first
	svc-register -i a render 127.0.0.1:1
	run -74 bash -c 'svc-watch -1 --state seen >/dev/full'
	run -74 timeout 20 bash -c 'svc-watch --state seen >/dev/full'
	svc-watch -1 --state seen >second
	[ "$(kinds second)" = 'register:a ' ]
}

@test "what the handler had not dealt with is told again" {
	svc-watch -1 --state seen >first
	start svc-watch --state seen render -- bash -c 'touch ran; exec sleep 1000'
	svc-register -i a render 127.0.0.1:1
	until_true 20 test -e ran
	kill "$pid"
	wait_gone "$pid" 20
	svc-watch -1 --state seen >second
	[ "$(kinds second)" = 'register:a ' ]
	svc-watch -1 --state seen -- true >third
	[ ! -s third ]
}

@test "a watcher that goes on keeps its state, also when it is stopped" {
	watch --state seen
	svc-register -i a render 127.0.0.1:1
	until_true 20 told register a
	until_true 20 grep -q '"id":"a"' seen
	svc-register -i b render 127.0.0.1:2
	until_true 20 told register b
	kill "$pid"
	wait_gone "$pid" 20
	run -0 svc-watch -1 --state seen
	[ -z "$output" ]
}

@test "what was not read is told again" {
	mkfifo pipe
	start bash -c 'exec svc-watch -a --state seen >pipe'
	exec 4<pipe
	read -r line <&4
	[ "$(jq -r .event <<<"$line")" = sync ]
	exec 4<&-
	wait_gone "$pid" 20
	svc-register -i a render 127.0.0.1:1
	svc-watch -1 --state seen >events
	told register a
}

@test "a state that is none is refused, and kept" {
	echo 'not a state' >seen
	run -65 svc-watch -1 --state seen
	says seen
	[ "$(cat seen)" = 'not a state' ]
	run -73 svc-watch -1 --state "$BATS_TEST_TMPDIR"
	run -73 svc-watch -1 --state none/seen
}

@test "a reader that goes away ends it as SIGPIPE would" {
	svc-register -i a render 127.0.0.1:1
	run -141 bash -c 'set -o pipefail; timeout 20 svc-watch | head -n 1'
	says '"event":"sync"'
}

@test "a stopped reader gets the state of the end, and not each step to it" {
	mkfifo pipe
	start bash -c 'exec svc-watch render >pipe'
	exec 4<pipe
	local i
	for i in {1..3000}; do
		printf '{"service":"render","id":"i%d","address":"127.0.0.1:%d","meta":{"x":"%04000d"}}\n' \
			$((i % 5)) $((i + 1)) "$i"
	done | svc-register -q - >/dev/null
	svc-register -i last render 127.0.0.1:1
	timeout 30 sed '/"id":"last".*"event":"register"\|"event":"register".*"id":"last"/q' \
		<&4 >events
	exec 4<&-
	[ "$(jq -r 'select(.id == "i4") | (.instance.address // .new.address)' events | tail -n 1)" = \
		http://127.0.0.1:3000/task ]
	[ "$(stat -c %s events)" -lt $((8 * 1024 * 1024)) ]
}

@test "a reader that has stopped does not keep a signal from ending it" {
	local id how
	for id in a b c d; do
		printf '{"service":"render","id":"%s","address":"h:1","meta":{"x":"%040000d"}}\n' $id 0
	done | svc-register -q - >/dev/null
	mkfifo pipe
	exec 4<>pipe
	for how in -1 -a '-o json --until render'; do
		# shellcheck disable=SC2086
		start svc-watch --state seen $how >pipe
		until_true 20 is_full
		kill "$pid"
		wait_gone "$pid" 20
		status=0
		wait "$pid" || status=$?
		is 143
		timeout 0.2 cat <&4 >/dev/null || :
	done
	[ ! -e seen ]
}

# is_full: no more goes into the pipe at 4.
is_full() {
	python3 -c 'import array, fcntl, sys, termios
n = array.array("i", [0])
fcntl.ioctl(4, termios.FIONREAD, n)
sys.exit(n[0] < 60000)'
}

@test "a reader that does not read holds up neither the probes nor their results" {
	jq -cn 'range(3000) | {service: "many", id: "i\(.)", address: "127.0.0.1:\(. + 1)",
		meta: {x: ("x" * 600)}}' | svc-register -q - >/dev/null
	mkfifo pipe
	start bash -c 'exec svc-watch -p --state seen >pipe'
	exec 4<pipe
	head -c 1 <&4 >first
	svc-register -q -i one --check-tcp render 127.0.0.1:1
	until_true 20 critical one
	timeout 20 sed -n '/"id":"one".*"critical"/{p;q}' <&4 >events
	exec 4<&-
	[ -s events ]
	wait_gone "$pid" 20
}

critical() {
	svc-discover --status critical render | jq -e --arg id "$1" 'select(.id == $id)'
}

@test "--until waits for instances, and prints nothing" {
	start svc-watch --until 'render>=2' -T 60 >out
	svc-register -i a render 127.0.0.1:1 >/dev/null
	svc-register -i b render 127.0.0.1:2 >/dev/null
	wait "$pid"
	[ ! -s out ]
}

@test "--until that is not met in time is 124, and says why" {
	svc-register -i a render 127.0.0.1:1
	run -124 --separate-stderr svc-watch --until 'render>=2,other=gone' -T 0.2
	[ -z "$output" ]
	output=$stderr says 'render>=2'
	[[ $stderr != *other* ]]
}

@test "the output can be a table, tsv or a text of members" {
	svc-register -i a render 127.0.0.1:1
	run -0 svc-watch -1 -o table
	says '1 instance'
	watch -o '%{event} %{service}/%{id} %{instance.address}'
	svc-register -i b render 127.0.0.1:2
	until_true 20 grep -qx 'register render/b http://127.0.0.1:2/task' events
}

@test "signals end it, and are passed on" {
	local name
	for name in INT TERM HUP; do
		rm -f events
		# A shell's background jobs ignore INT.
		start env --default-signal=INT svc-watch >events
		until_true 20 test -s events
		kill -s "$name" "$pid"
		status=0
		wait "$pid" || status=$?
		is $((128 + $(kill -l "$name")))
	done
}

@test "a signal that its parent ignores does not end it" {
	start nohup svc-watch >events 2>/dev/null
	until_true 20 test -s events
	kill -HUP "$pid"
	svc-register -i a render 127.0.0.1:1
	until_true 20 told register a
}

@test "a full disk is an error" {
	[ -w /dev/full ] || skip 'there is no /dev/full'
	run -74 bash -c 'svc-watch -1 >/dev/full'
	run -74 timeout 20 bash -c 'svc-watch >/dev/full'
}

@test "wrong command lines are refused in one line" {
	local line
	while read -r line; do
		# shellcheck disable=SC2086
		run -64 svc-watch $line
		[ "${#lines[@]}" -eq 1 ] || { echo "$line: $output"; return 1; }
	done <<-'END'
		-T 5
		-j 4
		-p -j 0
		--interval 5
		-p --interval 0
		-p --panic 101
		--panic 5
		--settle 1s
		--handler-timeout 5
		-n
		-1 --reap
		-1 --until render
		--until render=up
		--until render>=x
		-o nonsense
		-l a=(
		../x
		render -a
		render --
		--nonsense
	END
}

@test "a handler that is not there is found before anything starts" {
	run -69 svc-watch -- /none/such
	says /none/such
}
