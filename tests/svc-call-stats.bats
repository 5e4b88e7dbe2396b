#!/usr/bin/env bats
# lib/common sets top, pid and started; until_true evaluates what it is given.
# shellcheck disable=SC2154,SC2016,SC2030,SC2031
# svc-call(1), --stats and --progress: against what the lines themselves say.

bats_require_minimum_version 1.5.0
load lib/common

# serve MODE [OPTION=VALUE]...: a server of tests/lib/http_server.py; its port
# in $port, its pid in $pid.
serve() {
	local out=$BATS_TEST_TMPDIR/port.$RANDOM$RANDOM
	start python3 "$top/tests/lib/http_server.py" "$@" >"$out"
	until_true 10 test -s "$out"
	port=$(cat "$out")
}

# registered ID PORT [OPTION]...: an instance of the service w.
registered() {
	local id=$1 at=$2
	shift 2
	svc-register -i "$id" "$@" w "127.0.0.1:$at" >/dev/null
}

# planned ID PORT FROM TO: task lines that name their instance.
planned() {
	seq "$3" "$4" | sed "s|.*|{\"id\":\"t&\",\"task\":&,\"instance\":{\"service\":\"w\",\"id\":\"$1\",\"address\":\"http://127.0.0.1:$2/task\",\"slots\":4}}|"
}

# stats FILTER: whether the file stats has what the filter says; shows it if not.
stats() {
	jq -e "$1" stats >/dev/null || { echo "not so: $1" >&2; jq . stats >&2; return 1; }
}

# terminal COLUMNS COMMAND: runs it on a terminal of so many columns, what that
# was sent goes to the file screen.
terminal() {
	TERM=xterm timeout 60 script -qefc "stty cols $1; $2" /dev/null \
		</dev/null >screen 3>&-
}

# frames: each text that the terminal's last line was overwritten with.
frames() {
	tr '\r' '\n' <screen | sed 's/\x1b\[K//g' | grep ' done'
}

@test "--stats counts tasks, requests and bytes, by instance" {
	serve echo
	one=$port
	serve echo
	{ planned b "$port" 1 30; planned a "$one" 31 50; } >in
	run -0 svc-call --stats stats <in
	stats '.tasks == 50 and .ok == 50 and .failed == 0 and .passed == 0 and .codes == {}'
	stats '.attempts == 50 and .retries == 0 and .waits == 0 and .hedges == 0'
	stats '.bytes_sent == 91 and .bytes_received == 91'
	stats '[.instances[] | [.service, .id, .attempts, .ok, .bytes_sent]] == [["w", "a", 20, 20, 40], ["w", "b", 30, 30, 51]]'
	[ "$(wc -l <stats)" -eq 1 ]
}

@test "the statistics agree with the lines that came out, whatever happened" {
	serve echo delay=0.001
	registered good "$port"
	serve status status=500
	registered bad "$port"
	{ seq 200; echo '{"no json'; echo '{"id":"f","task":1,"error":{"code":"busy","message":"m"}}'; } >in
	svc-call -q --idempotent --retries 1 --stats stats w <in >out || true
	[ "$(wc -l <out)" -eq 202 ]
	jq -s '[.[] | select(.id != "f")]' out >ours
	for filter in length 'map(select(.error == null)) | length' \
		'map(.attempts // .error.attempts // 0) | add' \
		'map(.error.code // empty) | group_by(.) | map({(.[0]): length}) | add'; do
		jq -cS "$filter" ours
	done >want
	jq -cS '.tasks, .ok, .attempts, .codes' stats >got
	diff want got
	stats '.passed == 1 and .passed_failed == 1 and .ok + .failed == .tasks'
	stats '.retries == .attempts - 200'
	stats '.attempts == ([.instances[].attempts] | add)'
	stats '[.instances[] | .attempts == .ok + .busy + .failed + .dropped] == [true, true]'
}

