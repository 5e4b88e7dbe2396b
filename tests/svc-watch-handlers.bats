#!/usr/bin/env bats
# svc-watch(1), HANDLERS: what a handler gets, what happens to one that hangs,
# fails or forks, and the page's examples on real daemons.
bats_require_minimum_version 1.5.0

load lib/common

# watch OPTION...: svc-watch in the background, its events in the file events.
watch() {
	start svc-watch "$@" >events 2>err
	until_true 20 grep -q '"event":"sync"' events
}

# handler NAME: a script of that name, from stdin.
handler() {
	{ echo '#!/bin/sh'; cat; } >"$1"
	chmod +x "$1"
}

# A handler that logs what it finds in its environment, and on its stdin.
logging_handler() {
	handler log-it <<-'END'
		{ printf '%s|%s|%s|%s|' "$SVC_EVENT" "$SVC_SERVICE" "$SVC_ID" "$SVC_EVENTS"
		tr '\n' '~'; echo; } >>log
	END
}

# from_page NAME: the script NAME of the page's examples.
from_page() {
	awk -v begin="cat >$1 <<'END'" '
		$0 == "END" { inside = 0 }
		inside { gsub(/\\e/, "\\"); print }
		$0 == begin { inside = 1 }' "$top/man/svc-watch.1" >"$1"
	[ "$(head -c 2 "$1")" = '#!' ]
	chmod +x "$1"
}

# web NAME: a server that answers with its name; its port in $port.
web() {
	start python3 "$top/tests/lib/http_server.py" status status=200 body="$1" >"$1.port"
	until_true 20 test -s "$1.port"
	port=$(cat "$1.port")
}

