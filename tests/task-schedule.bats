# shellcheck shell=bash
bats_require_minimum_version 1.5.0
load lib/common
load lib/schedule

# --- streams ---

@test "instances on stdin and no tasks give one choice, the instance line" {
	run task-schedule < <(instances 3)
	is 0
	[ "${#lines[@]}" -eq 1 ]
	[ "$(jq -r .service <<<"$output")" = render ]
	[ "$(jq -r .address <<<"$output")" = "http://127.0.0.1:$((9000 + $(jq -r '.id[1:]' <<<"$output")))/task" ]
}

@test "-t takes tasks from a file and instances from stdin" {
	seq 4 >tasks
	run task-schedule -t tasks < <(instances 1)
	is 0
	[ "${#lines[@]}" -eq 4 ]
	[ "$(jq -c '[.task, .instance.service, .instance.id]' <<<"${lines[2]}")" = '[3,"render","i1"]' ]
}

@test "-r takes instances from a file and tasks from stdin" {
	instances 1 >pool
	run task-schedule -r pool < <(seq 2)
	is 0
	[ "$(jq -r .task <<<"$output" | xargs)" = "1 2" ]
}

@test "-r and -t take both from files, and -r - instances from stdin" {
	instances 1 >pool
	seq 2 >tasks
	run task-schedule -r pool -t tasks </dev/null
	is 0
	[ "${#lines[@]}" -eq 2 ]
	run task-schedule -r - -t tasks <pool
	is 0
	[ "${#lines[@]}" -eq 2 ]
	run task-schedule -r pool -t - <tasks
	is 0
}

@test "-s reads the registry once and tasks from stdin" {
	svc-register render 127.0.0.1:9001
	svc-register extract 127.0.0.1:9002
	run task-schedule -s render < <(echo '{"task":1}'; echo '{"task":2,"service":"extract"}')
	is 0
	[ "$(jq -r .instance.service <<<"$output" | xargs)" = "render extract" ]
}

@test "-l reads the registry and keeps what matches" {
	svc-register -l zone=eu render 127.0.0.1:9001
	svc-register -l zone=us render 127.0.0.1:9002
	run task-schedule -l zone=us < <(seq 20)
	is 0
	[ "$(ids <<<"$output" | sort -u)" = 127.0.0.1-9002 ]
}

@test "-l filters instances of a file too" {
	{ instances 2 '"labels":{"zone":"eu"}'; instances 9 | tail -1; } >pool
	run task-schedule -r pool -l '!zone' < <(seq 20)
	is 0
	[ "$(ids <<<"$output" | sort -u)" = i9 ]
}

@test "both from stdin is a usage error" {
	run task-schedule -t - </dev/null
	is 64
	run task-schedule -r - -t - </dev/null
	is 64
	run task-schedule -r - </dev/null
	is 64
	says "cannot both"
}

@test "instances expected from a terminal are a usage error with a hint" {
	needs script
	run script -qec "task-schedule" /dev/null
	is 64
	says "pipe svc-discover into it"
}

@test "a file that does not exist is 66 and nothing is read" {
	run task-schedule -t nowhere < <(instances 1)
	is 66
	run task-schedule -r nowhere < <(seq 1)
	is 66
	says nowhere
}

# --- options ---

@test "options that contradict each other are refused" {
	local words
	for words in "--random --weighted" "--smooth" "--score=pack" "--constrained --score=x" \
		"--explain=all" "--seed -1" "--max-task 0" "--max-task 1T" "-s no/name" \
		"-l zone=(" "--weighted=" "--bare -L" "operand"; do
		# shellcheck disable=SC2086
		run task-schedule $words < <(instances 1)
		is 64
	done
}