@test "failures are counted by their code, and what passes is not" {
	serve status status=404 body=gone
	one=$port
	serve silent
	{
		planned a "$one" 1 3
		planned b "$port" 4 5 | sed 's/"task"/"timeout":0.2,"task"/'
		echo '{"broken'
		echo '{"task":1}'
		echo '{"id":"p","task":1,"error":{"code":"reset","message":"m"}}'
	} >in
	run svc-call -q --stats stats <in
	is 65
	stats '.codes == {"invalid": 1, "no-target": 1, "timeout": 2, "http": 3}'
	stats '.tasks == 7 and .ok == 0 and .failed == 7 and .passed == 1 and .passed_failed == 1'
	stats '.attempts == 5 and ([.instances[].failed] == [3, 2]) and .latency_ms == null'
	stats '.instances[0].bytes_received == 12 and .instances[0].latency_ms == null'
}

@test "retries after failures and waits for busy ones are counted apart" {
	serve fail status=503 times=2
	run -0 svc-call --stats stats < <(planned a "$port" 1 1)
	stats '.attempts == 3 and .retries == 2 and .waits == 0'
	stats '.instances[0] | .ok == 1 and .failed == 2 and .busy == 0'
	serve busy times=6
	run -0 svc-call --stats stats < <(planned a "$port" 1 1)
	stats '.attempts == 7 and .retries == 0 and .waits == 6'
	stats '.instances[0] | .ok == 1 and .failed == 0 and .busy == 6'
}

@test "what our own options forbid is no attempt, and takes nothing from the budget" {
	serve headers
	registered b "$port" -c slots=1
	svc-register -i a w http://10.0.0.1:9/task >/dev/null
	echo s3cret >token
	run -0 --separate-stderr svc-call -j 1 --policy round-robin --token-file token --stats stats w < <(seq 30)
	[ "$(jq -c '[.attempts, .result["svc-attempt"], .instance.id]' <<<"$output" | sort -u)" = '[1,"1","b"]' ]
	stats '.ok == 30 and .attempts == 30 and .retries == 0 and .waits == 0 and .bytes_sent == 51'
	stats '[.instances[] | [.id, .attempts, .ok]] == [["b", 30, 30]]'
	svc-register --remove w b >/dev/null
	run --separate-stderr svc-call --token-file token --stats stats -d 1 w
	is 1
	stats '.codes == {"forbidden": 1} and .attempts == 0 and .bytes_sent == 0 and .instances == []'
}

@test "where there is no connection there is an attempt, but no byte is sent" {
	serve echo
	kill "$pid"
	wait_gone "$pid" 10
	registered a "$port"
	run --separate-stderr svc-call -T 0.5s --stats stats -d '"twelve chars"' w
	is 1
	stats '.attempts > 2 and .waits == .attempts - 1 and .bytes_sent == 0'
	stats '.instances[0] | .busy == .attempts and .bytes_sent == 0'
	[ "$(jq .error.attempts <<<"$output")" -eq "$(jq .attempts stats)" ]
	svc-register --remove w a >/dev/null
	run --separate-stderr svc-call --retries 1 --stats stats < <(planned a 9 1 1 | sed 's/127.0.0.1/255.255.255.255/')
	is 1
	stats '.attempts == 2 and .retries == 1 and .bytes_sent == 0 and .instances[0].failed == 2'
}

@test "the bytes of a request that was sent and given up are counted" {
	serve silent
	run --separate-stderr svc-call -T 0.3s --stats stats < <(planned a "$port" 1 1)
	is 1
	stats '.attempts == 1 and .bytes_sent == 1'
	registered slow "$port"
	serve echo
	registered fast "$port"
	run -0 svc-call --policy round-robin --hedge 0.1s -T 20s --stats stats w < <(seq 2)
	stats '[.instances[] | [.id, .dropped, .bytes_sent]] == [["fast", 0, 2], ["slow", 1, 1]]'
}

@test "hedges, those that won and those that were dropped are counted" {
	serve silent
	registered slow "$port"
	serve echo
	registered fast "$port"
	run -0 svc-call --policy round-robin --hedge 0.1s -T 20s --stats stats w < <(seq 2)
	stats '.ok == 2 and .attempts == 3 and .hedges == 1 and .hedges_won == 1 and .retries == 0'
	stats '[.instances[] | [.id, .attempts, .ok, .dropped]] == [["fast", 2, 2, 0], ["slow", 1, 0, 1]]'
	stats '.latency_ms.max >= 95 and .instances[0].latency_ms.max < .latency_ms.max'
}

