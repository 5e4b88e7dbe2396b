#!/usr/bin/env bats
# svc-discover(1): what is printed, what is not, and why not.
bats_require_minimum_version 1.5.0

load lib/common

# three: one instance that passes in each of two zones, one that has expired.
three() {
	svc-register -i a -l zone=eu-1 -c mem=16G -u 0.5 render 127.0.0.1:1 >/dev/null
	svc-register -i b -l zone=eu-2 -c mem=2G -u 0.05 render 127.0.0.1:2 >/dev/null
	svc-register -i c --ttl 0.001 render 127.0.0.1:3 >/dev/null
	until_true 10 expired c
}

expired() {
	svc-discover -q --status expired | jq -e --arg id "$1" 'select(.id == $id)'
}

# observed SERVICE ID STATUS: what a prober writes.
observed() {
	(umask 077 && mkdir -p "$SVC_REGISTRY/health")
	printf '{"id":"%s","status":"%s","reason":"connection refused"}\n' "$2" "$3" \
		>>"$SVC_REGISTRY/health/$1"
}

# on_terminal COLUMNS COMMAND...: its output on a terminal of that width.
on_terminal() {
	python3 - "$@" <<-'PY'
		import fcntl, os, pty, struct, sys, termios
		pid, fd = pty.fork()
		if pid == 0:
		    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("4H", 24, int(sys.argv[1]), 0, 0))
		    os.execvp(sys.argv[2], sys.argv[2:])
		out = b""
		try:
		    while chunk := os.read(fd, 65536):
		        out += chunk
		except OSError:
		    pass
		sys.stdout.buffer.write(out.replace(b"\r\n", b"\n"))
		sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
	PY
}

@test "into a pipe it prints one instance line each, sorted by service and id" {
	svc-register -i z alpha 127.0.0.1:1
	svc-register -i b render 127.0.0.1:2
	svc-register -i a render 127.0.0.1:3
	svc-discover >out
	[ "$(jq -r '"\(.service)/\(.id)"' out | tr '\n' ' ')" = 'alpha/z render/a render/b ' ]
	[ "$(wc -l <out)" -eq 3 ]
	jq -e '.status == "passing" and .utilization == 0 and .age >= 0' out
	[ "$(jq -r .owner out | sort -u)" = "$(id -un)" ]
}

@test "it prints the services asked for, each once" {
	three
	svc-register other 127.0.0.1:9
	svc-register third 127.0.0.1:8
	[ "$(svc-discover third render render | jq -r .service | tr '\n' ' ')" = \
		'render render third ' ]
}

@test "by default it prints what may get work, with -a everything" {
	three
	[ "$(svc-discover render | jq -r .id | tr '\n' ' ')" = 'a b ' ]
	[ "$(svc-discover -a render | jq -r .id | tr '\n' ' ')" = 'a b c ' ]
	svc-register --drain render a
	[ "$(svc-discover render | jq -r .id)" = b ]
}

@test "what warns gets work only where nothing passes" {
	svc-register -i a render 127.0.0.1:1
	svc-register -i b -l zone=x render 127.0.0.1:2
	observed render b warning
	[ "$(svc-discover render | jq -r .id)" = a ]
	[ "$(svc-discover -l zone=x render | jq -r .id)" = b ]
	observed render a critical
	[ "$(svc-discover render | jq -r .id)" = b ]
}

@test "--status prints those of the list, whatever else" {
	three
	[ "$(svc-discover --status expired | jq -r .id)" = c ]
	[ "$(svc-discover --status passing,expired | wc -l)" -eq 3 ]
	run svc-discover --status passing,dead
	is 64
	says "'dead'"
	says 'warning, unknown, critical, draining'
	run svc-discover --status ''
	is 64
}

@test "-l selects by labels and capacity" {
	three
	[ "$(svc-discover -l zone=eu-1 | jq -r .id)" = a ]
	[ "$(svc-discover -l 'capacity.mem>=8G' | jq -r .id)" = a ]
	run svc-discover -l 'zone in'
	is 64
}

@test "-1 prints the first after sorting" {
	three
	[ "$(svc-discover -1 render | jq -r .id)" = a ]
	[ "$(svc-discover -1 --sort utilization | jq -r .id)" = b ]
}

@test "--sort compares numbers with their units, - turns it round, the missing come last" {
	three
	svc-register -i d render 127.0.0.1:4
	order() { svc-discover --sort "$1" render | jq -r .id | tr -d '\n'; }
	[ "$(order capacity.mem)" = bad ]
	[ "$(order -capacity.mem)" = abd ]
	[ "$(order -labels.zone)" = bad ]
	run svc-discover --sort nothing render
	is 0
	says "no instance has the member 'nothing'"
	run svc-discover --sort '' render
	is 64
}

