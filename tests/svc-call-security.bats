#!/usr/bin/env bats
# lib/common sets top, pid and started; until_true evaluates what it is given.
# shellcheck disable=SC2154,SC2016,SC2030,SC2031
# svc-call(1): TLS, HTTP/2, tokens, and which addresses it connects to.

bats_require_minimum_version 1.5.0
load lib/common

# serve PROGRAM [ARGUMENT]...: one of tests/lib; its port in $port.
serve() {
	local out=$BATS_TEST_TMPDIR/port.$RANDOM$RANDOM
	start python3 "$top/tests/lib/$1" "${@:2}" >"$out" 2>"$out.err" 7>&-
	until_true 10 test -s "$out"
	port=$(cat "$out")
}

# authority: one of our own, in ca.pem and ca.key.
authority() {
	needs openssl
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
		-days 2 -subj "/CN=${1:-ca}" -keyout "${1:-ca}.key" -out "${1:-ca}.pem" 2>/dev/null
}

# certificate NAME SUBJECTALTNAME: NAME.pem and NAME.key of that authority, and
# both in NAME.both.
certificate() {
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
		-subj "/CN=$1" -keyout "$1.key" -out "$1.csr" 2>/dev/null
	openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 1 \
		-extfile <(echo "subjectAltName=$2") -out "$1.pem" 2>/dev/null
	cat "$1.key" "$1.pem" >"$1.both"
}

# expired NAME SUBJECTALTNAME: the same, of long ago.
expired() {
	certificate "$1" "$2"
	printf '[ca]\ndefault_ca=a\n[a]\ndatabase=db\nnew_certs_dir=.\nserial=serial\n' >ca.conf
	printf 'default_md=sha256\npolicy=p\n[p]\nCN=supplied\n[x]\nsubjectAltName=%s\n' "$2" >>ca.conf
	: >db
	echo 01 >serial
	openssl ca -batch -config ca.conf -extensions x -cert ca.pem -keyfile ca.key -in "$1.csr" \
		-startdate 20200101000000Z -enddate 20200102000000Z -notext -out "$1.pem" 2>/dev/null
	cat "$1.key" "$1.pem" >"$1.both"
}

# web DIRECTIVE...: nginx with TLS and HTTP/2, which answers 200 and writes
# "PROTOCOL KEY CONNECTION REUSED" into web.log; its port in $port.
web() {
	needs nginx
	for _ in 1 2 3 4 5; do
		port=$((20000 + RANDOM % 10000))
		printf '%s\n' 'daemon off; worker_processes 1; pid web.pid;' \
			"error_log $PWD/web.err;" 'events { worker_connections 512; }' 'http {' \
			'log_format w "$server_protocol $http_idempotency_key $connection $ssl_session_reused";' \
			"access_log $PWD/web.log w; client_body_temp_path $PWD/t1; proxy_temp_path $PWD/t2;" \
			"fastcgi_temp_path $PWD/t3; uwsgi_temp_path $PWD/t4; scgi_temp_path $PWD/t5;" \
			"ssl_certificate $PWD/web.pem; ssl_certificate_key $PWD/web.key;" \
			"server { listen 127.0.0.1:$port ssl http2; default_type application/json;" \
			"$*" "location / { return 200 '{\"ok\":true}'; } } }" >web.conf
		start nginx -p "$PWD" -c "$PWD/web.conf" 2>web.out
		until_true 5 web_answers "$pid" && kill -0 "$pid" && return
	done
	return 1
}

# A port that was taken: nginx has ended.
web_answers() {
	! kill -0 "$1" 2>/dev/null || openssl s_client -connect "127.0.0.1:$port" </dev/null 2>&1 | grep -q BEGIN
}

# at URL COUNT [SLOTS]: so many task lines that were planned there.
at() {
	seq "$2" | sed "s|.*|{\"id\":\"t&\",\"task\":&,\"instance\":{\"service\":\"w\",\"id\":\"a\",\"address\":\"$1\",\"slots\":${3:-4}}}|"
}

# failure: code, attempts and message of the line in $output.
failure() {
	jq -rs '.[-1].error | "\(.code) \(.attempts): \(.message)"' <<<"$output"
}

# isolated SCRIPT: in a network and mounts of its own, where 10.9.9.9 is this
# host, and 198.41.0.4, a public address, too.
isolated() {
	needs unshare
	needs ip
	unshare -rnmpf true 2>/dev/null || skip 'namespaces are not allowed here'
	printf '%s\n' 'set -eu' 'ip link set lo up' 'ip address add 10.9.9.9/32 dev lo' \
		'ip address add 198.41.0.4/32 dev lo' "$1" >isolated.sh
	# The leak checker needs the right /proc.
	ASAN_OPTIONS+=:detect_leaks=0 run --separate-stderr timeout -k 5 60 \
		unshare -rnmpf --kill-child bash isolated.sh
}