@test "latencies, rate and seconds fit together" {
	serve echo delay=0.05
	run -0 svc-call --stats stats < <(planned a "$port" 1 40)
	stats '.latency_ms | .p50 >= 50 and .p90 >= .p50 and .p99 >= .p90 and .["p99.9"] >= .p99 and .max >= .["p99.9"]'
	stats '.instances[0].latency_ms | .p50 >= 50 and .max >= .p50'
	# 10 rounds of 4 slots
	stats '.seconds >= 0.5 and (.rate * .seconds - .tasks | fabs) < 0.5'
}

@test "the statistics of a run that a signal ends are written" {
	serve silent begun=begun
	registered a "$port" -c slots=1
	mkfifo in
	svc-call --stats stats w <in >out 3>&- &
	call=$!
	started+=("$call")
	exec 7>in
	seq 3 >&7
	until_true 10 test -s begun
	kill -TERM "$call"
	until_true 10 eval '[ "$(wc -l <out)" -eq 2 ]'
	kill -TERM "$call"
	wait "$call" || status=$?
	exec 7>&-
	[ "$status" -eq 143 ]
	stats '.codes == {"cancelled": 3} and .attempts == 1 and .instances[0].dropped == 1'
}

@test "the statistics of a run whose output breaks are written" {
	serve echo
	registered a "$port"
	{ svc-call --stats stats w < <(seq 20000) || echo $? >status; } | head -n 1
	stats '.tasks > 0 and .tasks < 20000'
	[ "$(cat status)" -eq 141 ]
	rm stats
	run bash -c 'seq 2000 | svc-call --stats stats w >/dev/full'
	is 74
	stats '.tasks > 0'
}

@test "the file is replaced as a whole, and keeps its mode" {
	serve echo
	registered a "$port"
	echo old >stats
	chmod 640 stats
	ln stats before
	run -0 svc-call --stats stats -d 1 w
	stats '.tasks == 1'
	[ "$(cat before)" = old ]
	[ "$(stat -c %a stats)" = 640 ]
	[ -z "$(find . -name '.stats*')" ]
}

@test "a file that cannot be written is told before anything is sent" {
	serve echo log=log
	registered a "$port"
	mkdir directory
	ln -s target link
	for path in none/stats directory link ''; do
		run svc-call --stats "$path" -d 1 w
		[ "$status" -eq 73 ] || { [ -z "$path" ] && is 64; }
		says 'svc-call: --stats: '
	done
	[ ! -e log ] && [ ! -e target ]
}

@test "statistics that cannot be written at the end are 74, and the output is whole" {
	serve echo
	registered a "$port"
	run --separate-stderr svc-call --stats /dev/full -o result w < <(seq 3)
	is 74
	[ "$(sort <<<"$output" | tr '\n' ' ')" = "1 2 3 " ]
	[ "$stderr" = "svc-call: --stats: '/dev/full': No space left on device" ]
	mkfifo pipe
	run timeout 20 svc-call --stats pipe -d 1 w
	is 74
}

@test "statistics go to standard error, and into pipes, when asked to" {
	serve echo
	registered a "$port"
	for path in - /dev/stderr; do
		svc-call --stats "$path" -d 1 w 2>stats >out
		stats '.tasks == 1'
		[ "$(jq .result out)" = 1 ]
	done
	rm stats
	svc-call --stats >(cat >piped && mv piped stats) -d 1 w
	until_true 10 test -e stats
	stats '.tasks == 1'
}

@test "without tasks there are zeros and nulls" {
	run -0 svc-call --stats stats w </dev/null
	stats '.tasks == 0 and .codes == {} and .latency_ms == null and .rate == 0 and .instances == []'
}