@test "--owner prints what that user registered" {
	three
	[ "$(svc-discover --owner "$(id -un)" | wc -l)" -eq 2 ]
	run svc-discover --owner nobody-of-that-name render
	is 1
	says "render: 3 instances, none is owned by 'nobody-of-that-name'"
}

@test "--names prints the services, with -a those without instances too" {
	three
	svc-register -i x gone 127.0.0.1:9
	svc-register --remove gone x
	svc-register other 127.0.0.1:8
	[ "$(svc-discover --names | tr '\n' ' ')" = 'other render ' ]
	[ "$(svc-discover --names -a | tr '\n' ' ')" = 'gone other render ' ]
	[ "$(svc-discover --names -1)" = other ]
	[ "$(svc-discover --names -l zone=eu-1)" = render ]
	run svc-discover --names -o json
	is 64
}

@test "a FORMAT prints members, and a string without %{ is no format" {
	three
	[ "$(svc-discover -o '%{address}\t%{labels.zone}\n' render)" = \
		$'http://127.0.0.1:1/task\teu-1\nhttp://127.0.0.1:2/task\teu-2' ]
	[ "$(svc-discover -o '%{id}%%' -1 render)" = a% ]
	run svc-discover -o yaml render
	is 64
	says "'yaml'"
	run svc-discover -o '%{id' render
	is 64
}

