# Orders, plans, pictures and comparisons: task-schedule(1).
# shellcheck shell=bash
bats_require_minimum_version 1.5.0
load lib/common
load lib/schedule

# jobs: durations, one a line, as task lines d1, d2...
jobs_of() {
	local n=0 duration
	for duration; do
		n=$((n + 1))
		printf '{"id":"d%d","task":%d,"duration":%s}\n' "$n" "$n" "$duration"
	done
}

# --- orders ---

@test "--order writes by priority, and equal ones as they came" {
	instances 1 >pool
	seq 6 | jq -c '{task: ., priority: (. % 3)}' >tasks
	[ "$(task-schedule --order=fifo -r pool -t tasks | jq -r .task | xargs)" = "2 5 1 4 3 6" ]
	[ "$(task-schedule -r pool -t tasks | jq -r .task | xargs)" = "1 2 3 4 5 6" ]
}

@test "--order=edf takes the earliest deadline, those without one last" {
	instances 1 >pool
	printf '{"task":"%s"%s}\n' late ',"deadline":"2999-01-02T00:00:00Z"' none '' soon ',"deadline":"2999-01-01T00:00:00Z"' >tasks
	[ "$(task-schedule --order=edf -r pool -t tasks | jq -r .task | xargs)" = "soon late none" ]
}

@test "--order=lpt takes the longest, and none said is a second" {
	instances 1 >pool
	{ jobs_of 3 0.5 '"2m"'; echo '{"id":"d4","task":4}'; } >tasks
	[ "$(task-schedule --order=lpt -r pool -t tasks | jq -r .id | xargs)" = "d3 d1 d4 d2" ]
}

@test "--order=fair is dominant-resource fairness, as its paper has it" {
	instances 1 '"capacity":{"cpu":9,"mem":18}' >pool
	{ for i in $(seq 9); do echo '{"task":1,"group":"a","requires":{"cpu":1,"mem":4}}'; done
	for i in $(seq 9); do echo '{"task":1,"group":"b","requires":{"cpu":3,"mem":1}}'; done; } >tasks
	run bash -c 'task-schedule -q --constrained --order=fair -r pool -t tasks | jq -r "select(.instance) | .group" | sort | uniq -c | xargs'
	[ "$output" = "3 a 2 b" ]
}

@test "--shares gives a group more, and is checked" {
	instances 1 >pool
	seq 30 | jq -c '{task: ., group: "g\(. % 2)"}' >tasks
	run bash -c 'task-schedule --order=fair --shares g1=2 -r pool -t tasks | head -15 | jq -r .group | sort | uniq -c | xargs'
	[ "$output" = "5 g0 10 g1" ]
	for wrong in g1 g1=0 g1=-1 g1=x g1=1,g1=2 =; do
		run task-schedule --order=fair --shares "$wrong" -r pool -t tasks
		is 64
	done
	run task-schedule --order=fair --shares nobody=2 -r pool -t tasks
	is 0
	run task-schedule --shares g1=2 -r pool -t tasks
	is 64
}

@test "lines in are lines out in any order, with bad ones among them" {
	instances 2 >pool
	{ seq 50; echo '{"task":1,"priority":"high"}'; echo '{nothing'; echo '{"task":2,"error":{"code":"http"}}'; seq 50; } >tasks
	for how in --order=fair --plan '--plan --constrained'; do
		run --separate-stderr task-schedule $how -r pool -t tasks
		is 65
		[ "${#lines[@]}" -eq 103 ]
		[ "$(jq -rs 'map(select(.instance)) | length' <<<"$output")" -eq 100 ]
	done
}

# --- plans ---

@test "--plan is list scheduling: Graham's example of LPT" {
	instances 3 >pool
	jobs_of 5 5 4 4 3 3 3 >tasks
	run --separate-stderr task-schedule --plan --order=lpt -r pool -t tasks
	is 0
	[ "$(jq -s 'map(.end) | max' <<<"$output")" -eq 11 ]
	[[ $stderr == *"makespan 11"* ]]
	[ "$(jq -c 'select(.id == "d1") | [.start, .end]' <<<"$output")" = '[0,5]' ]
}

