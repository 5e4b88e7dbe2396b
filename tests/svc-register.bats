#!/usr/bin/env bats
# svc-register: what it stores, refuses, keeps alive and takes back.
# shellcheck disable=SC2016,SC2154

load lib/common
bats_require_minimum_version 1.5.0

# serve [OPTION...] -- a web server that is registered while it runs.
serve() {
	start env --default-signal=INT,QUIT svc-register "$@" \
		render 127.0.0.1:%p -- python3 -m http.server --bind 127.0.0.1 %p \
		>/dev/null 2>server.log
}

# hold COMMAND...: registered as render/held while COMMAND runs.
hold() {
	start env --default-signal=INT,QUIT svc-register -i held render \
		127.0.0.1:1 -- "$@"
}

found() { svc-discover -q render; }
gone() { ! svc-discover -q render; }

@test "the record is printed as it is stored, in the order of the page" {
	run svc-register -i web1 -l zone=eu-1 -c slots=4 -c mem=16G -u 0.42 \
		--accepts text/csv --produces application/pdf --meta git=abc \
		--check-http /health --interval 2 --ttl 30 render web1:8081
	is 0
	[ "$output" = '{"service":"render","id":"web1","address":"http://web1:8081/task","lease":"ttl","ttl":30,"capacity":{"slots":4,"mem":"16G"},"labels":{"zone":"eu-1"},"accepts":"text/csv","produces":"application/pdf","utilization":0.42,"check":{"http":"/health","interval":2,"timeout":1},"meta":{"git":"abc"}}' ]
	[ "$output" = "$(cat "$SVC_REGISTRY"/services/render/web1.json)" ]
}

@test "without a ttl or a command an instance stays until it is removed" {
	run svc-register --check-tcp render web1:8081
	is 0
	says '"lease":"none","check":{"tcp":true,"interval":5,"timeout":1}'
	found
	run svc-register --remove render web1-8081
	is 0
	gone
}

@test "-n prints what would be and writes nothing" {
	run svc-register -n render web1:8081
	is 0
	says '"id":"web1-8081"'
	[ ! -e "$SVC_REGISTRY/services" ]
	svc-register -q render web1:8081
	run svc-register -n --remove render web1-8081
	is 0
	says '"id":"web1-8081"'
	found
}

@test "-q prints nothing, and a verb stands before or after the names" {
	run svc-register -q render web1:8081
	[ "$status$output" = 0 ]
	run svc-register render web1-8081 --remove
	is 0
	gone
}

@test "what cannot be a record is refused before anything is written" {
	local row
	while read -ra row; do
		run svc-register "${row[@]}"
		is 64
	done <<-'END'
		render
		render web1
		render web1:0
		render 127.0.0.1:%p
		../x web1:80
		-i a/b render web1:80
		-l zone=a -l zone=b render web1:80
		-c mem=lots render web1:80
		-c slots=0 render web1:80
		-u -1 render web1:80
		--ttl 0 render web1:80
		--interval 5 render web1:80
		--check-tcp --check-http / render web1:80
		--ready-timeout 3 render web1:80
		render web1:80 word
		render web1:80 --
		--drain --undrain render a
		--wait render web1:80
		-l a=b -
		--remove render
		--remove --all render a
		--remove --ttl 3 render a
	END
	[ ! -e "$SVC_REGISTRY/services" ]
}

@test "an empty operand is refused, whatever the verb" {
	local verb
	for verb in --remove --renew --drain --undrain; do
		run svc-register "$verb" render ''
		is 64
		run svc-register "$verb" '' web1
		is 64
	done
	run svc-register --remove --all ''
	is 64
	run svc-register render ''
	is 64
}

@test "removing what is not there is 1, and says so" {
	run svc-register --remove render web1
	is 1
	says 'render/web1: no such instance'
	run svc-register --remove --all render
	is 1
	svc-register -q render web1:1
	svc-register -q render web2:1
	run svc-register --remove --all render
	is 0
	gone
}