@test "options that say something of a policy that is not there are refused" {
	instances 2 >pool
	local words
	for words in "--score=pack --compare random,p2c" "--smooth --compare p2c" "--stale 5s --compare random,weighted" \
		"--stale 5s --weighted" "--stale 5s --weighted=capacity.cpu" "--smooth --p2c"; do
		# shellcheck disable=SC2086
		run task-schedule -r pool $words < <(seq 3)
		is 64
		[[ $output == "task-schedule: --"*" needs "*"; try 'task-schedule --help'" ]]
	done
	for words in "--score=pack --compare random,constrained" "--smooth --compare p2c,weighted" \
		"--stale 5s --compare random,weighted=headroom" "--stale 5s --weighted=headroom"; do
		# shellcheck disable=SC2086
		run task-schedule -r pool $words < <(seq 3)
		is 0
	done
}

@test "an option that is repeated counts as it stands last" {
	{ instances 1 '"utilization":1'; instances 2 '"utilization":0' | tail -1; } >pool
	[ "$(seq 50 | task-schedule --weighted=headroom --weighted -r pool | ids | sort -u)" = i1 ]
	run task-schedule --hash=/nothing --hash -r pool < <(seq 3)
	is 0
	run task-schedule --explain=full --explain -r pool < <(echo 1)
	[ "$(jq -c '.why | has("candidates")' <<<"$output")" = false ]
}

@test "--hash without tasks is refused: there is no key" {
	run task-schedule --hash < <(instances 3)
	is 64
	says "--hash goes by the keys of tasks"
}

@test "an empty file name is refused with its option" {
	local option
	for option in --tasks --resources --gantt; do
		run task-schedule --plan "$option" "" -s render
		is 64
		says "$option: not a file's name: ''"
	done
}

@test "an ambiguous option is told with what it may mean" {
	run task-schedule --re </dev/null
	is 64
	says "ambiguous option '--re': --resources, --retry, --registry;"
}

@test "-v tells the seed, which repeats the run" {
	instances 10 >pool
	run --separate-stderr task-schedule -v -r pool < <(seq 50)
	is 0
	[[ $stderr =~ ^"task-schedule: seed "([0-9]+)$ ]]
	[ "$(ids <<<"$output")" = "$(seq 50 | task-schedule --seed "${BASH_REMATCH[1]}" -r pool | ids)" ]
}

@test "-v tells which of --shares has no tasks" {
	instances 1 >pool
	run task-schedule -v --seed 1 --order=fair --shares a=2,nobody=3 -r pool < <(echo '{"task":1,"group":"a"}')
	is 0
	[ "$(grep -c -- --shares: <<<"$output")" -eq 1 ]
	says "--shares: no task of the group 'nobody'"
}

@test "-v tells the registry that round-robin's place stands in" {
	run task-schedule -v --seed 1 --round-robin < <(instances 1)
	is 0
	says "task-schedule: registry $SVC_REGISTRY"
}

@test "--seed repeats every choice and another seed does not" {
	instances 10 >pool
	local policy one two three
	for policy in --random --weighted; do
		one=$(seq 200 | task-schedule "$policy" --seed 7 -r pool | ids)
		two=$(seq 200 | task-schedule "$policy" --seed 7 -r pool | ids)
		three=$(seq 200 | task-schedule "$policy" --seed 8 -r pool | ids)
		[ "$one" = "$two" ]
		[ "$one" != "$three" ]
	done
}

@test "the policy is random unless said" {
	instances 10 >pool
	[ "$(seq 99 | task-schedule --seed 7 -r pool | ids)" = \
		"$(seq 99 | task-schedule --random --seed 7 -r pool | ids)" ]
}

# --- policies ---

@test "--weighted follows utilization and never draws a zero" {
	{ instances 1 '"utilization":0.75'; instances 2 '"utilization":0.25' | tail -1
	instances 3 | tail -1; } >pool
	seq 4000 | task-schedule --weighted --seed 1 -r pool | ids | sort | uniq -c >counts
	[ "$(awk '{ print $2 }' counts | xargs)" = "i1 i2" ]
	awk '$2 == "i1" { exit !($1 > 2880 && $1 < 3120) }' counts
}

