# Policies that look at load or keys, constraints, and why: task-schedule(1).
# shellcheck shell=bash
bats_require_minimum_version 1.5.0
load lib/common
load lib/schedule

# --- least-loaded and p2c ---

@test "--least-loaded chooses the least load per slot" {
	{ instances 1 '"utilization":0.9'; instances 2 '"utilization":0.1' | tail -1; instances 3 '"utilization":0.5' | tail -1; } >pool
	run task-schedule --least-loaded <pool
	is 0
	[ "$(jq -r .id <<<"$output")" = i2 ]
}

@test "--least-loaded counts what it has placed, by slots" {
	{ instances 1 '"capacity":{"slots":1}'; instances 2 '"capacity":{"slots":3}' | tail -1; } >pool
	[ "$(seq 400 | task-schedule --least-loaded -r pool | ids | sort | uniq -c | xargs)" = "100 i1 300 i2" ]
}

@test "--least-loaded does not begin with the same one in each process" {
	local i
	instances 8 >pool
	for ((i = 0; i < 40; i++)); do task-schedule --least-loaded --seed "$i" <pool | jq -r .id; done | sort -u >begun
	[ "$(wc -l <begun)" -gt 3 ]
}

@test "--p2c never takes the most loaded of all, but to probe what was observed" {
	{ instances 1 '"utilization":0.9'; instances 5 '"utilization":0' | tail -4; } >pool
	[ "$(for i in $(seq 60); do task-schedule --p2c <pool; done | jq -r .id | grep -c i1)" -eq 0 ]
}

@test "--p2c balances what it places" {
	instances 10 >pool
	run bash -c 'seq 10000 | task-schedule --p2c --seed 1 -r pool | jq -r .instance.id | sort | uniq -c | sort -n'
	[ "$(awk 'NR == 1 { least = $1 } END { print $1 - least < 60 }' <<<"$output")" -eq 1 ]
}

# --- load that is stale ---

# observed UTILIZATION AGE: members of an instance that a prober saw AGE seconds ago
observed() {
	printf '"status":"passing","utilization":%s,"checked":"%s"' "$1" "$(date -u -d "-$2 seconds" +%FT%T.000Z)"
}

@test "load observed longer ago than --stale counts as the mean of the fresh" {
	{ instances 1 "$(observed 0 3600)"; instances 2 "$(observed 0.2 1)" | tail -1
	instances 3 "$(observed 0.6 1)" | tail -1; } >pool
	run task-schedule --explain=full --least-loaded <pool
	[ "$(jq -c '.why.candidates[0] | [.observed, .source]' <<<"$output")" = '[0.4,"stale"]' ]
	run task-schedule --explain=full --least-loaded --stale 2h <pool
	[ "$(jq -c '.why.candidates[0] | [.observed, .source]' <<<"$output")" = '[0,"fresh"]' ]
}

@test "who says nothing is as loaded as the others, and pinned is never stale" {
	{ instances 1 '"status":"passing","utilization":0'; instances 2 "$(observed 0.5 1)" | tail -1
	instances 3 '"utilization":0.25' | tail -1; } >pool
	run task-schedule --explain=full --p2c <pool
	[ "$(jq -c '.why.candidates | map([.observed, .source])' <<<"$output")" = \
		'[[0.5,"unknown"],[0.5,"fresh"],[0.25,"pinned"]]' ]
}

@test "headroom keeps 3 % for trying, unless the load is pinned" {
	{ instances 1 "$(observed 1 1)"; instances 2 "$(observed 0 1)" | tail -1; } >pool
	run bash -c 'seq 20000 | task-schedule --weighted=headroom --seed 3 -r pool | jq -r .instance.id | grep -c i1'
	[ "$output" -gt 400 ]
	[ "$output" -lt 800 ]
	{ instances 1 '"utilization":1'; instances 2 '"utilization":0' | tail -1; } >pinned
	[ "$(seq 2000 | task-schedule --weighted=headroom -r pinned | ids | sort -u)" = i2 ]
}

@test "plain --weighted takes old load as it stands" {
	{ instances 1 "$(observed 0.5 86400)"; instances 2 "$(observed 0 1)" | tail -1; } >pool
	[ "$(seq 100 | task-schedule --weighted -r pool | ids | sort -u)" = i1 ]
}

# --- hash ---

# keyed COUNT KEYS: tasks with keys in turn
keyed() {
	seq "$1" | jq -c --argjson k "$2" '{task: ., key: "k\(. % $k)"}'
}

@test "--hash sends one key to one instance, in every process and order" {
	instances 9 >pool
	keyed 40 20 | task-schedule --hash -r pool | jq -c '[.key, .instance.id]' | sort -u >one
	[ "$(wc -l <one)" -eq 20 ]
	keyed 40 20 | tac | task-schedule --hash -r <(tac pool) | jq -c '[.key, .instance.id]' | sort -u | cmp - one
}