@test "--plan knows slots and speed" {
	{ instances 1 '"capacity":{"slots":2}'; instances 2 '"capacity":{"speed":4}' | tail -1; } >pool
	jobs_of 4 4 4 4 4 4 >tasks
	run --separate-stderr task-schedule --plan -r pool -t tasks
	[ "$(jq -rs 'map(select(.instance.id == "i2") | .end - .start) | unique | join(" ")' <<<"$output")" = 1 ]
	[ "$(jq -rs 'map(select(.instance.id == "i1")) | length' <<<"$output")" -eq 2 ]
}

@test "a plan begins nothing before its time, and starts nothing that would end too late" {
	instances 1 >pool
	cat >tasks <<-'LINES'
		{"id":"now","task":1,"duration":10}
		{"id":"late","task":1,"duration":10,"deadline":"2030-01-01T00:00:15Z"}
		{"id":"then","task":1,"duration":5,"not_before":"2030-01-01T00:01:00Z"}
	LINES
	run --separate-stderr task-schedule --plan --start 2030-01-01T00:00:00Z -r pool -t tasks
	is 1
	[ "$(jq -rs 'map(select(.instance) | "\(.id) \(.start) \(.end)") | join(",")' <<<"$output")" = "now 0 10,then 60 65" ]
	[ "$(jq -r 'select(.id == "late") | .error.code' <<<"$output")" = deadline ]
	[[ $stderr == *"1 "*missed* ]]
}

@test "--plan --constrained shares an instance's capacity in time" {
	instances 1 '"capacity":{"cpu":4,"slots":9}' >pool
	seq 6 | jq -c '{task: ., duration: 10, requires: {cpu: 2}}' >tasks
	run --separate-stderr task-schedule --plan --constrained -r pool -t tasks
	is 0
	[ "$(jq -rs 'map(.start) | sort | map(tostring) | join(" ")' <<<"$output")" = "0 0 10 10 20 20" ]
}

@test "--plan moves no cursor" {
	local i
	for i in 1 2 3; do svc-register render "127.0.0.1:900$i"; done
	first=$(task-schedule --round-robin -s render < <(echo 1) | jq -r .instance.id)
	task-schedule -q --plan --round-robin -s render < <(seq 4) >planned
	[ "$(wc -l <planned)" -eq 4 ]
	second=$(task-schedule --round-robin -s render < <(echo 1) | jq -r .instance.id)
	[ "$first $second" = "127.0.0.1-9001 127.0.0.1-9002" ]
}

@test "a planned line can be planned again" {
	instances 2 >pool
	jobs_of 1 2 3 | task-schedule -q --plan -r pool | task-schedule -q --plan -r pool >again
	[ "$(grep -o '"start"' again | wc -l)" -eq 3 ]
	[ "$(wc -l <again)" -eq 3 ]
}

@test "a planned line can be called, keeps its times, and loses them when it is turned" {
	start task-worker -j 2 -i w work -- cat
	svc-discover -w -T 20 work >pool
	jobs_of 1 2 3 | task-schedule -q --plan -r pool >planned
	svc-call <planned >called
	diff <(jq -c '[.id, .instance.id, .start, .end]' planned | sort) <(jq -c '[.id, .instance.id, .start, .end]' called | sort)
	[ "$(jq -s 'map(.status) | unique == [200]' called)" = true ]
	[ "$(svc-call work <called | jq -c 'select(has("start") or has("end"))' | wc -l)" -eq 0 ]
}

@test "what is planned and fails goes again with --retry, and without its old times" {
	instances 1 >pool
	echo '{"id":"a","task":1,"instance":{"service":"render","id":"i1","address":"http://127.0.0.1:1/"},"start":7,"end":8,"error":{"code":"http"}}' >failed
	[ "$(task-schedule -q --plan --retry -r pool -t failed | jq -c '[.start, .end, has("error")]')" = '[0,1,false]' ]
	run --separate-stderr task-schedule -q --plan -r pool -t failed
	is 1
	[ "$output" = "$(cat failed)" ]
}

@test "payloads of text and bare ones are planned as a second each" {
	instances 1 >pool
	printf '%s\n' '{"task":1,"duration":5}' 'not JSON' >tasks
	[ "$(task-schedule -q --plan -L -r pool -t tasks | jq -c '[.task, .start]' | xargs -d '\n')" = '["{\"task\":1,\"duration\":5}",0] ["not JSON",1]' ]
	[ "$(head -n 1 tasks | task-schedule -q --plan --bare -r pool | jq -c '[.task, .end]')" = '[{"task":1,"duration":5},1]' ]
}