@test "--weighted=headroom gives the idle instance with more slots more" {
	{ instances 1 '"utilization":1'; instances 2 '"utilization":0.5,"capacity":{"slots":6}' | tail -1
	instances 3 | tail -1; } >pool
	seq 4000 | task-schedule --weighted=headroom --seed 1 -r pool | ids | sort | uniq -c >counts
	[ "$(awk '{ print $2 }' counts | xargs)" = "i2 i3" ]
	awk '$2 == "i2" { exit !($1 > 2880 && $1 < 3120) }' counts
}

@test "--weighted=FIELD --smooth gives nginx's sequence" {
	{ instances 1 '"meta":{"w":5}'; instances 3 '"meta":{"w":1}' | tail -2; } >pool
	run bash -c 'seq 7 | task-schedule --weighted=meta.w --smooth -r pool | jq -r .instance.id | xargs'
	is 0
	[ "$output" = "i1 i1 i2 i1 i3 i1 i1" ]
}

@test "a weight that is missing or negative names its instance and is 65" {
	{ instances 1 '"meta":{"w":5}'; instances 2 | tail -1; } >pool
	run task-schedule --weighted=meta.w -r pool < <(seq 1)
	is 65
	says 'render/i2: "meta.w"'
	{ instances 1 '"meta":{"w":-5}'; } >pool
	run task-schedule --weighted=meta.w -r pool < <(seq 1)
	is 65
	says 'render/i1: "meta.w"'
}

@test "with -s a weight that another service lacks is told when a task goes there" {
	svc-register -c cpu=4 render 127.0.0.1:9001
	svc-register extract 127.0.0.1:9002
	run task-schedule -q --weighted=capacity.cpu -s render < <(printf '%s\n' 1 '{"task":2,"service":"extract"}' 3)
	is 1
	[ "$(jq -r '.instance.id // .error.code' <<<"$output" | xargs)" = "127.0.0.1-9001 unplaceable 127.0.0.1-9001" ]
	[ "$(jq -r '.error.message // empty' <<<"$output")" = \
		'extract/127.0.0.1-9002: "capacity.cpu": no such member, so it has no weight' ]
	run task-schedule --weighted=capacity.cpu -s extract < <(echo 1)
	is 65
}

@test "--round-robin goes on where the last process stopped" {
	instances 3 >pool
	[ "$(seq 4 | task-schedule --round-robin -r pool | ids | xargs)" = "i1 i2 i3 i1" ]
	[ "$(seq 4 | task-schedule --round-robin -r pool | ids | xargs)" = "i2 i3 i1 i2" ]
	[ "$(task-schedule --round-robin <pool | jq -r .id)" = i3 ]
}

@test "--round-robin over 20 concurrent processes is exact" {
	instances 7 >pool
	seq 7001 >tasks
	local i pids=()
	for ((i = 0; i < 20; i++)); do
		task-schedule --round-robin -r pool -t tasks >"out.$i" 3>&- &
		pids+=($!)
	done
	wait "${pids[@]}"
	cat out.* | ids | sort | uniq -c | awk '{ print $1 }' >counts
	[ "$(wc -l <counts)" -eq 7 ]
	[ "$(sort -nu counts | xargs)" = "20002 20003" ]
}

@test "--round-robin with two selectors does not lock-step" {
	{ instances 2 '"labels":{"x":"1","y":"1"}'; instances 3 '"labels":{"x":"1"}' | tail -1
	instances 4 '"labels":{"y":"1"}' | tail -1; } >pool
	for ((i = 0; i < 60; i++)); do
		echo '{"task":"x","requires":{"labels":"x"}}'
		echo '{"task":"y","requires":{"labels":"y"}}'
	done | task-schedule --round-robin -r pool |
		jq -r '.task + " " + .instance.id' | sort | uniq -c >counts
	[ "$(awk '{ print $1 }' counts | sort -u)" = 20 ]
	[ "$(wc -l <counts)" -eq 6 ]
}