@test "--hash moves few keys when an instance leaves" {
	instances 10 >pool
	keyed 1000 1000 | task-schedule --hash -r pool | jq -r '"\(.key) \(.instance.id)"' >before
	keyed 1000 1000 | task-schedule --hash -r <(grep -v '"i4"' pool) | jq -r '"\(.key) \(.instance.id)"' >after
	run bash -c 'join <(sort before) <(sort after) | awk "\$2 != \$3" | wc -l'
	[ "$output" -ge "$(grep -c 'i4$' before)" ]
	[ "$output" -le 300 ]
}

@test "--hash bounds the load at 1.25 of the mean, also of one key" {
	instances 8 >pool
	for keys in 1 3 50; do
		run bash -c "$(declare -f keyed); keyed 4000 $keys | task-schedule --hash -r pool | jq -r .instance.id | sort | uniq -c | sort -n | tail -1"
		[ "$(awk '{ print ($1 <= 625) }' <<<"$output")" -eq 1 ]
	done
}

@test "--hash=/POINTER goes by the payload, and says where there is no such value" {
	instances 5 >pool
	printf '%s\n' '{"user":{"id":7},"n":1}' '{"user":{"id":7},"n":2}' '{"n":3}' >tasks
	run --separate-stderr task-schedule --hash=/user/id -r pool -t tasks
	is 65
	[ "$(jq -rs 'map(.instance.id) | .[0] == .[1] and .[2] == null' <<<"$output")" = true ]
	[ "$(jq -rs '.[2].error.code' <<<"$output")" = invalid ]
	run task-schedule --hash=user -r pool -t tasks
	is 64
	says "'user'"
}

# --- constraints ---

@test "no speed gets no task under any policy, zero slots are refused" {
	{ instances 1 '"capacity":{"speed":0}'; instances 2 | tail -1; } >pool
	for policy in --random --round-robin --weighted --constrained --least-loaded --p2c --hash; do
		[ "$(seq 30 | task-schedule $policy -r pool | ids | sort -u)" = i2 ]
	done
	head -1 pool >still
	run task-schedule -r still < <(echo 1)
	is 1
	says "0 of 1 instance: 1 insufficient speed"
	instances 1 '"capacity":{"slots":0}' >none
	run task-schedule -r none < <(echo 1)
	is 65
	says 'none:1: "capacity.slots": not at least 1: 0'
}

@test "spread keeps zones level, by group, and leaves out who has no zone" {
	{ instances 4 '"labels":{"zone":"a"}'; instances 5 '"labels":{"zone":"b"}' | tail -1; instances 6 | tail -1; } >pool
	seq 40 | jq -c '{task: ., group: "g\(. % 2)", requires: {spread: "zone"}}' >tasks
	for policy in --random --least-loaded --constrained --hash; do
		run bash -c "task-schedule $policy -r pool -t tasks | jq -r '\"\\(.group) \\(.instance.id == \"i5\")\"' | sort | uniq -c | xargs"
		[ "$output" = "10 g0 false 10 g0 true 10 g1 false 10 g1 true" ]
	done
}

@test "spread allows as many more as it says" {
	{ instances 1 '"labels":{"zone":"a"},"capacity":{"cpu":9}'
	instances 2 '"labels":{"zone":"b"},"capacity":{"cpu":1}' | tail -1; } >pool
	seq 5 | jq -c '{task: ., requires: {cpu: 1, spread: {zone: 2}}}' >tasks
	run task-schedule --constrained -r pool -t tasks
	is 1
	[ "$(jq -r '.instance.id // empty' <<<"$(grep '^{' <<<"$output")" | sort | xargs)" = "i1 i1 i1 i2" ]
	says "1 insufficient cpu (need 1, most free 0)"
	says "spread zone"
}

@test "an instance that is too slow for the deadline is left out" {
	{ instances 1 '"capacity":{"speed":1}'; instances 2 '"capacity":{"speed":10}' | tail -1; } >pool
	local soon
	soon=$(date -u -d '+30 seconds' +%FT%TZ)
	seq 20 | jq -c --arg d "$soon" '{task: ., duration: 60, deadline: $d}' >tasks
	run task-schedule --explain -r pool -t tasks
	is 0
	[ "$(ids <<<"$output" | sort -u)" = i2 ]
	[ "$(jq -rs '.[0].why.excluded[0].reason' <<<"$output")" = late ]
	run task-schedule -r <(head -1 pool) -t tasks
	is 1
	[ "$(grep '^{' <<<"$output" | jq -r .error.code | sort -u)" = deadline ]
}

@test "every policy compares numbers to the last digit, and says so" {
	instances 1 '"capacity":{"cpu":0.3}' >pool
	for policy in --random --round-robin --constrained --hash; do
		run task-schedule $policy -r pool < <(echo '{"task":1,"requires":{"cpu":0.30000000000000004,"spread":{}}}')
		is 1
		says "1 insufficient cpu (need 0.30000000000000004, most free 0.3)"
		run task-schedule $policy -r pool < <(echo '{"task":1,"requires":{"cpu":0.3}}')
		is 0
	done
}