@test "a server is believed if the authority of --cacert vouches for it" {
	authority
	certificate s IP:127.0.0.1
	serve http_server.py echo cert=s.both log=log
	at "https://127.0.0.1:$port/task" 3 >in
	run -0 svc-call --cacert ca.pem <in
	[ "${#lines[@]}" -eq 3 ]
	run --separate-stderr svc-call --retries 0 <in
	is 1
	[[ $(failure) == 'tls 1: w/a: its certificate is not believed: unable to get local issuer certificate' ]]
	[ "$(wc -l <log)" -eq 3 ]
}

@test "--cacert replaces the authorities of the system" {
	authority
	authority other
	certificate s IP:127.0.0.1
	serve http_server.py echo cert=s.both log=log
	run --separate-stderr svc-call --retries 0 --cacert other.pem < <(at "https://127.0.0.1:$port/task" 1)
	is 1
	[[ $(failure) == 'tls 1: '* ]]
	needs strace
	# The leak checker cannot work beside strace.
	ASAN_OPTIONS+=:detect_leaks=0 run -0 strace -f -e trace=openat -o trace svc-call --cacert ca.pem < <(at "https://127.0.0.1:$port/task" 1)
	run -1 grep /etc/ssl/certs trace
}

@test "a certificate for another host is refused" {
	authority
	certificate s DNS:elsewhere.example
	serve http_server.py echo cert=s.both log=log
	run --separate-stderr svc-call --retries 0 --cacert ca.pem < <(at "https://127.0.0.1:$port/task" 1)
	is 1
	[ "$(failure)" = "tls 1: w/a: its certificate is for others than '127.0.0.1'" ]
	[ ! -e log ]
}

@test "a certificate that has expired is refused" {
	authority
	expired s IP:127.0.0.1
	serve http_server.py echo cert=s.both log=log
	run --separate-stderr svc-call --retries 0 --cacert ca.pem < <(at "https://127.0.0.1:$port/task" 1)
	is 1
	[ "$(failure)" = 'tls 1: w/a: its certificate is not believed: certificate has expired' ]
	[ ! -e log ]
}

@test "a server that speaks TLS 1.1 at best is refused" {
	authority
	certificate s IP:127.0.0.1
	start openssl s_server -tls1_1 -cipher ALL:@SECLEVEL=0 -cert s.pem -key s.key \
		-accept 127.0.0.1:0 -www >old
	until_true 10 grep -q ACCEPT old
	port=$(sed -n 's/^ACCEPT 127.0.0.1://p' old)
	openssl s_client -tls1_1 -cipher ALL:@SECLEVEL=0 -connect "127.0.0.1:$port" </dev/null | grep -q 'TLSv1.1'
	run --separate-stderr svc-call --retries 0 --cacert ca.pem < <(at "https://127.0.0.1:$port/task" 1)
	is 1
	[[ $(failure) == 'tls 1: '* ]]
}

@test "a server that asks who we are is shown --cert, with its --key" {
	authority
	certificate web IP:127.0.0.1
	certificate client DNS:client
	web "ssl_verify_client on; ssl_client_certificate $PWD/ca.pem;"
	at "https://127.0.0.1:$port/task" 1 >in
	run -0 svc-call -o result --cacert ca.pem --cert client.pem --key client.key <in
	[ "$output" = '{"ok":true}' ]
	run -0 svc-call -o result --cacert ca.pem --cert client.both <in
	run --separate-stderr svc-call --cacert ca.pem <in
	is 1
	[[ $(failure) == 'http 1: w/a: HTTP 400'* ]]
}

@test "files of certificates and keys are checked before anything is sent" {
	authority
	serve http_server.py echo log=log
	at "http://127.0.0.1:$port/task" 1 >in
	run svc-call --cacert missing.pem <in
	is 66
	says 'svc-call: missing.pem: No such file or directory'
	run svc-call --cacert ca.key <in
	is 65
	says 'svc-call: ca.key: no certificate in PEM form'
	run svc-call --cert ca.pem <in
	is 65
	says 'svc-call: ca.pem: no private key in PEM form'
	openssl pkey -in ca.key -aes128 -passout pass:x -out locked.key
	run svc-call --cert ca.pem --key locked.key <in
	is 65
	says 'svc-call: locked.key: an encrypted private key'
	[ ! -e log ]
}