@test "another owner's instance is not removed" {
	[ "$(id -u)" -eq 0 ] || skip 'needs two users'
	svc-register --create render --owner root
	svc-register -q -i theirs render web1:1
	chmod go+rx "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/test "$BATS_TEST_TMPDIR"
	chmod -R go+rx "$SVC_REGISTRY"
	install -m 755 "$SVCKIT_BIN/svc-register" "$BATS_TEST_TMPDIR/as-nobody"
	run setpriv --reuid=nobody --clear-groups "$BATS_TEST_TMPDIR/as-nobody" \
		-R "$SVC_REGISTRY" --remove render theirs
	is 77
	found
}

@test "root makes a service whose group adds and whose owner removes" {
	[ "$(id -u)" -eq 0 ] || skip 'needs root'
	run svc-register --create render --owner nobody
	is 0
	[ "$(stat -c '%a %U' "$SVC_REGISTRY/services/render")" = '3775 nobody' ]
	run svc-register --create render --owner no-such-user
	is 67
}

@test "of many lines the bad ones are told by number, the good ones stored" {
	printf '%s\n' '{"service":"render","address":"web1:1"}' '' 'nonsense' \
		'{"service":"render","address":"web2:1","ttl":30}' \
		'{"service":"render","address":"web3:1","lease":"lock"}' >lines
	run svc-register - <lines
	is 65
	says 'stdin:3: '
	says 'stdin:5: "lease":"lock" needs a process'
	[ "$(svc-discover -o '%{id}\n' render)" = $'web1-1\nweb2-1' ]
}

@test "a malformed check is refused at the door, by name" {
	run svc-register - <<<'{"service":"render","address":"web1:8081","check":{"http":17}}'
	is 65
	says 'stdin:1: "check.http": not a path (as in "/health"): 17'
	gone
	run svc-register --check-http '/a b' render web1:8081
	is 64
	says '"check.http": not a path'
	gone
}

@test "a malformed check hides no instance that is registered" {
	svc-register -q --check-tcp render web1:8081
	local record=$SVC_REGISTRY/services/render/web1-8081.json
	sed -i 's/"tcp":true/"tcp":17/' "$record"
	run svc-discover render
	is 0
	says '"tcp":17'
	mkdir -p "$SVC_REGISTRY/health"
	echo '{"id":"other","status":"passing"}' >"$SVC_REGISTRY/health/render"
	run svc-discover -a render
	says '"status":"unknown"'
}

@test "10,000 lines are one command" {
	seq 10000 | sed 's/.*/{"service":"render","id":"i&","address":"web&:1","ttl":600}/' >lines
	run bash -c 'svc-register - <lines | wc -l'
	is 0
	[ "$output" -eq 10000 ]
	[ "$(find "$SVC_REGISTRY/services/render" -name '*.json' | wc -l)" -eq 10000 ]
}

@test "what svc-discover prints can be registered elsewhere" {
	svc-register -q -u 0.5 -l zone=a render web1:1
	svc-register render web1:1 | svc-register -q -R "$BATS_TEST_TMPDIR/copy" -
	svc-discover | svc-register -q -R "$BATS_TEST_TMPDIR/copy" -
	[ "$(cat copy/services/render/web1-1.json)" = \
		"$(cat "$SVC_REGISTRY/services/render/web1-1.json")" ]
}

@test "a copy keeps what is pinned, and carries no load" {
	svc-register -q -u 0.5 -i pin render web1:1
	svc-discover render | svc-register -q -R "$BATS_TEST_TMPDIR/copy" -
	cmp {copy,"$SVC_REGISTRY"}/services/render/pin.json
	echo '{"service":"render","address":"web2:1","utilization":0.5,
	    "reported":"2026-11-22T10:00:00Z"}' | tr -d '\n' | svc-register - >record
	jq -e 'has("utilization") or has("reported") | not' record
}

@test "--renew is a heartbeat" {
	svc-register -q --ttl 600 -i web1 render web1:1
	touch -d '5 minutes ago' "$SVC_REGISTRY/services/render/web1.json"
	age=$(svc-discover -o '%{age}\n' render)
	[ "${age%.*}" -ge 299 ]
	run svc-register --renew render web1
	is 0
	age=$(svc-discover -o '%{age}\n' render)
	[ "${age%.*}" -lt 299 ]
}