@test "100,000 tasks that fit nowhere on 10,000 instances are refused in seconds" {
	jq -nc 'range(10000) | {service: "r", id: "i\(.)", address: "http://h:1/t",
		capacity: {cpu: (. % 8)}, labels: {zone: "z\(. % 3)"}}' >pool
	jq -nc 'range(100000) | {task: ., requires: {cpu: (9 + . % 7), labels: "zone=z1"}}' >tasks
	for policy in --random --constrained; do
		run timeout 40 task-schedule $policy -r pool -t tasks --order fifo -q
		is 1
		[ "$(grep -c '6667 label zone, 3333 insufficient cpu (need [0-9]*, most free 7)' <<<"$output")" -eq 100000 ]
	done
}

# --- bad requirements ---

@test "wrong requirements are refused, each with its line and member" {
	instances 1 '"capacity":{"cpu":4}' >pool
	local wrong
	for wrong in '{"cpu":-1}' '{"cpu":1e999}' '{"cpu":true}' '{"cpu":"2X"}' '{"cpu":[]}' '{"cpu":"NaN"}' \
		'{"cpu":1,"cpu":2}' '{"labels":3}' '{"labels":"a=="}' '{"spread":0}' '{"spread":{"zone":0}}' \
		'{"spread":{"zone":1.5}}' '"cpu"'; do
		run task-schedule --constrained -r pool <<<'{"id":"t","task":1,"requires":'"$wrong"'}'
		[ "$status" -eq 65 ] || [ "$status" -eq 1 ]
		[ "$(grep -c '^{' <<<"$output")" -eq 1 ]
		[ "$(grep '^{' <<<"$output" | jq -r .error.code)" = invalid ]
		grep '^{' <<<"$output" | jq -r .error.message | grep -q '^"requires'
	done
}

@test "a selector of 10,000 labels gets an answer" {
	instances 2 '"labels":{"zone":"a"}' >pool
	jq -nc '{task: 1, requires: {labels: ([range(10000) | "!l\(.)"] | join(","))}}' >tasks
	jq -nc '{task: 2, requires: {labels: ([range(10000) | "l\(.)"] | join(","))}}' >>tasks
	run task-schedule -q -r pool -t tasks
	[ "$(wc -l <<<"$output")" -eq 2 ]
	[ "$(jq -rs '[.[0].instance.id != null or .[0].error.code == "invalid", .[1].error.code != null] | all' <<<"$output")" = true ]
}

@test "an instance with 10,000 labels is refused with its line, the others are used" {
	{ instances 1; jq -nc '{service: "render", id: "i2", address: "http://127.0.0.1:9/task",
		labels: ([range(10000) | {key: "l\(.)", value: "x"}] | from_entries)}'; } >pool
	run task-schedule -r pool < <(seq 5)
	is 65
	says "pool:2: "
	[ "$(grep '^{' <<<"$output" | ids | sort -u)" = i1 ]
}

@test "a million identical tasks are placed evenly, also with one id" {
	instances 4 >pool
	yes '{"id":"t","task":1,"key":"k"}' | head -1000000 >tasks
	for policy in --round-robin --least-loaded; do
		[ "$(task-schedule $policy -r pool -t tasks | grep -o '"id":"i[1-4]"' | sort | uniq -c | awk '{ print $1 }' | sort -u)" = 250000 ]
	done
}

# --- why ---

@test "--explain=full shows every term of the score" {
	{ instances 1 '"capacity":{"cpu":8,"mem":"16G"}'; instances 2 '"capacity":{"cpu":4,"mem":"16G"}' | tail -1; } >pool
	run task-schedule --constrained --explain=full -r pool < <(echo '{"task":1,"requires":{"cpu":2,"mem":"4G"}}')
	[ "$(jq -c '[.instance.id, (.why.candidates | map(.score))]' <<<"$output")" = '["i1",[0.25,0.375]]' ]
	run task-schedule --p2c --explain=full -r pool < <(echo 1)
	[ "$(jq -c '[.why.candidates[] | select(.drawn)] | length' <<<"$output")" -eq 2 ]
	run task-schedule --hash --explain=full -r pool < <(echo '{"task":1,"key":"a"}')
	[ "$(jq -c '[.why.candidates[] | has("bound")] | all' <<<"$output")" = true ]
}

@test "what --explain says of the draw is what is then chosen" {
	instances 9 '"utilization":0.5' >pool
	for policy in --p2c --weighted; do
		seq 200 | task-schedule $policy --explain=full -r pool >first
		seq 200 | task-schedule $policy --explain=full -r pool --seed "$(jq -s '.[0].why.seed' first)" >again
		cmp <(jq -c '[.task, .instance, .why]' first) <(jq -c '[.task, .instance, .why]' again)
	done
	seq 200 | task-schedule --p2c --explain=full -r pool |
		jq -e '.instance.id as $i | [.why.candidates[] | select(.drawn) | .id] | index([$i]) != null' >/dev/null
}

@test "reasons have the codes that the page lists" {
	diff <(sed -n '/^\.Sh REASONS/,/^\.Sh INVALID/s/^\.It Cm //p' "$top/man/task-line.5" | sort) \
		<(sed -n '/^static const char .*names/,/};/p' "$top/common/sched/reason.c" | grep -oE '"[a-z]+"' | tr -d '"' | sort)
}