@test "a key that is not the certificate's is found before anything is sent" {
	authority
	certificate one DNS:one
	certificate two DNS:two
	cat two.key one.pem >mixed
	serve http_server.py echo log=log
	at "http://127.0.0.1:$port/task" 1 >in
	run svc-call --cert one.pem --key two.key <in
	is 65
	[ "$output" = "svc-call: two.key: not the key of the certificate in 'one.pem'" ]
	run svc-call --cert mixed <in
	is 65
	[ ! -e log ]
	run -0 svc-call --cert one.pem --key one.key <in
}

@test "a request has one Content-Type, and a traceparent that is one" {
	serve http_server.py headers log=log
	at "http://127.0.0.1:$port/task" 1 >in
	run svc-call -H 'Content-Type: text/plain' -H 'content-type: application/json' <in
	is 64
	says 'more than one header Content-Type'
	run svc-call -H 'traceparent: foo' <in
	is 64
	says "not a traceparent: 'foo'"
	[ ! -e log ]
	trace=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
	run -0 svc-call -o result -H "traceparent: $trace" <in
	[ "$(jq -r .traceparent <<<"$output")" = "$trace" ]
}

@test "HTTP/2 is spoken where the server offers it, and --http1 turns it off" {
	authority
	certificate web IP:127.0.0.1
	web
	run -0 svc-call --cacert ca.pem < <(at "https://127.0.0.1:$port/task" 5)
	run -0 svc-call --http1 --cacert ca.pem < <(at "https://127.0.0.1:$port/task" 7)
	[ "$(cut -d ' ' -f 1 web.log | sort | uniq -c | xargs)" = '7 HTTP/1.1 5 HTTP/2.0' ]
}

@test "requests share one connection of HTTP/2" {
	authority
	certificate web IP:127.0.0.1
	web 'keepalive_requests 100000;'
	at "https://127.0.0.1:$port/task" 2000 16 >in
	run -0 svc-call -j 16 --cacert ca.pem <in
	[ "$(cut -d ' ' -f 3 web.log | sort -u | wc -l)" -eq 1 ]
}

@test "the first burst waits for the connection that it will share" {
	authority
	certificate s IP:127.0.0.1
	serve http2_server.py refuse times=0 cert=s.both log=log connections=made delay=0.1
	run -0 svc-call -j 50 --cacert ca.pem < <(at "https://127.0.0.1:$port/task" 300 50)
	[ "$(sort -n log | uniq | wc -l)" -eq 300 ]
	[ "$(wc -l <made)" -le 2 ]
}

@test "over TLS, too, a server of HTTP/1.1 gets all requests at once" {
	authority
	certificate s IP:127.0.0.1
	serve http_server.py silent cert=s.both begun=begun
	at "https://127.0.0.1:$port/task" 8 8 >in
	start bash -c 'exec svc-call -q -j 8 -T 60s --cacert ca.pem <in >out'
	until_true 10 eval '[ "$(wc -l <begun)" -eq 8 ]'
}

@test "who waits for somebody else's connection waits no longer than its own time" {
	serve hostile_server.py deaf
	at "https://127.0.0.1:$port/task" 3 | sed '2s/"task"/"timeout":0.2,"task"/' >in
	run --separate-stderr svc-call -T 1s <in
	is 1
	[ "$(jq -r '"\(.id) \(.error.code)"' <<<"$output" | head -n 1)" = 't2 unreachable' ]
	[ "$(jq -r .error.code <<<"$output" | uniq -c | xargs)" = '3 unreachable' ]
}

@test "when the first connection fails the others are not held up by it" {
	serve hostile_server.py reset-accept
	at "https://127.0.0.1:$port/task" 8 8 >in
	run --separate-stderr timeout 10 svc-call --retries 0 -T 30s <in
	is 1
	[ "$(grep -cE '"code":"(tls|unreachable)"' <<<"$output")" -eq 8 ]
}

@test "requests that a server has not looked at when it ends a connection go again" {
	authority
	certificate web IP:127.0.0.1
	web 'keepalive_requests 20;'
	at "https://127.0.0.1:$port/task" 3000 16 >in
	run -0 svc-call -j 16 --cacert ca.pem <in
	[ "$(grep -c '"result":{"ok":true}' <<<"$output")" -eq 3000 ]
	[ "$(grep -c '^HTTP/2.0 ' web.log)" -eq 3000 ]
	[ "$(cut -d ' ' -f 2 web.log | sort -u | wc -l)" -eq 3000 ]
}