@test "durations that never end are not placed, and leave the summary's numbers finite" {
	instances 2 '"capacity":{"slots":1000000}' >pool
	jobs_of 1e308 1e15 1e15 0 1e308 >tasks
	for policy in least-loaded constrained; do
		run --separate-stderr task-schedule --plan --"$policy" -r pool -t tasks
		is 1
		[ "$(jq -rs 'map(select(.error.code == "unplaceable") | .id) | sort | join(" ")' <<<"$output")" = "d1 d5" ]
		[[ $stderr == *"makespan 1000000000000000s, at best 1000000000000000s, ratio 1.000"* ]]
		[[ $stderr != *inf* ]]
		[[ $stderr != *nan* ]]
	done
}

@test "a plan of nothing, on nothing, is a plan, a picture and a table" {
	: >none
	instances 1 >pool
	for place in none pool; do
		run task-schedule --plan --gantt "$place.svg" -r "$place" -t none
		says "no task was placed"
		is "$([ "$place" = pool ]; echo $?)"
		python3 -c 'import sys, xml.dom.minidom as x; x.parse(sys.argv[1])' "$place.svg"
		[ "$(task-schedule -q --compare p2c -o json -r "$place" -t none | jq -c '[.placed, .makespan, .ratio]')" = '[0,0,1]' ]
	done
}

@test "a full disk and a reader that is gone end a plan, an order and a comparison" {
	instances 2 >pool
	seq 100000 >tasks
	for how in --plan '--plan --constrained' --order=lpt '--compare random'; do
		run bash -c "task-schedule -q $how -r pool -t tasks >/dev/full"
		is 74
		[ "$how" = '--compare random' ] && continue
		run bash -c "task-schedule -q $how -r pool -t tasks | head -n 1 >one; echo \${PIPESTATUS[0]}; wc -l <one"
		[ "$(xargs <<<"$output")" = "141 1" ]
	done
}

@test "the summary has makespan, bound, each instance and each group" {
	instances 2 >pool
	printf '{"task":1,"duration":%d,"group":"%s"}\n' 4 alice 6 bob 2 alice >tasks
	run task-schedule --plan -r pool -t tasks
	is 0
	for text in makespan ratio render/i1 render/i2 alice bob; do says "$text"; done
	run --separate-stderr task-schedule -q --plan -r pool -t tasks
	[ -z "$stderr" ]
}

@test "a group's name cannot act on the terminal" {
	instances 1 >pool
	printf '{"task":1,"group":"a\\u001b[31mb"}\n' >tasks
	run task-schedule --plan -r pool -t tasks
	[[ $output != *$'\e['* ]]
	says '\x1b[31mb'
}

@test "an instance without the weight is told before a task is read" {
	{ instances 1 '"meta":{"w":1}'; instances 2 | tail -1; } >pool
	run task-schedule --plan --weighted=meta.w -r pool < <(seq 3; echo '{"task":1,"error":{"code":"http"}}')
	is 65
	says 'render/i2: "meta.w"'
	[ "${#lines[@]}" -eq 1 ]
}

@test "what is left until a deadline is told in milliseconds" {
	instances 1 >pool
	echo '{"task":1,"duration":9,"deadline":"2029-12-31T23:59:55Z"}' >tasks
	run --separate-stderr task-schedule --plan --explain --start 2030-01-01T00:00:00Z -r pool -t tasks
	is 1
	[ "$(jq -c .why.excluded <<<"$output")" = '[{"reason":"late","count":1,"need":9,"most":-5}]' ]
}

# --- pictures ---

@test "--gantt draws a picture that is well-formed, with a bar a task" {
	instances 3 '"capacity":{"slots":2}' >pool
	seq 20 | jq -c '{id: "t<\(.)>&\"", task: ., duration: (. % 4 + 1), group: "g\(. % 3)"}' | sed 's/t<\([0-9]*\)>&\\"/t\1/' >tasks
	task-schedule -q --plan --gantt plan.svg -r pool -t tasks >planned
	python3 - <<-'EOF_PY'
		import xml.etree.ElementTree as tree
		root = tree.parse("plan.svg").getroot()
		assert root.tag.endswith("svg")
		text = open("plan.svg").read()
		for i in range(1, 21):
		    assert "t%d" % i in text, i
		assert "prefers-color-scheme" in text and "<script" not in text and "http://www.w3.org" in text
	EOF_PY
}