@test "--round-robin in processes with two selectors does not lock-step" {
	{ instances 2 '"labels":{"x":"1","y":"1"}'; instances 3 '"labels":{"x":"1"}' | tail -1
	instances 4 '"labels":{"y":"1"}' | tail -1; } >pool
	local i
	for ((i = 0; i < 6; i++)); do
		echo 1 | task-schedule --round-robin -l x -r pool | ids >>x
		echo 1 | task-schedule --round-robin -l y -r pool | ids >>y
	done
	[ "$(xargs <x)" = "i1 i2 i3 i1 i2 i3" ]
	[ "$(xargs <y)" = "i1 i2 i4 i1 i2 i4" ]
}

@test "--round-robin without a registry goes on in memory and says so with -v" {
	instances 2 >pool
	run task-schedule -v -R "$PWD/none" --round-robin -r pool < <(seq 3)
	is 0
	says "in this process alone"
	[ "$(grep '^{' <<<"$output" | ids | xargs)" = "i1 i2 i1" ]
	run task-schedule -R "$PWD/none" --round-robin -r pool < <(seq 3)
	[ "${#lines[@]}" -eq 3 ]
	[ ! -e none ]
}

@test "--round-robin goes on in memory where there can be no cursors" {
	svc-register render 127.0.0.1:9001
	svc-register render 127.0.0.1:9002
	: >"$SVC_REGISTRY/cursors"
	run bash -c 'seq 3 | task-schedule -v --round-robin -s render 2>said'
	is 0
	[ "$(ids <<<"$output" | xargs)" = "127.0.0.1-9001 127.0.0.1-9002 127.0.0.1-9001" ]
	grep -q "in this process alone: .*cursors" said
}

@test "--round-robin goes on in memory in a registry that may only be read" {
	[ "$(id -u)" -ne 0 ] || skip "root may write everywhere"
	svc-register render 127.0.0.1:9001
	svc-register render 127.0.0.1:9002
	chmod a-w "$SVC_REGISTRY"
	run bash -c 'seq 3 | task-schedule -v --round-robin -s render 2>said'
	chmod u+w "$SVC_REGISTRY"
	is 0
	[ "$(ids <<<"$output" | xargs)" = "127.0.0.1-9001 127.0.0.1-9002 127.0.0.1-9001" ]
	grep -q "in this process alone: .*[Pp]ermission denied" said
}

@test "--round-robin holds nothing while it waits for more input" {
	instances 2 >pool
	mkfifo pipe
	task-schedule --round-robin -r pool <pipe >slow 3>&- &
	local slow=$!
	exec 9>pipe
	echo 1 >&9
	until_true 10 test -s slow
	run timeout 10 task-schedule --round-robin -r pool < <(seq 3)
	is 0
	[ "$(ids <<<"$output" | xargs)" = "i2 i1 i2" ]
	exec 9>&-
	wait "$slow"
}

@test "--constrained consumes what tasks ask for, spread and pack" {
	instances 2 '"capacity":{"cpu":4}' >pool
	for ((i = 0; i < 5; i++)); do echo '{"task":0,"requires":{"cpu":2}}'; done >tasks
	run bash -c 'task-schedule --constrained -r pool -t tasks 2>/dev/null | jq -r ".instance.id // .error.message"'
	[ "$(head -4 <<<"$output" | xargs)" = "i1 i2 i1 i2" ]
	[ "${lines[4]}" = "0 of 2 instances: 2 insufficient cpu (need 2, most free 0)" ]
	run bash -c 'task-schedule --constrained --score=pack -r pool -t tasks 2>/dev/null | jq -r .instance.id'
	[ "$(head -4 <<<"$output" | xargs)" = "i1 i1 i2 i2" ]
}