@test "a drained instance gets no work until it is undrained" {
	svc-register -q -i web1 render web1:1
	svc-register --drain render web1
	gone
	[ "$(svc-discover -a -o '%{status}\n' render)" = draining ]
	svc-register --undrain render web1
	found
	run svc-register --drain render web2
	is 1
}

@test "a drained id drains when it is registered again, and that is said" {
	local lease
	svc-register -q -i web1 render web1:1
	svc-register --drain render web1
	run svc-register -i web1 render web1:1
	is 0
	says 'svc-register: render/web1: drains: no work until --undrain'
	for lease in '' '--ttl 30'; do
		# shellcheck disable=SC2086
		run svc-register $lease -i web1 render web1:1 -- true
		says 'render/web1: drains'
	done
	svc-register -q -i web1 render web1:1
	svc-register --remove render web1
	run --separate-stderr svc-register -i web1 render web1:1
	[ "$stderr" = '' ]
}

@test "many are removed with one sync" {
	needs strace
	seq 50 | sed 's/.*/{"service":"render","address":"web&:1"}/' | svc-register -q -
	# LeakSanitizer does not work under ptrace.
	ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 \
		strace -o trace -e trace=fsync,fdatasync,syncfs svc-register --remove --all render
	[ "$(grep -c sync trace)" -eq 1 ]
	[ "$(find "$SVC_REGISTRY/services/render" -type f ! -name .lock | wc -l)" -eq 0 ]
	svc-register -q render web1:1
	svc-register -q render web2:1
	run svc-register --remove render web1-1 web3-1 web2-1
	is 1
	says 'render/web3-1: no such instance'
	gone
}

# busy_server: says what the file busy has; its port is in the file port.
busy_server() {
	cat >busy.py <<-'END'
		import http.server
		class Handler(http.server.BaseHTTPRequestHandler):
		    def do_GET(self):
		        open("asked", "a").write(self.requestline + "\n")
		        body = open("busy", "rb").read()
		        self.send_response(200)
		        self.send_header("Content-Length", str(len(body)))
		        self.end_headers()
		        self.wfile.write(body)
		server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
		print(server.server_port, file=open("port.new", "w"), flush=True)
		import os; os.rename("port.new", "port")
		server.serve_forever()
	END
	start python3 busy.py 2>/dev/null
	until_true 20 test -s port
}

@test "--drain -w waits until the instance says that it is idle" {
	echo '{"status":"passing","busy":2}' >busy
	busy_server
	svc-register -q -i web1 render "127.0.0.1:$(cat port)"
	run svc-register --drain render web1 -w -T 300ms
	is 124
	says 'render/web1: still busy'
	start svc-register --drain --wait render web1
	kill -0 "$pid"
	echo '{"status":"passing","busy":0}' >busy.new && mv busy.new busy
	wait "$pid"
}

@test "--drain -w: who has answered once and is gone is idle, who never did is not known" {
	echo '{"busy":1}' >busy
	busy_server
	local server=$pid
	svc-register -q -i web1 render "127.0.0.1:$(cat port)"
	start svc-register --drain -w -T 20s render web1
	kill -0 "$pid"
	until_true 10 grep -q GET asked
	kill "$server"
	wait "$pid"
	run svc-register --drain -w -T 300ms render web1
	is 69
	says 'its load is not known'
}

@test "--drain -w over a unix socket: its check's path is asked" {
	cat >unix.py <<-'END'
		import os, socket
		server = socket.socket(socket.AF_UNIX)
		server.bind("new.sock"); server.listen(5); os.rename("new.sock", "s.sock")
		while True:
		    peer, _ = server.accept()
		    request = peer.recv(65536).split(b"\r\n")[0]
		    open("asked", "ab").write(request + b"\n")
		    body = open("busy", "rb").read()
		    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n"
		        b"Connection: close\r\n\r\n" % len(body) + body)
		    peer.close()
	END
	echo '{"busy":0}' >busy
	start python3 unix.py
	until_true 10 test -S s.sock
	svc-register -q -i web1 --check-http /load render "http+unix://$PWD/s.sock:/task"
	svc-register --drain -w -T 10s render web1
	[ "$(sort -u asked)" = 'GET /load HTTP/1.1' ]
}