@test "--gantt refuses a place where it cannot write, before it reads" {
	instances 1 >pool
	run task-schedule --plan --gantt none/plan.svg -r pool < <(seq 2)
	is 73
	run task-schedule --plan --gantt . -r pool < <(seq 2)
	is 73
	run task-schedule --gantt plan.svg -r pool < <(seq 2)
	is 64
	[ ! -e plan.svg ]
}

@test "a picture for which there is no room is 74, and leaves the one before it" {
	instances 2 >pool
	echo old >plan.svg
	run bash -c "trap '' XFSZ; ulimit -f 1; seq 500 | task-schedule -q --plan --gantt plan.svg -r pool | wc -l; echo \${PIPESTATUS[1]}"
	says plan.svg
	[ "$(tail -n 2 <<<"$output" | xargs)" = "500 74" ]
	[ "$(cat plan.svg)" = old ]
	[ -z "$(find . -name '*plan*' ! -name plan.svg)" ]
}

# --- comparing ---

@test "--compare prints a row a policy, and the same numbers each time" {
	{ instances 1 '"capacity":{"slots":4}'; instances 3 '"capacity":{"slots":1}' | tail -2; } >pool
	seq 300 | jq -c '{task: ., duration: (. % 7 + 1)}' >tasks
	run task-schedule --compare random,round-robin,weighted=headroom,p2c,least-loaded,hash,constrained -r pool -t tasks --seed 1
	is 0
	[ "${#lines[@]}" -eq 8 ]
	[[ ${lines[3]} == weighted=headroom* ]]
	run task-schedule --compare random,least-loaded -o json -r pool -t tasks --seed 1
	[ "$(jq -s '.[0].makespan > .[1].makespan and .[1].imbalance < 1.1' <<<"$output")" = true ]
	[ "$output" = "$(task-schedule --compare random,least-loaded -o json -r pool -t tasks --seed 1)" ]
}

@test "--compare tells a plan's own numbers" {
	instances 3 >pool
	jobs_of 5 5 4 4 3 3 3 >tasks
	run task-schedule --compare least-loaded --order lpt -o json -r pool -t tasks
	[ "$(jq -c '[.policy, .makespan, .bound, .missed]' <<<"$output")" = '["least-loaded",11,9,0]' ]
}

@test "options of plans that contradict each other are refused" {
	instances 1 >pool
	for wrong in '--compare random --plan' '--compare random --p2c' '--compare nobody' '--compare random,' \
		'--order last' '--start now' '--plan --start tomorow' '--output json' '--compare random -o yaml' \
		'--stale 5s' '--stale 0 --p2c' '--compare weighted=' '--compare constrained=best' '--compare p2c=x'; do
		run task-schedule $wrong -r pool < <(seq 2)
		is 64
	done
	run task-schedule --order=lpt <pool
	is 64
	says "no tasks"
}

@test "--compare is 0 also where a policy misses or cannot place something" {
	instances 1 >pool
	printf '%s\n' '{"task":1,"requires":{"cpu":1}}' '{"task":2,"deadline":"2001-01-01T00:00:00Z"}' '{"task":3}' >tasks
	run --separate-stderr task-schedule --compare p2c,constrained -o json -r pool -t tasks
	is 0
	[ "$(jq -c '[.policy, .placed, .missed, .unplaced]' <<<"$output" | xargs -d '\n')" = '["p2c",1,1,1] ["constrained",1,1,1]' ]
}

@test "--compare warns of lines that cannot be read, and is 65" {
	instances 2 >pool
	run --separate-stderr task-schedule --compare random -r pool < <(seq 3; echo '{x')
	is 65
	[ "${#lines[@]}" -eq 2 ]
	[[ $stderr == *"stdin:4:"* ]]
}

# --- size ---

@test "an order holds at most 200 bytes a task over its line" {
	! sanitized || skip "sanitized"
	instances 10 >pool
	seq 400000 | jq -c '{id: "t\(.)", task: ., priority: (. % 7), group: "g\(. % 5)"}' >tasks
	local size
	size=$(stat -c %s tasks)
	run bash -c "ulimit -v $(((size + 400000 * 200) / 1024 + 40960)); task-schedule --order=fair -r pool -t tasks | wc -l"
	[ "$output" -eq 400000 ]
}