@test "the page's table of policies is that of the source" {
	[ "$(sed -n 's/^\.It Cm \([a-z0-9-]*\) Ta.*/\1/p' "$top/man/task-schedule.1" | sort)" = \
		"$(sed -n 's/.*\.name = "\(.*\)",/\1/p' "$top"/common/sched/policy_*.c | sort)" ]
}

# --- who may get work ---

@test "statuses that get no work are left out, and --all takes them" {
	{ instances 1 '"status":"critical"'; instances 2 '"status":"draining"' | tail -1
	instances 3 '"status":"warning"' | tail -1; instances 4 '"status":"passing"' | tail -1; } >pool
	[ "$(seq 50 | task-schedule -r pool | ids | sort -u | xargs)" = i4 ]
	[ "$(seq 50 | task-schedule --all --round-robin -r pool | ids | sort -u | xargs)" = "i1 i2 i3 i4" ]
	grep -v i4 pool >worse
	[ "$(seq 50 | task-schedule -r worse | ids | sort -u | xargs)" = i3 ]
}

@test "what cannot be placed says so in one sentence" {
	{ instances 7 '"capacity":{"cpu":2},"labels":{"zone":"eu"}'
	instances 10 '"capacity":{"cpu":9},"labels":{"zone":"us"}' | tail -3
	instances 12 '"status":"critical"' | tail -2; } >pool
	run task-schedule -q -r pool < <(echo '{"id":"t","task":1,"requires":{"cpu":4,"labels":"zone=eu"}}')
	is 1
	[ "$(jq -r .error.code <<<"$output")" = unplaceable ]
	[ "$(jq -r .error.message <<<"$output")" = "0 of 12 instances: 7 insufficient cpu (need 4, most free 2), 3 label zone, 2 critical" ]
}

@test "an empty list is 1 and every task comes out with no-instances" {
	run task-schedule -q -r /dev/null < <(seq 3; echo '{"task":4,"deadline":"2001-01-01T00:00:00Z"}')
	is 1
	[ "$(jq -r .error.code <<<"$output" | uniq -c | xargs)" = "4 no-instances" ]
	run task-schedule </dev/null
	is 1
	says "no instances in stdin"
	run task-schedule -q -s render < <(seq 2)
	is 1
	[ "$(jq -r .error.message <<<"$output" | uniq)" = "no instances in the registry $SVC_REGISTRY" ]
}

@test "an empty list is 1 and told when there are no tasks either" {
	: >empty
	run task-schedule -r empty </dev/null
	is 1
	[ "$output" = "task-schedule: no instances in empty" ]
	run task-schedule -s render </dev/null
	is 1
	[ "$output" = "task-schedule: no instances in the registry $SVC_REGISTRY" ]
}

@test "several services need a name, and a service that nobody has is told" {
	{ instances 1; instances 1 | sed s/render/extract/; } >pool
	run task-schedule -q -r pool < <(echo 1; echo '{"task":2,"service":"rendr"}'; echo '{"task":3,"service":"extract"}')
	is 1
	[ "$(jq -r '.error.code // .instance.service' <<<"$output" | xargs)" = "no-service no-instances extract" ]
	says 'several services (extract, render)'
	run task-schedule <pool
	is 1
	says "several services"
}

@test "a task whose deadline has passed, or passes while it runs, is not placed" {
	instances 1 >pool
	run task-schedule -q -r pool < <(echo '{"task":1,"deadline":"2001-01-01T00:00:00Z"}'
		echo '{"task":2,"deadline":"2999-01-01T00:00:00Z"}'
		echo '{"task":3,"deadline":"2999-01-01T00:00:00Z","duration":1e12}')
	is 1
	[ "$(jq -r '.error.code // "placed"' <<<"$output" | xargs)" = "deadline placed deadline" ]
}

# --- lines ---