@test "behind the last stream of a GOAWAY nothing was executed: it goes again" {
	authority
	certificate s IP:127.0.0.1
	serve http2_server.py goaway times=4 cert=s.both log=log
	mkfifo in
	exec 9<>in
	start bash -c 'exec svc-call -j 4 --cacert ca.pem <in >out 9>&-'
	at "https://127.0.0.1:$port/task" 5 >tasks
	head -n 1 tasks >&9
	until_true 10 grep -q t1 out
	tail -n 4 tasks >&9
	exec 9>&-
	wait_gone "$pid" 20
	[ "$(jq .status out | uniq -c | xargs)" = '5 200' ]
	[ "$(sort log | xargs)" = '1 2 3 4 5' ]
}

@test "a stream that is refused goes again, and was executed once" {
	authority
	certificate s IP:127.0.0.1
	serve http2_server.py refuse cert=s.both log=log
	run -0 svc-call --retries 0 --cacert ca.pem < <(at "https://127.0.0.1:$port/task" 1)
	[ "$(xargs <log)" = 1 ]
}

@test "what a server refuses again and again is not executed, and may be retried" {
	authority
	certificate s IP:127.0.0.1
	serve http2_server.py refuse times=5 cert=s.both log=log
	run --separate-stderr svc-call --retries 0 --cacert ca.pem < <(at "https://127.0.0.1:$port/task" 1)
	is 1
	[ "$(failure)" = 'reset 1: w/a: the server refuses to look at the request' ]
	run -0 svc-call --retries 1 --cacert ca.pem < <(at "https://127.0.0.1:$port/task" 1)
	[ "$(xargs <log)" = 1 ]
}

@test "what a connection of HTTP/2 took along when it ended is not sent again" {
	authority
	certificate s IP:127.0.0.1
	for mode in die die-goaway fault; do
		serve http2_server.py "$mode" cert=s.both log="$mode.log"
		run --separate-stderr svc-call --cacert ca.pem < <(at "https://127.0.0.1:$port/task" 1)
		is 1
		[[ $(failure) == 'reset 1: '* ]]
		[ "$(wc -l <"$mode.log")" -eq 1 ]
	done
}

@test "a session of TLS is taken up again by the next connection" {
	authority
	certificate web IP:127.0.0.1
	web 'ssl_session_cache shared:S:1m; keepalive_timeout 0;'
	run -0 svc-call --http1 -j 1 --cacert ca.pem < <(at "https://127.0.0.1:$port/task" 10)
	[ "$(cut -d ' ' -f 3 web.log | sort -u | wc -l)" -eq 10 ]
	[ "$(grep -c ' r$' web.log)" -ge 8 ]
}

@test "a token goes to instances of the registry, over TLS and over the loopback" {
	authority
	certificate s IP:127.0.0.1
	echo s3cret-7 >token
	serve http_server.py headers cert=s.both
	svc-register -i a tls "https://127.0.0.1:$port/task" >/dev/null
	serve http_server.py headers
	svc-register -i a clear "127.0.0.1:$port" >/dev/null
	serve http_server.py headers socket="$PWD/sock"
	svc-register -i a unix "http+unix://$PWD/sock:/task" >/dev/null
	for name in tls clear unix; do
		run -0 svc-call --token-file token --cacert ca.pem -o result -d 1 "$name"
		[ "$(jq -r .authorization <<<"$output")" = 'Bearer s3cret-7' ]
	done
}

@test "a token is for nobody whom the registry does not have" {
	echo s3cret-7 >token
	serve http_server.py headers log=log
	run --separate-stderr svc-call --retries 0 --token-file token < <(at "http://127.0.0.1:$port/task" 1)
	is 1
	[[ $(failure) == 'forbidden '*': w/a: the registry does not have it, and a token goes to instances of the registry only' ]]
	[ ! -e log ]
	svc-register -i a w "127.0.0.1:$port" >/dev/null
	run -0 svc-call --token-file token < <(at "http://127.0.0.1:$port/task" 1)
	says 'Bearer s3cret-7'
}

@test "a token does not travel in the clear to other hosts" {
	echo s3cret-7 >token
	isolated 'python3 "'"$top"'/tests/lib/http_server.py" headers host=10.9.9.9 port=8080 log=log >port &
		until [ -s port ]; do read -rt 0.02 <> <(:) || :; done
		echo "10.9.9.9 web.example" >hosts
		mount --bind hosts /etc/hosts
		svc-register -i a w web.example:8080 >/dev/null
		svc-call -d 1 w | jq -c .status
		svc-call --retries 0 --token-file token -d 1 w || :'
	is 0
	[ "${lines[0]}" = 200 ]
	output=${lines[1]}
	[ "$(failure)" = 'forbidden null: w/a: it has a private address, and a token goes over https or the loopback only' ]
	[ "$(wc -l <log)" -eq 1 ]
}

