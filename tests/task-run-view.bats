#!/usr/bin/env bats
# lib/common sets top, pid and started.
# shellcheck disable=SC2154,SC2016,SC2030,SC2031
# task-run(1): what it shows of a run: --progress, -v, --gantt, --stats.

bats_require_minimum_version 1.5.0
load lib/common

# serve SERVICE COMMAND...: a worker of SERVICE with 2 slots; its pid in $pid.
serve() {
	local service=$1
	shift
	start task-worker -j 2 -i "$service-1" "$service" -- "$@" >/dev/null
	svc-discover -w -T 30s "$service" >/dev/null
}

# flow N: N tasks of render, and N of upload that wait for one each, as lines.
flow() {
	seq "$1" | jq -c '{id: "r\(.)", service: "render", task: .},
		{id: "u\(.)", service: "upload", task: null, bind: {"": "r\(.)"}}'
}

# on_terminal SIZE COMMAND [OPTION...]: what stands on it, again and again, goes
# to the file screens (lib/screen.py).
on_terminal() {
	local size=$1 command=$2
	shift 2
	timeout 90 python3 "$top/tests/lib/screen.py" "$@" "$size" \
		bash -c "$command" >screens 3>&-
}

# each_screen AWK: whether AWK says so of each screen; shows the first of which not.
# In AWK lines[] are the n lines of one.
each_screen() {
	awk -v RS='\f\n' -F '\n' "{ n = NF - 1; for (i = 1; i <= n; i++) lines[i] = \$i
		if (!($1)) { print \"not so:\", \$0; bad = 1; exit 1 } }
		END { if (!bad && NR < 2) { print \"too few screens:\", NR; exit 1 } }" screens
}

# last_screen: the last one.
last_screen() {
	awk -v RS='\f\n' '{ last = $0 } END { printf "%s", last }' screens
}

# drawn NAME: how many elements of chart.svg have a tooltip of that beginning.
drawn() {
	python3 - "$1" <<-'END'
		import sys, xml.etree.ElementTree as tree
		titles = tree.parse("chart.svg").iter("{http://www.w3.org/2000/svg}title")
		print(sum(t.text.startswith(sys.argv[1]) for t in titles))
	END
}

@test "--progress has a line for all, and one for each service" {
	serve render sh -c 'sleep 0.1; cat'
	serve upload sh -c 'read -r x; case $x in 7) exit 1;; esac; echo $x'
	flow 20 >in
	run -1 on_terminal 24x100 'task-run --progress -t in >out'
	each_screen 'n == 3 && lines[1] ~ /^\[.*\] +[0-9]+%  [0-9]+ done/ &&
		lines[2] ~ /^render +[0-9]+ done/ && lines[3] ~ /^upload +[0-9]+ done/'
	grep -qE '^render +[0-9]+ done, 2 running, [0-9]+ waiting$' screens
	last_screen | sed -n 1p | grep -qE '^\[=+\] 100%  40 done, 1 failed  [0-9.]+/s  in [0-9]+s$'
	[ "$(last_screen | tail -n +2)" = "$(printf 'render  20 done\nupload  20 done, 1 failed')" ]
}

@test "--progress draws no more lines than the terminal has room for" {
	seq 12 | sed 's|.*|{"service":"s&","id":"i&","address":"127.0.0.1:1","capacity":{"slots":1}}|' >nobody
	serve render sh -c 'sleep 0.1; cat'
	svc-discover render >>nobody
	{ seq 12 | sed 's|.*|{"service":"s&","task":1}|'; flow 10 | grep -v upload; } >in
	on_terminal 8x100 'task-run --progress -r nobody -T 2s -t in >out' || [ $? -eq 1 ]
	each_screen 'n <= 7'
	grep -qx 'and 8 services more' screens
	# what stands above is not touched
	on_terminal 8x100 'echo above; task-run --progress -r nobody -T 2s -t in >out' || [ $? -eq 1 ]
	each_screen 'n <= 8 && lines[1] == "above"'
}

@test "the lines are taken away for messages, and come back" {
	serve render sh -c 'sleep 0.1; cat'
	mkfifo in
	on_terminal 24x100 'task-run --progress -s render >out <in' &
	started+=($!)
	exec 7>in
	for i in 1 2 3; do
		echo "$i" >&7
		echo '{"broken' >&7
		until_true 10 eval "last_screen | grep -q '^render  *$i done'"
	done
	exec 7>&-
	wait "${started[-1]}" || [ $? -eq 65 ]
	[ "$(last_screen | grep -c '^task-run: stdin:[246]: ')" -eq 3 ]
	each_screen 'n <= 5'
	last_screen | tail -n 2 | head -n 1 | grep -q '100%  6 done, 3 failed'
}

@test "--progress is right on a terminal whose size changes" {
	serve render sh -c 'sleep 0.05; cat'
	serve upload sh -c 'sleep 0.05; cat'
	flow 60 >in
	on_terminal 24x110 'echo above; task-run --progress -t in >out' \
		--resize 3 24x60 --resize 6 10x130 --resize 9 6x50
	# A size that changes between the question for it and the drawing may
	# leave a line.
	each_screen 'n <= 5 && lines[1] == "above"'
	[ "$(last_screen | tail -n 2)" = "$(printf 'render  60 done\nupload  60 done')" ]
	last_screen | awk 'length >= 50 { exit 1 }'
}

@test "without a terminal --progress is one line at the end" {
	serve render cat
	flow 30 | grep -v upload | task-run --progress >out 2>said
	[ "$(wc -l <said)" -eq 1 ]
	grep -qE '^task-run: 30 done  [0-9.]+/s  in [0-9]+s$' said
}

@test "USR1 tells what was skipped and restored, too" {
	serve render sh -c 'read -r x; [ "$x" != 1 ] && echo "$x"'
	printf '%s\n' '{"id":"a","task":0}' '{"id":"b","task":1}' >in
	run -1 task-run -s render --journal journal --retries 0 -t in
	mkfifo tasks
	task-run -s render --journal journal --resume --retries 0 >out 2>said <tasks 3>&- &
	pid=$!
	started+=("$pid")
	exec 7>tasks
	cat in >&7
	echo '{"id":"c","task":2,"after":["b"]}' >&7
	until_true 10 eval '[ "$(wc -l <out)" -eq 3 ]'
	kill -USR1 "$pid"
	until_true 10 grep -q 'task-run: 3 of 3 done, 1 failed, 1 skipped, 2 restored, 0 running, 0 waiting' said
	exec 7>&-
}

@test "-v tells each event as a line of JSON, in the order of what happens" {
	serve render cat
	serve upload sh -c 'read -r x; [ "$x" != 7 ] && echo "$x"'
	{ flow 10; echo '{"id":"late","service":"render","task":1,"after":["u7"]}'; } >in
	run -1 --separate-stderr task-run -v --retries 0 -t in
	grep '^{' <<<"$stderr" >events
	[ "$(jq -r .event events | sort | uniq -c | xargs)" = '20 answered 21 ended 20 ready 20 sent 21 task' ]
	jq -es 'group_by(.id) | all(map(.event) - ["answered", "sent", "ready"] == ["task", "ended"])' events
	jq -es 'map(select(.id == "u3") | .event) == ["task", "ready", "sent", "answered", "ended"]' events
	jq -es 'map(select(.id == "u7"))[-2:] | .[0].result == "failed" and .[1].code == "http"' events
	jq -es 'map(select(.id == "late"))[-1] | .code == "skipped" and (.message | contains("u7 failed"))' events
	jq -es 'map(select(.id == "r2"))[2] | .instance == "render-1" and .attempt == 1 and .reason == "first" and .line == 3' events
	jq -r .at events | sort -c
	# ids that were made are those of the lines that come out
	seq 3 | task-run -v -s render 2>said >out
	[ "$(jq -r .id out | sort)" = "$(grep '^{' said | jq -r 'select(.event == "ended").id' | sort)" ]
}

@test "-v tells what was restored or came finished, and why one goes again" {
	serve render sh -c 'read -r x; echo >>tries; [ "$(wc -l <tries)" -gt 1 ] && echo "$x"'
	echo '{"id":"a","task":1}' >in
	task-run -v -s render --idempotent --retries 3 --journal journal -t in >out 2>said
	grep '^{' said >events
	jq -es 'map(select(.event == "sent") | .reason) == ["first", "retry"]' events
	jq -es 'any(.event == "note" and (.message | length) > 0 and .id == null)' events
	task-run -v -s render --journal journal --resume -t in >out 2>said
	[ "$(grep '^{' said | jq -r .event | xargs)" = 'task restored' ]
	echo '{"id":"b","error":{"code":"http","message":"no"}}' >in
	run -1 --separate-stderr task-run -v -s render -t <(sed 's/,/,"task":1,/' in)
	[ "$(grep '^{' <<<"$stderr" | jq -r '"\(.event) \(.code)"' | xargs)" = 'task null passed http' ]
}

@test "--gantt draws each attempt where and when it was made" {
	serve render cat
	serve upload sh -c 'read -r x; [ "$x" != 7 ] && echo "$x"'
	{ flow 10; echo '{"service":"render","task":1,"after":["u7"]}'; seq 3; } >in
	run -1 task-run --retries 0 --gantt chart.svg -s render -t in
	grep -qF "in, $(date -u +%Y-)" chart.svg
	grep -qE '24 tasks, 1 failed, 1 skipped; 2 instances, [234] slots; 23 attempts; makespan [0-9.]+' chart.svg
	[ "$(drawn r5)" -eq 1 ] && [ "$(drawn u7)" -eq 1 ] && [ "$(drawn 'line 22')" -eq 1 ]
	[ "$(drawn 'line 21')" -eq 0 ]
	for name in render render/render-1 upload/upload-1 failed; do
		grep -qF ">$name<" chart.svg
	done
}

@test "a chart that cannot be written is told before anything runs" {
	serve render sh -c 'echo ran >ran; cat'
	for chart in nowhere/chart.svg .; do
		run --separate-stderr task-run -s render --gantt "$chart" <<<1
		[ "$status" -eq 73 ] && [ -z "$output" ] && [ ! -e ran ]
		[[ $stderr == "task-run: --gantt: "* ]]
	done
	run -74 task-run -s render --gantt /dev/full <<<1
	says 'task-run: --gantt: '
}

@test "the chart is written when the run is stopped, or nobody reads it" {
	serve render sh -c 'sleep 0.1; cat'
	seq 200 >in
	start task-run -s render --gantt chart.svg -t in >out
	until_true 10 test -s out
	kill -TERM "$pid"
	wait "$pid" || [ $? -eq 143 ]
	grep -qE '200 tasks, [0-9]+ cancelled; ' chart.svg
	rm chart.svg
	task-run -s render --gantt chart.svg -t in | head -n 1 >first || true
	until_true 10 test -s chart.svg
	grep -qE '200 tasks; 1 instance, 2 slots; [0-9]+ attempts; ' chart.svg
}

@test "-n leaves the chart of an earlier run as it is" {
	serve render cat
	task-run -s render --gantt chart.svg <<<1 >out
	cp chart.svg before
	task-run -n -s render --gantt chart.svg <<<1 >out
	cmp before chart.svg
}

@test "--stats counts what was restored as passed" {
	serve render cat
	seq 5 >in
	task-run -s render --journal journal -t in >out
	seq 7 >in
	task-run -s render --journal journal --resume --stats stats -t in >out
	jq -e '.tasks == 2 and .ok == 2 and .passed == 5 and .attempts == 2' stats
}