@test "-o address prints a URL a line, -o tsv eight columns" {
	three
	[ "$(svc-discover -o address render | tail -n 1)" = http://127.0.0.1:2/task ]
	[ "$(svc-discover -o tsv render | awk -F '\t' '{ print NF }' | sort -u)" = 8 ]
	[ "$(svc-discover -o tsv render | cut -f 1,2,4,5,8 | head -n 1)" = \
		$'render\ta\tpassing\t0.5\tzone=eu-1' ]
}

@test "-o prometheus is a file for file_sd_config" {
	three
	svc-register -i s render http+unix:///run/x.sock:/task
	svc-discover -o prometheus >targets.json
	python3 - targets.json <<-'PY'
		import json, re, sys
		groups = json.load(open(sys.argv[1]))
		assert [g["targets"] for g in groups] == [["127.0.0.1:1"], ["127.0.0.1:2"]], groups
		for group in groups:
		    assert set(group) == {"targets", "labels"}
		    for name, value in group["labels"].items():
		        assert re.fullmatch("[a-zA-Z_][a-zA-Z0-9_]*", name) and isinstance(value, str)
		assert groups[0]["labels"]["service"] == "render"
		assert groups[0]["labels"]["__meta_svckit_label_zone"] == "eu-1"
	PY
	run --separate-stderr svc-discover -o prometheus nothing
	is 1
	[ "$output" = '[]' ]
}

@test "-o prometheus has no label twice, the first of the record stands" {
	svc-register -i a -l a.b=1 -l a-b=2 -l 'a_b=,"__meta_svckit_label_c":' -l c=3 render 127.0.0.1:1
	svc-discover -o prometheus >targets.json
	python3 - targets.json <<-'PY'
		import json, sys
		def once(pairs):
		    assert len(pairs) == len(dict(pairs)), pairs
		    return dict(pairs)
		labels = json.load(open(sys.argv[1]), object_pairs_hook=once)[0]["labels"]
		assert labels["__meta_svckit_label_a_b"] == "1" and labels["__meta_svckit_label_c"] == "3"
	PY
}

@test "nothing found is 1 with the sentence that says why" {
	three
	svc-register --drain render a
	svc-register --drain render b
	run svc-discover render
	is 1
	says 'svc-discover: render: 3 instances, none available: '
	says '2 draining'
	says '1 expired'
	run svc-discover -l zone=mars render
	says "render: 3 instances, none matches 'zone=mars'"
	run svc-discover --status critical,unknown render
	says 'render: 3 instances, none unknown or critical'
	run svc-discover -q render
	is 1
	[ -z "$output" ]
}

@test "the sentence tells why an instance is critical" {
	svc-register -i a render 127.0.0.1:1
	observed render a critical
	run svc-discover render
	is 1
	says 'render: 1 instance, none available: 1 critical (connection refused)'
	run svc-discover
	is 1
	says 'svc-discover: 1 instance, none available'
}

@test "one of several services missing is 1, and the others are printed" {
	three
	run --separate-stderr svc-discover render nothing
	is 1
	[ "$(wc -l <<<"$output")" -eq 2 ]
	[ "$stderr" = "svc-discover: nothing: no instances in the registry $SVC_REGISTRY" ]
}

@test "a registry that does not exist has nothing, and the sentence says where" {
	run svc-discover -R "$PWD/missing" render
	is 1
	says "render: no instances in the registry $PWD/missing"
	run svc-discover -R "$PWD/missing"
	is 1
	says "no instances in the registry $PWD/missing"
	[ ! -e missing ]
}

@test "-R beats SVC_REGISTRY, which beats the user's own, and -v says which" {
	run svc-discover -v -R "$PWD/other"
	says "svc-discover: registry $PWD/other"
	run svc-discover -v
	says "svc-discover: registry $SVC_REGISTRY"
	unset SVC_REGISTRY
	(umask 077 && mkdir -p "$HOME/.local/state/svckit" state/svckit)
	run svc-discover -v
	says "svc-discover: registry $HOME/.local/state/svckit"
	XDG_STATE_HOME=$PWD/state run svc-discover -v
	says "svc-discover: registry $PWD/state/svckit"
	run svc-discover -R ''
	is 64
}

@test "-w waits until there is something, and prints it" {
	start svc-discover -w render >out
	waiting=$pid
	svc-register -i x other 127.0.0.1:2
	kill -0 "$waiting"
	svc-register -i a render 127.0.0.1:1
	wait "$waiting"
	[ "$(jq -r .id out)" = a ]
}

@test "-w waits for each of several services" {
	svc-register -i a one 127.0.0.1:1
	start svc-discover -w -T 20 -o '%{service}' one two >out
	waiting=$pid
	svc-register --remove one a
	svc-register -i b two 127.0.0.1:2
	until_true 10 svc-discover two
	[ ! -s out ]
	svc-register -i a one 127.0.0.1:1
	wait "$waiting"
	[ "$(tr '\n' ' ' <out)" = 'one two ' ]
}

@test "-w that ran out is 124, and prints why" {
	three
	run --separate-stderr svc-discover -w -T 50ms -l zone=mars render
	is 124
	[ -z "$output" ]
	[[ $stderr == *"none matches 'zone=mars'"* ]]
	run svc-discover -T 1 render
	is 64
	run svc-discover -w -T soon render
	is 64
	says "'soon'"
}

@test "-w waits for a registry that does not exist yet" {
	start svc-discover -R "$PWD/later" -w -T 20 render >out
	waiting=$pid
	until_true 10 test -d later
	svc-register -R "$PWD/later" -i a render 127.0.0.1:1
	wait "$waiting"
	[ "$(jq -r .id out)" = a ]
}

@test "a wait ends at once by the signal that it gets" {
	start svc-discover -w render
	kill -TERM "$pid"
	status=0
	wait "$pid" || status=$?
	is 143
}

@test "on a terminal it prints a table that fits" {
	three
	on_terminal 70 svc-discover render >out
	[[ $(head -n 1 out | tr -s ' ') =~ ^'SERVICE ID ADDRESS STATUS LOAD AGE LABELS' ]]
	[ "$(wc -l <out)" -eq 3 ]
	sed 's/\x1b\[[0-9;]*m//g; s/…/./g' out | awk 'length > 70 { exit 1 }'
	grep -q '0\.05' out
	[ "$(on_terminal 70 svc-discover -o address -1 render)" = http://127.0.0.1:1/task ]
}

@test "what the table cuts ends with a mark: labels first, addresses last" {
	svc-register -q -l zone=europe-north -i a-long-name-of-an-instance render 127.0.0.1:8080
	TERM=dumb on_terminal 90 svc-discover render >out
	grep -Eq 'a-long-name-of-an-instance .* passing .* zone=[a-z-]*…$' out
	TERM=dumb on_terminal 60 svc-discover render >out
	grep -q ' a-l… http://127.0.0.1:8080.* passing .* zone=…$' out
	LC_ALL=C TERM=dumb on_terminal 60 svc-discover render | grep -qF ' zon...'
	sed 's/…/./g' out | awk 'length > 60 { exit 1 }'
}

@test "an option behind a name is refused as one" {
	run svc-discover foo -a
	is 64
	says "options come before NAME: '-a'"
	run svc-discover -T 5x -w foo
	is 64
	says "--timeout: not a duration: '5x' (say 250ms"
}

@test "only a terminal that can, and nobody forbids, gets colours" {
	three
	unset NO_COLOR
	TERM=xterm on_terminal 90 svc-discover render | grep -q $'\e\\[[0-9;]*mpassing'
	for setting in NO_COLOR=1 TERM=dumb; do
		TERM=xterm on_terminal 90 env "$setting" svc-discover render >out
		grep -q passing out
		[ -z "$(grep $'\e' out)" ]
	done
	[ -z "$(TERM=xterm svc-discover -o table render | grep $'\e')" ]
}

@test "control characters in a record are inert in every format but json" {
	svc-register -i a -l $'x=\e[2J\u202e\x7f\u009b1m' render 127.0.0.1:1
	for format in table tsv '%{labels.x}' '%{labels}'; do
		svc-discover -o "$format" render >out
		[ -z "$(LC_ALL=C grep -P '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80\xae' out)" ]
	done
	[ "$(svc-discover -o '%{labels.x}' render)" = '\x1b[2J\u{202e}\x7f\u{009b}1m' ]
	on_terminal 100 svc-discover render | grep -qF '\x1b[2J'
}

@test "the table shows letters of other scripts, also where the locale has none" {
	svc-register -i a -l zone=münchen-and-a-long-name-that-is-cut render 127.0.0.1:1
	svc-discover -o table render | grep -q zone=münchen
	LC_ALL=C timeout 20 svc-discover -o table render | grep -qF 'zone=m\xc3\xbcnchen'
	export LC_ALL=C
	on_terminal 60 timeout 20 svc-discover render | grep -q '127.0'
}

@test "a registry that is a file is 66, one that cannot be made 73" {
	: >file
	run svc-discover -R file
	is 66
	says "registry file: Not a directory"
	run svc-discover -w -R /proc/nope/registry
	is 73
	says "registry /proc/nope/registry: cannot make /proc/nope"
}

@test "hostile files are skipped with a warning each" {
	three
	cd "$SVC_REGISTRY/services/render"
	ln -s /etc/passwd link.json
	mkfifo fifo.json
	echo '{"service":"render","id":"other","address":"http://h:1/"}' >liar.json
	echo '{"service"' >broken.json
	head -c 70000 /dev/zero | tr '\0' ' ' >large.json
	: >empty.json
	run --separate-stderr timeout 20 svc-discover -a render
	is 0
	[ "$(jq -r .id <<<"$output" | tr -d '\n')" = abc ]
	for name in link fifo liar broken large; do [[ $stderr == *"$name.json"* ]]; done
	[ "$(wc -l <<<"$stderr")" -eq 5 ]
	[ -z "$(svc-discover -q render 2>&1 >/dev/null)" ]
}

@test "ten thousand instances come out whole and in order" {
	jq -nc 'range(10000) | {service: "many", id: "i\(.)", address: "http://h:\(. % 60000 + 1)/"}' |
		svc-register - >/dev/null
	svc-discover many >out
	[ "$(jq -r .id out | sort -u | wc -l)" -eq 10000 ]
	jq -r .id out | LC_ALL=C sort -c
	cmp <(jq -c 'del(.age)' out) <(svc-discover many | jq -c 'del(.age)')
	[ "$(svc-discover -o '%{id}' --sort -id many | head -n 1)" = i9999 ]
}

@test "a reader that goes away ends it quietly, also where SIGPIPE is ignored" {
	jq -nc 'range(3000) | {service: "many", id: "i\(.)", address: "http://h:1/"}' |
		svc-register - >/dev/null
	run bash -c 'svc-discover many | true; echo "${PIPESTATUS[0]}"'
	[ "$output" = 141 ]
	run bash -c 'trap "" PIPE; svc-discover many | true; echo "${PIPESTATUS[0]}"'
	[ "$output" = 141 ]
}

@test "output that is lost is 74 with one line" {
	three
	run bash -c 'svc-discover render >/dev/full'
	is 74
	[ "$(wc -l <<<"$output")" -eq 1 ]
	says 'svc-discover: stdout'
	run bash -c 'svc-discover render >&-'
	is 74
	run bash -c 'svc-discover --help >/dev/full'
	is 74
}

@test "--help and --version go to stdout" {
	run --separate-stderr svc-discover --help
	is 0
	[[ $output == usage:* ]]
	[ -z "$stderr" ]
	run --separate-stderr svc-discover -V
	is 0
	[[ $output =~ ^svc-discover\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
}

@test "a wrong command line is 64 and one line with a hint" {
	for wrong in -x --nothing --nothing=1 --s=1 --all=1 -T -o --owner; do
		run svc-discover "$wrong"
		is 64
		[ "$(wc -l <<<"$output")" -eq 1 ]
		says "try 'svc-discover --help'"
	done
	run svc-discover a/b
	is 64
	run svc-discover ../etc
	is 64
	run svc-discover ''
	is 64
}

@test "what it prints can be registered elsewhere" {
	three
	svc-discover render >before
	svc-register -R "$PWD/copy" - <before >/dev/null
	record() { jq -cS '{service, id, address, lease, labels, capacity}'; }
	diff <(record <before) <(svc-discover -R "$PWD/copy" render | record)
}