@test "--progress draws a bar on a terminal that fills as the file is done" {
	serve echo delay=0.02
	registered a "$port" -c slots=4
	seq 200 >in
	terminal 100 'svc-call --stats stats --progress w <in >out'
	[ "$(wc -l <out)" -eq 200 ]
	frames >shown
	[ "$(wc -l <shown)" -ge 5 ]
	run ! grep -vE '^\[=*>? *\] +[0-9]+%  [0-9]+ done(, [0-9]+ in flight)?  [0-9.]+/s(  (ETA|in) [0-9]+s)?$' shown
	sed -E 's/.*\] +([0-9]+)%.*/\1/' shown | sort -nc
	tail -n 1 shown | grep -E '^\[=+\] 100%  200 done  [0-9]+/s  in [0-9]+s$'
	# at most ten a second, the first and the last beside
	stats ".seconds * 11.2 + 3 >= $(wc -l <shown)"
}

@test "--progress fits into the terminal's width" {
	serve echo delay=0.02
	registered a "$port" -c slots=4
	seq 40 >in
	for columns in 20 40 60; do
		terminal "$columns" 'svc-call --progress w <in >out'
		frames | awk -v columns="$columns" 'length >= columns { exit 1 }'
		frames | tail -n 1 | grep -q '40 done'
	done
}

@test "--progress in a pipe knows no end, and tells failures" {
	serve status status=404
	registered a "$port" -c slots=2
	mkfifo in
	terminal 100 'svc-call --progress w <in >out' &
	started+=($!)
	exec 7>in
	seq 5 >&7
	until_true 10 eval 'frames | grep -qE "^5 done, 5 failed  [0-9.]+/s  [0-9]+s"'
	run ! grep -q '%' screen
	exec 7>&-
	wait "${started[-1]}" || true
	frames | tail -n 1 | grep -E '100%  5 done, 5 failed  [0-9.]+/s  in [0-9]+s'
}

@test "after an interrupt --progress tells what was done, and what was cancelled" {
	serve echo delay=0.05
	registered a "$port" -c slots=2
	seq 2000 >in
	echo 'echo $$ >caller; exec svc-call -j 4 --progress w >out' >call
	for from in 'sh call <in' 'cat in | sh call'; do
		rm -f caller
		terminal 100 "$from" &
		started+=($!)
		until_true 10 eval 'frames 2>/dev/null | grep -qE "(^| )[1-9][0-9]* done"'
		kill -INT "$(cat caller)"
		wait "${started[-1]}" || true
		done=$(jq -s 'map(select(.error | not)) | length' out)
		cancelled=$(jq -s 'map(select(.error.code == "cancelled")) | length' out)
		[ "$cancelled" -ge 1 ]
		frames | tail -n 1 | tee last
		grep -qE "(^|[0-9]+%  )$done done, $cancelled cancelled  [0-9.]+/s  in [0-9]+s$" last
		run ! grep -q '100%' last
		rm screen
	done
}

@test "the line is taken away before a warning, and comes back" {
	serve echo
	registered a "$port"
	mkfifo in
	terminal 100 'svc-call --progress w <in >out' &
	started+=($!)
	exec 7>in
	seq 5 >&7
	until_true 10 eval 'frames | grep -q "^5 done"'
	echo '{"broken' >&7
	until_true 10 eval 'frames | grep -q "^6 done, 1 failed"'
	exec 7>&-
	wait "${started[-1]}" || true
	grep -a 'stdin:6' screen | tr -d '\n' >warned
	# the last thing before the message erases the line
	grep -aqE $'\r\x1b\\[Ksvc-call: stdin:6: [^\x1b]*\r$' warned
}

@test "without a terminal --progress is one line at the end" {
	serve echo
	registered a "$port"
	seq 300 | svc-call --progress w 2>said >out
	[ "$(wc -l <said)" -eq 1 ]
	grep -E '^svc-call: 300 done  [0-9.]+/s  in [0-9]+s$' said
	run ! grep -q $'[\r\x1b]' said
}

@test "nothing is drawn into output on the same terminal, nor on a dumb one" {
	serve echo delay=0.02
	registered a "$port" -c slots=2
	seq 40 >in
	terminal 100 'svc-call --progress -o result w <in'
	[ "$(grep -c 'done' screen)" -eq 1 ]
	run ! grep -q $'\x1b' screen
	terminal 100 'TERM=dumb svc-call --progress w <in >out'
	[ "$(grep -c 'svc-call: 40 done' screen)" -eq 1 ]
	run ! grep -q $'\x1b' screen
}
