#!/usr/bin/env bats
# svc-watch(1): after any storm the state told equals the directory.
bats_require_minimum_version 1.5.0

load lib/common

# watch: follows into the file events, and waits for its first line.
watch() {
	start svc-watch -q >events 2>warnings
	until_true 20 test -s events
}

storm() {
	python3 "$BATS_TEST_DIRNAME/lib/registry_storm.py" "$SVC_REGISTRY" "$@"
}

# What a consumer makes of the lines that it was told, and nothing else.
rebuild='reduce inputs as $e ({};
	($e | .service + "/" + .id) as $key
	| if $e.event == "sync" then
		reduce $e.instances[] as $i (.; .[$i.service + "/" + $i.id] = $i)
	elif $e.event == "register" then .[$key] = $e.instance
	elif $e.event == "remove" then del(.[$key])
	elif $e.id then
		(if $e.event == "change" then
			.[$key] |= (delpaths([($e.old // {}) | keys[] | [.]]) + $e.new)
		else . end)
		| .[$key].status = $e.status
	else . end)'
comparable='del(.age, .owner, .draining, .utilization)'

# told_is_true: the state that was told is what svc-discover finds.
told_is_true() {
	jq -nS "$rebuild | [.[]] | sort_by(.service, .id)[] | $comparable" events >told
	svc-discover -aq | jq -S "$comparable" >there
	cmp told there
}

@test "100,000 changes while it is stopped: it tells then what there is" {
	needs python3
	storm 1 500
	watch
	kill -STOP "$pid"
	storm 2 50000 &
	storm 3 50000
	wait $!
	kill -CONT "$pid"
	until_true 60 told_is_true
	[ -s there ]
	grep -q '"event":"resync"' events
	svc-register -q -i last s1 127.0.0.1:1
	until_true 20 told_is_true
}

@test "during 10,000 changes it keeps up, and is level at the end" {
	needs python3
	watch
	storm 4 5000 &
	storm 5 5000
	wait $!
	until_true 60 told_is_true
	[ -s there ]
}

@test "killed again and again, its state is whole, and the next run goes on" {
	needs python3
	local i
	for i in {1..8}; do
		start svc-watch -q --state seen >>events 2>/dev/null
		storm "$i" 500
		until_true 20 test -s seen
		kill -9 "$pid"
		wait "$pid" || :
		[ "$(sed 1d seen | wc -l)" -eq "$(jq -n 'input.instances' seen)" ]
	done
	svc-watch -q -1 --state seen >/dev/null
	sed 1d seen | jq -S "$comparable" >told
	svc-discover -aq | jq -S "$comparable" | cmp - told
	[ -s told ]
	svc-watch -q -1 --state seen >rest
	[ ! -s rest ]
}