@test "lines in are lines out, with invalid, huge, empty and duplicate ones among them" {
	instances 3 >pool
	{ seq 3; echo '{"task":1'; echo; echo '{"id":"x","task":1}'; echo '{"id":"x","task":1}'
	echo '{"task":1,"task":2}'; printf 'a\0b\n'; head -c 9000000 /dev/zero | tr '\0' 1; echo
	echo '{"task":1,"requires":{"cpu":-1}}'; echo '{"task":1,"error":{"code":"http"}}'; printf '"last"'; } >tasks
	run bash -c 'task-schedule -r pool -t tasks >out'
	is 65
	[ "$(wc -l <out)" -eq 12 ]
	[ "$(jq -r '.error.code // "placed"' out | xargs)" = \
		"placed placed placed invalid placed placed invalid invalid too-large invalid http placed" ]
	says '"requires.cpu"'
}

@test "payloads keep their bytes" {
	instances 1 >pool
	local payload='{"b":1, "a":1e400,"a":2,"n":9007199254740993,"s":"\u0041é"}'
	run task-schedule -r pool < <(printf '{"id":"t","task":%s,"own": [1, 2]}\n%s\n' "$payload" "$payload")
	is 0
	says "{\"id\":\"t\",\"task\":$payload,\"own\": [1, 2],\"instance\":{"
	[[ ${lines[1]} == *"\"task\":$payload,\"instance\""* ]]
}

@test "--bare and -L make a payload of every line" {
	instances 1 >pool
	run task-schedule --bare -r pool < <(echo '{"task":1}')
	[ "$(jq -c .task <<<"$output")" = '{"task":1}' ]
	run task-schedule -L -r pool < <(echo '{"task":1}')
	[ "$(jq -r .task <<<"$output")" = '{"task":1}' ]
}

@test "--max-task refuses larger payloads" {
	instances 1 >pool
	run bash -c '(echo 1234; echo 12345) | task-schedule --max-task 4 -r pool 2>said'
	is 65
	[ "$(jq -r '.error.code // "placed"' <<<"$output" | xargs)" = "placed too-large" ]
	grep -q "^task-schedule: stdin:2: " said
}

@test "a line that was planned is placed anew, for the service it was planned for" {
	instances 1 >pool
	run task-schedule -r pool < <(echo '{"id":"t","task":1,"instance":{"service":"render","id":"old","address":"http://10.0.0.1/task","slots":1},"why":{}}')
	is 0
	[ "$(jq -c '[.instance.id, has("why")]' <<<"$output")" = '["i1",false]' ]
	[ "$(grep -o '"instance"' <<<"$output" | wc -l)" -eq 1 ]
	run task-schedule -q -r pool < <(echo '{"id":"t","task":1,"instance":{"service":"other","id":"old","address":"http://10.0.0.1/task"}}')
	[ "$(jq -r .error.code <<<"$output")" = no-instances ]
}

@test "a finished line is turned, a failed one passes and is 1, --retry sends it again" {
	instances 1 >pool
	run task-schedule -r pool < <(echo '{"id":"t","task":1,"instance":{"service":"other","id":"o","address":"http://10.0.0.1/task"},"status":200,"result":[2]}')
	is 0
	[ "$(jq -c '[.id, .task, .instance.id]' <<<"$output")" = '["t",[2],"i1"]' ]
	local failed='{"id":"t","task":1,"error":{"code":"http","message":"x"}}'
	run task-schedule -r pool <<<"$failed"
	is 1
	[ "$output" = "$failed" ]
	run task-schedule --retry -r pool <<<"$failed"
	is 0
	[ "$(jq -c '[.task, has("error"), .instance.id]' <<<"$output")" = '[1,false,"i1"]' ]
}

@test "bad instance lines are told with their number, the others are used, 65" {
	{ instances 1; echo '{"service":"render"}'; echo nonsense; instances 1
	echo '{"service":"no/name","id":"x","address":"http://127.0.0.1:1/task"}'; } >pool
	run task-schedule -r pool < <(seq 2)
	is 65
	says "pool:2:"
	says "pool:3:"
	says "pool:4: render/i1 stood on an earlier line"
	says "pool:5:"
	[ "$(grep '^{' <<<"$output" | ids | xargs)" = "i1 i1" ]
}