@test "a token is seen by nobody: not by ps, not in what -n prints" {
	echo s3cret-7 >token
	serve http_server.py silent begun=begun
	svc-register -i a w "127.0.0.1:$port" >/dev/null
	run -0 svc-call -n --token-file token -d 1 w
	says '"Authorization":"Bearer ***"'
	[[ $output != *s3cret* ]]
	start svc-call --token-file token -d 1 w
	until_true 10 test -s begun
	run -1 grep -z s3cret "/proc/$pid/cmdline" "/proc/$pid/environ"
}

@test "a token of several lines is refused, and so is a second Authorization" {
	serve http_server.py headers log=log
	svc-register -i a w "127.0.0.1:$port" >/dev/null
	printf 's3cret\r\nX-Evil: 1\n' >token
	run svc-call --token-file token -d 1 w
	is 65
	says 'svc-call: token: not one token at byte 7'
	[[ $output != *s3cret* ]]
	echo s3cret >token
	run svc-call --token-file token -H 'Authorization: Bearer x' -d 1 w
	is 64
	[ ! -e log ]
}

@test "--deny-private connects to no address of this machine" {
	serve http_server.py echo log=log
	for host in 127.0.0.1 localhost '[::1]' '[::ffff:127.0.0.1]' 0.0.0.0; do
		run --separate-stderr svc-call --retries 0 --deny-private < <(at "http://$host:$port/task" 1)
		is 1
		[[ $(failure) == 'forbidden null: w/a: it has a'*' address, and private ones are denied' ]]
	done
	serve http_server.py echo socket="$PWD/sock" log=log
	run --separate-stderr svc-call --retries 0 --deny-private < <(at "http+unix://$PWD/sock:/task" 1)
	is 1
	[[ $(failure) == 'forbidden null: w/a: it has a unix socket, and private ones are denied' ]]
	[ ! -e log ]
}

@test "--deny-private goes by the address that a name turns out to have" {
	isolated '
		for host in 10.9.9.9 198.41.0.4; do
			python3 "'"$top"'/tests/lib/http_server.py" echo host=$host port=8080 log=log.$host >port.$host &
			until [ -s port.$host ]; do read -rt 0.02 <> <(:) || :; done
			echo "$host web.example" >hosts
			mount --bind hosts /etc/hosts
			svc-call --retries 0 --deny-private <<<"{\"task\":1,\"instance\":{\"service\":\"w\",\"id\":\"a\",\"address\":\"http://web.example:8080/task\"}}" |
				jq -c "[.status,.error.code]"
		done'
	is 0
	[ "${lines[0]}" = '[null,"forbidden"]' ]
	[ "${lines[1]}" = '[200,null]' ]
	[ ! -e log.10.9.9.9 ]
}

@test "a name server that says nothing holds up nobody else, nor the end" {
	isolated '
		python3 -c "import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind((\"10.9.9.9\", 53))
open(\"dns\", \"w\").write(\"1\"); s.recv(512); open(\"asked\", \"w\").write(\"1\"); time.sleep(60)" &
		until [ -s dns ]; do read -rt 0.02 <> <(:) || :; done
		echo "nameserver 10.9.9.9" >resolv.conf
		mount --bind resolv.conf /etc/resolv.conf
		python3 "'"$top"'/tests/lib/http_server.py" echo >port &
		until [ -s port ]; do read -rt 0.02 <> <(:) || :; done
		{
			echo "{\"id\":\"slow\",\"task\":0,\"instance\":{\"service\":\"w\",\"id\":\"b\",\"address\":\"http://nowhere.example/task\"}}"
			seq 200 | sed "s|.*|{\"task\":&,\"instance\":{\"service\":\"w\",\"id\":\"a\",\"address\":\"http://127.0.0.1:$(cat port)/task\"}}|"
		} >in
		start=$EPOCHREALTIME
		svc-call -j 4 -T 3 --retries 0 <in >out || :
		echo "$start $EPOCHREALTIME" >times'
	is 0
	[ -s asked ]
	[ "$(grep -c '"status":200' out)" -eq 200 ]
	[ "$(tail -n 1 out | jq -r .id)" = slow ]
	# Within the deadline and a second, though the thread still asks.
	awk '{ exit !($2 - $1 < 4) }' times
}