@test "--drain -w says when nobody knows the load" {
	echo '{}' >busy
	busy_server
	svc-register -q -i web1 render "127.0.0.1:$(cat port)"
	run svc-register --drain -w render web1
	is 69
	says 'its load is not known'
	[ "$(svc-discover -a -o '%{status}\n' render)" = draining ]
}

@test "an instance is registered while its command runs, with its environment" {
	run svc-register -i web1 render 127.0.0.1:%p -- bash -c \
		'svc-discover -o "%{id} %{address} %{lease}\n" render
		echo "$SVC_NAME $SVC_ID $SVC_ADDRESS $PORT $1"; exit 7' sh %p
	is 7
	read -r id address lease <<<"${lines[0]}"
	port=${address#http://127.0.0.1:} port=${port%/task}
	[ "$id $lease" = 'web1 lock' ]
	[ "${lines[1]}" = "render web1 $address $port $port" ]
	gone
}

@test "a percent sign is only special where the address has a %p" {
	run svc-register render 127.0.0.1:1 -- echo '%p %% 5%'
	[ "$output" = '%p %% 5%' ]
	run svc-register render 127.0.0.1:%p -- echo '%%p %% 5%'
	[ "$output" = '%p % 5%' ]
}

@test "the exit status is a wrapper's" {
	run svc-register render 127.0.0.1:1 -- false
	is 1
	run -127 svc-register render 127.0.0.1:1 -- no-such-command
	run svc-register render 127.0.0.1:1 -- /etc/passwd
	is 126
	run svc-register render 127.0.0.1:1 -- sh -c 'kill -KILL $$'
	is 137
	run svc-register render 127.0.0.1:1 -- sh -c 'kill -SEGV $$'
	is 139
	gone
}

@test "with a check it is registered when the check first passes" {
	serve --check-http /
	until_true 30 found
	address=$(svc-discover -o '%{address}\n' render)
	run python3 -c 'import sys, urllib.request as u
print(u.urlopen(sys.argv[1]).status)' "${address%task}"
	[ "$output" = 200 ]
	kill "$pid"
	wait "$pid" || [ $? -eq 143 ]
	gone
}

@test "a check that does not pass in time stops the command" {
	run svc-register --check-tcp --ready-timeout 300ms render 127.0.0.1:%p \
		-- bash -c 'trap "echo told to end; exit 0" TERM; read -r <> <(:)'
	is 125
	says 'told to end'
	says 'not ready within 300ms: connection refused'
	gone
}

@test "a command that dies before its check passes tells its own status" {
	run svc-register --check-tcp render 127.0.0.1:%p -- sh -c 'exit 9'
	is 9
}

@test "kill -9 of the wrapper: gone at once, and the command ends" {
	hold bash -c 'echo $$ >child; exec sleep 600'
	until_true 10 test -s child
	found
	kill -9 "$pid"
	wait "$pid" || :
	gone
	wait_gone "$(cat child)" 10
}

@test "TERM takes the instance out first, then reaches the command" {
	hold bash -c 'trap "svc-discover -q render; echo \$? >seen; exit 3" TERM
		echo >up; while :; do read -rt 0.05 <> <(:); done'
	until_true 10 test -e up
	kill "$pid"
	wait "$pid" || status=$?
	is 3
	[ "$(cat seen)" = 1 ]
}

# alone SIGNAL: a wrapper that does not ignore SIGNAL, as what runs in the
# background does, gets it alone; its status as a shell tells it.
alone() {
	python3 - "$1" <<-'END'
		import os, select, signal, subprocess, sys, time
		number = getattr(signal, "SIG" + sys.argv[1])
		signal.signal(number, signal.SIG_DFL)
		child = subprocess.Popen(["svc-register", "-i", "held", "render",
		    "127.0.0.1:1", "--", "bash", "-c", "trap 'svc-discover -q render;"
		    "echo $? >seen; exit 3' INT QUIT; echo >up; while :; do"
		    " read -rt 0.05 <> <(:); done"], restore_signals=False)
		end = time.monotonic() + 20
		while not os.path.exists("up") and time.monotonic() < end:
		    select.select([], [], [], 0.02)
		child.send_signal(number)
		sys.exit(child.wait(timeout=20))
	END
}

@test "INT and QUIT that only the wrapper got take the instance out and are passed on" {
	local name
	for name in INT QUIT; do
		rm -f up seen
		run alone "$name"
		is 3
		[ "$(cat seen)" = 1 ]
	done
}

@test "HUP, USR1 and USR2 are passed on, and it stays registered" {
	local name
	for name in HUP USR1 USR2; do
		hold bash -c "trap 'touch got$name' $name; touch up$name
			while :; do read -rt 0.05 <> <(:); done"
		until_true 10 test -e "up$name"
		kill -s "$name" "$pid"
		until_true 10 test -e "got$name"
		found
		kill "$pid"
		wait "$pid" || :
	done
}

@test "two holders of one id: the second is refused with 75" {
	hold sleep 600
	until_true 10 found
	run svc-register -i held render 127.0.0.1:2 -- touch started
	is 75
	run svc-register -i held --check-tcp render 127.0.0.1:2 -- touch started
	is 75
	run svc-register -i held render 127.0.0.1:2
	is 75
	[ ! -e started ]
	found
}

@test "the lock is not kept by what the command leaves behind" {
	run svc-register render 127.0.0.1:1 -- bash -c 'sleep 600 >/dev/null 2>&1 3>&- &
		echo $!'
	started+=("$output")
	is 0
	gone
}

@test "a record removed by hand stays removed, is told once, the command goes on" {
	hold sleep 600 2>log
	until_true 10 found
	rm "$SVC_REGISTRY/services/render/held.json"
	until_true 10 test -s log
	[ "$(wc -l <log)" -eq 1 ]
	grep -q 'held: its record was removed' log
	gone
	kill -0 "$pid"
}

@test "with --ttl a command is kept by heartbeats" {
	start svc-register -i held --ttl 1 render 127.0.0.1:1 -- sleep 600
	until_true 10 found
	file=$SVC_REGISTRY/services/render/held.json
	stamp() { [ "$(stat -c %z "$file")" != "$last" ]; }
	for _ in 1 2 3 4; do
		last=$(stat -c %z "$file")
		until_true 5 stamp
		found
	done
	kill "$pid"
	wait "$pid" || :
	[ ! -e "$file" ]
}

# loaded ID CONDITION: whether its load has been reported, and is so.
loaded() {
	svc-discover -a render |
		jq -se "any(.[]; .id == \"$1\" and .reported and (.utilization | $2))"
}

@test "the load of a command and of what it starts is reported" {
	hold sleep 600
	start svc-register -i busy -c slots=1 render 127.0.0.1:1 -- \
		sh -c 'while :; do :; done'
	start svc-register -i parent -c slots=1 render 127.0.0.1:1 -- \
		sh -c 'i=$$; (while kill -0 $i 2>/dev/null; do :; done) 3>&- & wait'
	until_true 20 loaded busy '. > 0.1'
	until_true 20 loaded parent '. > 0.1'
	until_true 20 loaded held '. < 0.05'
	# The record is the same, and its load none of it.
	jq -e '.lease == "lock" and .boot' "$SVC_REGISTRY/services/render/busy.json"
	svc-discover render | jq -c 'select(.id == "busy") | .lease = "none"' |
		svc-register -n - | jq -e 'has("utilization") or has("reported") | not'
}

@test "a pinned utilization is not reported over" {
	file=$SVC_REGISTRY/services/render/pin.json
	start svc-register -i pin -u 0.25 render 127.0.0.1:1 -- sh -c 'while :; do :; done'
	until_true 10 test -s "$file"
	cp "$file" before
	hold sleep 600
	until_true 20 loaded held '. >= 0'
	cmp before "$file"
	[ "$(svc-discover render | jq -c 'select(.id == "pin") | [.utilization, .pinned]')" = \
		'[0.25,true]' ]
}

@test "a record removed by hand stays removed although its load changes" {
	start svc-register -i busy -c slots=1 render 127.0.0.1:1 -- \
		sh -c 'while :; do :; done' 2>log
	until_true 10 found
	rm "$SVC_REGISTRY/services/render/busy.json"
	hold sleep 600
	until_true 20 loaded held '. >= 0'
	[ "$(svc-discover -a render | jq -r .id)" = held ]
	[ "$(grep -c 'busy: its record was removed' log)" -eq 1 ]
}

# changes FIRST LAST: another instance of render is written so many times.
changes() {
	for ((i = $1; i <= $2; i++)); do
		echo "$i" >"$SVC_REGISTRY/services/render/.tmp"
		mv "$SVC_REGISTRY/services/render/"{.tmp,other.json}
		read -rt 0.02 <> <(:) || :
	done
}

# switches: how often the process pid has waited for something.
switches() { awk '/^voluntary/ { print $2 }' "/proc/$pid/status"; }

@test "what other instances report does not wake a registered command each time" {
	hold sleep 600 2>log
	until_true 10 found
	changes 1 1
	before=$(switches)
	changes 2 101
	[ $(($(switches) - before)) -lt 50 ]
	# It still hears what becomes of its own record.
	rm "$SVC_REGISTRY/services/render/held.json"
	until_true 10 grep -q 'held: its record was removed' log
}

# in_terminal SCRIPT: runs it by an interactive-like bash on a terminal of its
# own, presses ^C once the file up exists, prints "ended" and its status.
in_terminal() {
	python3 - "$1" <<-'END'
		import os, pty, select, sys, time
		pid, terminal = pty.fork()
		if pid == 0:
		    os.execvp("bash", ["bash", "-c", sys.argv[1]])
		deadline, pressed = time.monotonic() + 20, False
		while time.monotonic() < deadline:
		    if not pressed and os.path.exists("up"):
		        os.write(terminal, b"\x03")
		        pressed = True
		    try:
		        if select.select([terminal], [], [], 0.02)[0]:
		            os.read(terminal, 4096)
		    except OSError:
		        break
		print("ended", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
	END
}

@test "^C on a terminal ends the command once, the wrapper and the loop" {
	run timeout 30 bash -c "$(declare -f in_terminal); in_terminal '
		trap - INT
		for i in 1 2 3; do
			echo \$i >>rounds
			svc-register render 127.0.0.1:1 -- bash -c \"
				trap \\\"echo >>ints; trap - INT; kill -INT \\\\\\\$\\\\\\\$\\\" INT
				touch up
				while :; do read -rt 0.05 <> <(:); done\"
		done'"
	is 0
	says 'ended -2'
	[ "$(wc -l <rounds) $(wc -l <ints)" = '1 1' ]
	gone
}

@test "it never links what fetches over the network for others" {
	run ldd "$SVCKIT_BIN/svc-register"
	is 0
	[[ $output != *libcurl* ]]
}

@test "without a registry nothing is removed, and one that cannot be made is 73" {
	export SVC_REGISTRY=$PWD/missing
	run svc-register --remove render web1
	is 1
	says "render/web1: no such instance"
	run svc-register --remove --all render
	is 1
	says "render: no instances in the registry $SVC_REGISTRY"
	[ ! -e "$SVC_REGISTRY" ]
	run svc-register -R /proc/nope/registry render web1:8081
	is 73
	says "registry /proc/nope/registry: cannot make /proc/nope"
	run svc-register -R /proc/1 render web1:8081
	says "registry /proc/1"
}

@test "options behind the operands are taken, and refused by their name" {
	svc-register render web1:8081 -l zone=eu-1 | grep -q '"zone":"eu-1"'
	run svc-register render web1:8081 --ttl 5x
	is 64
	says "--ttl: not a duration: '5x'"
	run svc-register --remove --drain render web1
	is 64
	says "--remove and --drain exclude each other"
}