# --- explain ---

@test "--explain says why, as counts of all reasons" {
	{ instances 2 '"capacity":{"cpu":2}'; instances 4 '"capacity":{"cpu":1},"status":"critical"' | tail -2; } >pool
	run task-schedule --explain -r pool < <(echo '{"task":1,"requires":{"cpu":2}}')
	is 0
	[ "$(jq -c '.why | del(.seed)' <<<"$output")" = '{"policy":"random","eligible":2,"of":4,"excluded":[{"reason":"critical","count":2},{"reason":"insufficient","name":"cpu","count":2,"need":2,"most":1}]}' ]
	run task-schedule --explain <pool
	[ "$(jq -c .why.excluded <<<"$output")" = '[{"reason":"critical","count":2}]' ]
}

@test "--explain=full lists every candidate, also for what is not placed" {
	{ instances 1 '"utilization":0.5'; instances 2 '"status":"expired"' | tail -1; } >pool
	run task-schedule --weighted --explain=full -r pool < <(echo 1)
	[ "$(jq -c .why.candidates <<<"$output")" = '[{"id":"i1","weight":0.5,"share":1,"drawn":true},{"id":"i2","excluded":[{"reason":"expired"}]}]' ]
	run task-schedule -q --explain=full -r pool < <(echo '{"task":1,"requires":{"gpu":1}}')
	is 1
	[ "$(jq -c '[.error.code, .why.eligible, .why.candidates[1].excluded]' <<<"$output")" = \
		'["unplaceable",0,[{"reason":"expired"},{"reason":"missing","name":"gpu"}]]' ]
}

# --- output ---

@test "a full disk is 74" {
	instances 1 >pool
	run bash -c 'seq 3 | task-schedule -r pool >/dev/full'
	is 74
	run bash -c 'task-schedule <pool >/dev/full'
	is 74
}

@test "a closed pipe ends it quietly" {
	instances 1 >pool
	run bash -c 'yes 1 | task-schedule -r pool | head -1 >/dev/null; echo "${PIPESTATUS[1]}"'
	[ "$output" = 141 ]
}

@test "each line is written as its task comes, before the next is there" {
	instances 1 >pool
	mkfifo pipe
	task-schedule -r pool <pipe >out 3>&- &
	local pid=$!
	exec 9>pipe
	echo 1 >&9
	until_true 10 test -s out
	exec 9>&-
	wait "$pid"
}

@test "memory does not grow with the number of tasks" {
	! sanitized || skip "sanitized"
	instances 100 >pool
	run bash -c 'ulimit -v 65536; seq 300000 | task-schedule --weighted -r pool | tail -1'
	[ "$(jq -r .task <<<"$output")" = 300000 ]
}

@test "memory does not grow with the members of a line" {
	! sanitized || skip "sanitized"
	instances 2 >pool
	local million
	million=$(yes '"":0,' | head -1000000 | tr -d '\n')
	printf '{%s"a":1}\n{"task":1,%s"a":1}\n{"task":1,"requires":{%s"a":1}}\n' \
		"$million" "$million" "$million" >tasks
	run bash -c 'ulimit -v 65536; task-schedule -q -r pool -t tasks >placed'
	is 65
	[ "$(wc -l <placed)" -eq 3 ]
	[ "$(cut -c -4000000 placed | grep -c '"error"')" -eq 0 ]
	[ "$(tail -c 400 placed | grep -c '"code":"invalid"')" -eq 1 ]
}

@test "a refusal names the long option" {
	run task-schedule --smooth -s render
	is 64
	says "task-schedule: --smooth needs --weighted;"
	run task-schedule -s ''
	is 64
	says "--service: not the name of a service: ''"
}