free_port() {
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# answers STATUS-OR-BODY: what the front door says.
answers() {
	[ "$(curl -s -o said -w '%{http_code}' "http://127.0.0.1:$front/")" = "$1" ] ||
		[ "$(cat said)" = "$1" ]
}

# answers_only BODY: ten times in a row.
answers_only() {
	local i
	for i in 1 2 3 4 5 6 7 8 9 10; do
		curl -s "http://127.0.0.1:$front/" >said && [ "$(cat said)" = "$1" ] || return 1
	done
}

# follows: what is in front of the service render gets to know of its servers.
follows() {
	web web1
	svc-register -q -i web1 render "127.0.0.1:$port"
	until_true 30 answers web1
	web web2
	svc-register -q -i web2 render "127.0.0.1:$port"
	until_true 30 answers web2
	svc-register -q --remove render web1
	until_true 30 answers_only web2
	svc-register -q --drain render web2
	until_true 30 answers "$1"
	[ -z "$(grep '"event":"handler"' events)" ] || { cat events err; false; } >&2
}

# The real nginx, confined to this directory.
start_nginx() {
	local user=
	[ "$(id -u)" -ne 0 ] || user='user root;'
	front=$(free_port)
	mkdir bin
	handler bin/nginx <<-END
		exec $(PATH=$PATH:/usr/sbin command -v nginx) -e stderr -p "$PWD/" -c nginx.conf "\$@"
	END
	cat >nginx.conf <<-END
		$user pid nginx.pid; error_log stderr; worker_processes 1;
		events { worker_connections 64; }
		http {
			access_log off; client_body_temp_path body; proxy_temp_path proxy;
			fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
			include upstream.conf;
			server {
				listen 127.0.0.1:$front;
				location / { proxy_pass http://render; }
			}
		}
	END
	echo 'upstream render { server 127.0.0.1:9 down; }' >upstream.conf
	PATH=$PWD/bin:$PATH
	start nginx -g 'daemon off;' 2>nginx.log
	until_true 20 answers 502
}

start_haproxy() {
	front=$(free_port)
	mkdir bin
	cat >haproxy.cfg <<-END
		defaults
			mode http
			timeout connect 5s
			timeout client 5s
			timeout server 5s
		frontend front
			bind 127.0.0.1:$front
			default_backend render
	END
	echo 'backend render' >backend.cfg
	start haproxy -W -f haproxy.cfg -f backend.cfg 2>haproxy.log
	# What systemd does to reload it, and it waits: haproxy forgets a signal
	# that comes while it reloads.
	handler bin/systemctl <<-END
		[ "\$*" = 'reload haproxy' ] || exit 1
		loads=\$(grep -c 'Loading success' haproxy.log)
		kill -USR2 $pid
		until [ "\$(grep -c 'Loading success' haproxy.log)" -gt "\$loads" ]; do
			sleep 0.02
		done
	END
	PATH=$PWD/bin:$PATH
	until_true 20 answers 503
}

@test "the nginx of the page follows the registry" {
	needs nginx
	start_nginx
	from_page nginx-upstream
	watch --settle 100ms render -- ./nginx-upstream
	follows 502
	nginx -t -q
}

@test "the haproxy of the page follows the registry" {
	needs haproxy
	start_haproxy
	from_page haproxy-backend
	watch --settle 100ms render -- ./haproxy-backend
	follows 503
	haproxy -c -q -f haproxy.cfg -f backend.cfg
}

@test "the files of the page are what Prometheus reads" {
	needs promtool
	from_page prometheus-targets
	printf '%s\n' 'scrape_configs:' '- job_name: svckit' '  file_sd_configs:' \
		"  - files: [$PWD/targets.json]" >prometheus.yml
	svc-register -q -l 'zone="\${x}' render 127.0.0.1:8081
	watch -p --metrics svckit.prom -- ./prometheus-targets
	until_true 20 grep -q 8081 targets.json
	until_true 60 grep -q 'service="render",status="passing"} 1' svckit.prom
	run -0 promtool check config prometheus.yml
	run -0 promtool check metrics <svckit.prom
	svc-register -q --remove render --all
	until_true 20 grep -qx '\[\]' targets.json
}

@test "the mail of the page is sent when an instance expires, and only then" {
	from_page mail-when-down
	mkdir bin
	handler bin/mail <<-'END'
		printf '%s\n' "$#" "$@" >mail.new; cat >>mail.new; mv mail.new mail
	END
	PATH=$PWD/bin:$PATH
	watch render -- ./mail-when-down
	svc-register -q -i web1 --ttl 1 render 127.0.0.1:8081
	until_true 20 test -s mail
	[ "$(sed -n 1,4p mail | tr '\n' '|')" = '3|-s|render/web1: expire|root|' ]
	[ "$(jq -rs 'map(.event) | join(" ")' events)" = 'sync register expire' ]
}

@test "a run gets its event on stdin, and what it is about in the environment" {
	logging_handler
	watch render -- ./log-it
	svc-register -q -i web1 render 127.0.0.1:1
	until_true 20 grep -q '^register' log
	[ "$(cut -d '|' -f 1-4 log | tr '\n' ' ')" = 'sync|||1 register|render|web1|1 ' ]
	diff <(cut -d '|' -f 5- log | tr -d '~') events
}

@test "arguments arrive as they are, and what a run prints goes to stderr" {
	handler say <<-'END'
		printf '%s,' "$#" "$@"; echo
	END
	watch render -- ./say 'a b' '$HOME' '*;touch ran'
	until_true 20 grep -qxF '3,a b,$HOME,*;touch ran,' err
	[ ! -e ran ]
	jq -e '.event == "sync"' events
}

@test "runs come in the order of the events, one at a time" {
	handler one-by-one <<-'END'
		mkdir lock || echo twice >>log
		echo "$SVC_ID" >>log
		rmdir lock
	END
	watch render -- ./one-by-one
	seq -f '{"service":"render","address":"web:%g"}' 20 | shuf --random-source=<(yes) |
		svc-register -q -
	until_true 30 sh -c '[ $(wc -l <log) -ge 21 ]'
	diff log <(jq -r '.id // ""' events)
}

@test "what comes during a run waits, the newest of each instance" {
	mkfifo gate
	logging_handler
	handler gated <<-'END'
		./log-it
		[ "$SVC_EVENT" != sync ] || cat gate >>opened
	END
	svc-register -q -i web1 render 127.0.0.1:1
	svc-register -q -i web2 render 127.0.0.1:2
	watch render -- ./gated
	for event in drain undrain drain undrain drain; do
		svc-register -q "--$event" render web1
		until_true 20 sh -c "[ \"\$(tail -n 1 events | jq -r .event)\" = $event ]"
	done
	svc-register -q --remove render web2
	until_true 20 grep -q '"remove"' events
	echo >gate
	until_true 20 grep -q '^remove' log
	[ "$(cut -d '|' -f 1-3 log | tr '\n' ' ')" = 'sync|| drain|render|web1 remove|render|web2 ' ]
}

@test "--settle makes one run of a burst, and never delays the first" {
	logging_handler
	watch --settle 2s render -- ./log-it
	until_true 20 grep -q '^sync' log
	seq -f '{"service":"render","address":"web:%g"}' 50 | svc-register -q -
	until_true 60 sh -c "[ \$(awk -F '|' '{ n += \$4 } END { print n }' log) -eq 51 ]"
	[ "$(wc -l <log)" -le 5 ]
	# Each run with several has as many lines, and says no id.
	awk -F '|' '$4 > 1 { n = gsub(/~/, ""); if (n != $4 || $3 != "") exit 1 }' log
	[ "$(tr '~' '\n' <log | grep -o '{.*' | jq -r '.event' | sort | uniq -c | tr -s ' \n' ' ')" = \
		' 50 register 1 sync ' ]
}

@test "a run that hangs is stopped with its group, and the next one runs" {
	handler hang <<-'END'
		[ "$SVC_EVENT" = sync ] || { echo "$SVC_EVENT" >>log; exit; }
		trap '' TERM
		tail -f /dev/null &
		echo "$! $$" >pids
		wait
		wait
	END
	watch --handler-timeout 500ms render -- ./hang
	until_true 20 test -s pids
	svc-register -q render 127.0.0.1:1
	until_true 30 grep -qx register log
	jq -se 'any(.event == "handler" and (.reason | test("timed out")))' events
	read -r child leader <pids
	wait_gone "$child" 20
	wait_gone "$leader" 20
}

@test "a run that fails is an event, for which nothing is run, and not the end" {
	handler fail <<-'END'
		echo "$SVC_EVENT" >>log
		[ "$SVC_EVENT" != register ] || kill -KILL $$
		exit 3
	END
	watch render -- ./fail
	until_true 20 grep -q '"handler"' events
	svc-register -q -i web1 render 127.0.0.1:1
	until_true 20 grep -q 'signal 9' events
	svc-register -q --remove render web1
	until_true 20 sh -c '[ $(grep -c "exit status 3" events) -eq 2 ]'
	[ "$(tr '\n' ' ' <log)" = 'sync register remove ' ]
}

@test "what a run leaves running neither holds up the next one nor is killed" {
	handler daemon <<-'END'
		echo "$SVC_EVENT" >>log
		[ "$SVC_EVENT" = register ] || exit 0
		tail -f /dev/null &
		echo $! >pid
	END
	watch render -- ./daemon
	svc-register -q -i web1 render 127.0.0.1:1
	until_true 20 test -s pid
	started+=("$(cat pid)")
	svc-register -q --remove render web1
	until_true 20 grep -qx remove log
	kill -0 "$(cat pid)"
}

@test "a handler that does not read its stdin is none that fails" {
	seq -f '{"service":"render","address":"web:%g"}' 2000 | svc-register -q -
	watch render -- true
	svc-register -q -i last render 127.0.0.1:1
	until_true 20 grep -q '"last"' events
	kill -TERM "$pid"
	wait_gone "$pid" 20
	run ! grep '"handler"' events
}

@test "told to end, it ends the run that is on, and dies of the signal" {
	handler hang <<-'END'
		echo $$ >pid
		exec tail -f /dev/null
	END
	watch render -- ./hang
	until_true 20 test -s pid
	kill -TERM "$pid"
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 143 ]
	wait_gone "$(cat pid)" 20
}

@test "-1 runs the handler for what it tells, and waits for it" {
	handler slow <<-'END'
		cat >got.new
		until [ -e go ]; do :; done
		mv got.new got
	END
	svc-register -q -i web1 render 127.0.0.1:1
	start svc-watch -1 -- ./slow >events
	until_true 20 test -s got.new
	kill -0 "$pid"
	touch go
	wait "$pid"
	diff got events
}

@test "-1 hands over what it gathered at once, and says whether a run failed" {
	handler fail <<-'END'
		echo "$SVC_EVENTS" >>log
		[ "$SVC_EVENTS" -ne 2 ] || exit 3
	END
	svc-watch -1 --state state >/dev/null
	seq -f '{"service":"render","address":"web:%g"}' 3 | svc-register -q -
	run -1 timeout 20 svc-watch -1 --state state --settle 1h -- ./fail
	[[ ${lines[3]} == *'"handler"'*'exit status 3'* ]]
	[ "$(cat log)" = $'1\n2' ]
	run -0 svc-watch -1 --state state -- ./fail
}

@test "what waits for quiet is handed over when --until holds" {
	logging_handler
	svc-register -q -i web1 render 127.0.0.1:1
	start svc-watch --until 'render>=2' --settle 1h -- ./log-it
	until_true 20 grep -q '^sync' log
	svc-register -q -i web2 render 127.0.0.1:2
	wait_gone "$pid" 20
	wait "$pid"
	grep -q '^register|render|web2|1|' log
}

@test "-n says how the handler would be run, and runs nothing" {
	svc-register -q -i web1 render 127.0.0.1:1
	run -0 --separate-stderr svc-watch -1n -- touch ran
	[ ! -e ran ]
	[[ $stderr == *"would run 'touch' for sync"* ]]
	jq -e '.event == "sync"' <<<"$output"
}

@test "a handler that does not exist, or is no program, is told before anything" {
	run -69 --separate-stderr svc-watch -- ./no-such-handler
	[[ -z $output && $stderr == *"cannot run './no-such-handler'"* ]]
	touch no-program
	run -69 --separate-stderr svc-watch -- ./no-program
	[[ -z $output && $stderr == *"cannot run './no-program'"* ]]
}

@test "data that tries shell tricks stays data" {
	logging_handler
	from_page nginx-upstream
	from_page haproxy-backend
	handler all <<-'END'
		./log-it
		./nginx-upstream
		./haproxy-backend
	END
	mkdir bin
	for command in nginx haproxy systemctl; do handler "bin/$command" <<<:; done
	PATH=$PWD/bin:$PATH
	trick='$(touch ran)`touch ran`;touch ran|touch ran #'"'"'"'
	svc-register -q -i web1 -l "zone=$trick" --meta "note=\$IFS$trick" render 127.0.0.1:1
	watch render -- ./all
	svc-register -q -i web2 -l "zone=$trick" --meta $'note=a\nb };' render 127.0.0.1:2
	until_true 20 grep -q 'web2' backend.cfg
	until_true 20 grep -q '^register|render|web2|1|' log
	[ ! -e ran ]
	[ "$(sed -n 's/^register|[^{]*//p' log | tr -d '~' | jq -r .instance.labels.zone)" = "$trick" ]
	[ "$(cat backend.cfg)" = $'backend render\n\tserver web1 127.0.0.1:1\n\tserver web2 127.0.0.1:2' ]
}

@test "a record written by hand puts nothing into a file but a host and a port" {
	from_page nginx-upstream
	mkdir -p bin "$SVC_REGISTRY/services/render"
	handler bin/nginx <<<:
	PATH=$PWD/bin:$PATH
	for address in 'http://a;}evil{:1/' $'http://a\n;evil:1/' 'http://a evil/' '127.0.0.1;evil:1'; do
		jq -nc --arg a "$address" '{service: "render", id: "x", address: $a}' \
			>"$SVC_REGISTRY/services/render/x.json"
		run -0 ./nginx-upstream
		run ! grep evil upstream.conf
	done
	echo '{"service":"render","id":"x","address":"http://a:1/;evil"}' \
		>"$SVC_REGISTRY/services/render/x.json"
	run -0 ./nginx-upstream
	[ "$(sed -n 2p upstream.conf)" = 'server a:1;' ]
}
