#!/usr/bin/env bats
# svc-watch(1): waiting for conditions, removing the expired, metrics.
bats_require_minimum_version 1.5.0

load lib/common

# observed SERVICE ID STATUS: what a prober writes.
observed() {
	(umask 077 && mkdir -p "$SVC_REGISTRY/health")
	printf '{"id":"%s","status":"%s","reason":"connection refused"}\n' "$2" "$3" \
		>>"$SVC_REGISTRY/health/$1"
}

# waits EXPR: waits for it in the background.
waits() {
	start svc-watch --until "$1" -T 60 >out 2>err
}

# ended: the last one started has ended; its status is 0, and it said nothing.
ended() {
	wait_gone "$pid" 20
	wait "$pid"
	[ ! -s out ]
	[ ! -s err ]
}

# short ID: registers render/ID, whose lease is soon over.
short() {
	svc-register -q -i "$1" --ttl 0.05 render 127.0.0.1:1
}

# expired ID: the same, and waits until it is; not beside a reaper.
expired() {
	short "$1"
	until_true 10 eval "svc-discover -q --status expired render | grep -q '\"id\":\"$1\"'"
}

gone() {
	[ ! -e "$SVC_REGISTRY/services/render/$1.json" ]
}

@test "what holds already ends the wait at once, and prints nothing" {
	svc-register -i a render 127.0.0.1:1 >/dev/null
	svc-register -i b render 127.0.0.1:2 >/dev/null
	run -0 timeout 20 svc-watch --until ' render >= 2 , render=passing,other=gone'
	[ -z "$output" ]
}

@test "a wait ends when the last of several conditions holds" {
	waits 'render>=2,db=passing'
	svc-register -i a render 127.0.0.1:1 >/dev/null
	svc-register -i b render 127.0.0.1:2 >/dev/null
	kill -0 "$pid"
	svc-register -i a db 127.0.0.1:3 >/dev/null
	ended
}

@test "gone waits for the last one that lives" {
	svc-register -i a render 127.0.0.1:1 >/dev/null
	svc-register -i b render 127.0.0.1:2 >/dev/null
	waits render=gone
	svc-register --remove render a
	kill -0 "$pid"
	svc-register --remove render b
	ended
}

@test "an instance can be waited for to drain, and to expire" {
	svc-register -i a render 127.0.0.1:1 >/dev/null
	waits render/a=draining
	svc-register --drain render a
	ended
	svc-register -i b --ttl 0.5 render 127.0.0.1:1 >/dev/null
	waits render/b=expired
	ended
}

@test "what does not come in time is 124, with the last state and why" {
	svc-register -i a --ttl 60 render 127.0.0.1:1 >/dev/null
	svc-register -i b render 127.0.0.1:2 >/dev/null
	observed render b critical
	run -124 --separate-stderr timeout 20 svc-watch -T 0.2 \
		--until 'render>=2,render/b=passing,db,render'
	[ -z "$output" ]
	[ "$stderr" = "svc-watch: timed out: render>=2: 1 of 2 instances may get work: \
1 critical (connection refused); render/b=passing: critical (connection refused); \
db: no instances" ]
}

@test "what does not pass is not healthy, what is dead is in nobody's way" {
	svc-register -i a render 127.0.0.1:1 >/dev/null
	expired c
	run -0 timeout 20 svc-watch --until render=passing
	observed render a warning
	run -124 timeout 20 svc-watch -T 0.2 --until render=passing
	says 'render=passing: 0 of 1 instance is passing: 1 warning'
}

@test "what is no condition is 64, with a right one" {
	local wrong
	for wrong in '' 'render>=' 'render>=x' render=healthy 'render!=passing' \
		'render/a>=1' 'a,,b' '../x=gone' 'render<0'; do
		run -64 --separate-stderr svc-watch --until "$wrong"
		[ -z "$output" ]
		[[ $stderr == *"'${wrong#a,,b}'"*'(as in "render'* ]]
	done
}

@test "--reap removes what is long expired, with its marker, and goes on" {
	expired old
	svc-register --drain render old
	svc-register -i alive --ttl 60 render 127.0.0.1:2 >/dev/null
	start svc-watch --reap >events
	until_true 20 gone old
	[ ! -e "$SVC_REGISTRY/services/render/old.drain" ]
	until_true 20 jq -e 'select(.event == "remove" and .id == "old")' events
	short next
	until_true 20 gone next
	run ! gone alive
	kill -0 "$pid"
}

@test "the reaper leaves alone what renews, and what says that it is of 2100" {
	svc-register -i beats --ttl 2 render 127.0.0.1:1 >/dev/null
	svc-register -i future --ttl 60 render 127.0.0.1:2 >/dev/null
	touch -d 2100-01-01 "$SVC_REGISTRY/services/render/future.json"
	start svc-watch --reap >events
	for id in old1 old2 old3; do
		short "$id"
		until_true 20 eval "svc-register --renew render beats && gone $id"
	done
	run ! gone beats
	run ! gone future
}

@test "from cron: --reap -1 removes at the second pass that is a ttl later" {
	expired old
	svc-register -i alive --ttl 60 render 127.0.0.1:2 >/dev/null
	svc-watch -1 --reap --state state >/dev/null
	run ! gone old
	head -n 1 state | jq -e '.reaper.sightings["render/old"] | .heartbeat and .at'
	until_true 20 eval 'svc-watch -1 --reap --state state >/dev/null && gone old'
	run ! gone alive
	head -n 1 state | jq -e '.reaper.sightings == {}'
}

@test "--reap leaves alone what -l and NAME do not mean" {
	expired old
	svc-register -q -i other -l zone=two --ttl 0.05 render 127.0.0.1:1
	svc-register -q -i other --ttl 0.05 store 127.0.0.1:1
	svc-watch -1 --reap --state state >/dev/null
	until_true 20 eval 'svc-watch -1 --reap --state state -l "!zone" render >/dev/null && gone old'
	run ! gone other
	[ -e "$SVC_REGISTRY/services/store/other.json" ]
}

@test "a sighting of another boot, or of another heartbeat, is none" {
	svc-register -i a --ttl 20 render 127.0.0.1:1 >/dev/null
	touch -d 1970-01-02 "$SVC_REGISTRY/services/render/a.json"
	svc-watch -1 --reap --state state >/dev/null
	sed -i '1s/"boot":"[^"]*"/"boot":"another"/; 1s/"at":[0-9.]*}/"at":0}/' state
	svc-watch -1 --reap --state state >/dev/null
	run ! gone a
	sed -i '1s/"heartbeat":[0-9]*/"heartbeat":1/; 1s/"at":[0-9.]*}/"at":0}/' state
	svc-watch -1 --reap --state state >/dev/null
	run ! gone a
	head -n 1 state | jq -e '.reaper.sightings["render/a"] | .heartbeat == 86400000 and .at > 0'
	sed -i '1s/"at":[0-9.]*}/"at":0}/' state
	svc-watch -1 --reap --state state >/dev/null
	gone a
}

@test "the summary of -1 -p is about what -l matches" {
	svc-register -q -i a -l zone=one render 127.0.0.1:1
	svc-register -q -i b -l zone=two render 127.0.0.1:2
	svc-register -q --drain render b
	run -0 svc-watch -1 -p -l zone=one
	says 'OK - 1 instance of 1 service: 1 passing |'
	run -1 svc-watch -1 -p -l zone=two
	says 'CRITICAL - render: none available: 1 of 1 draining |'
	run -1 svc-watch -1 -p -l zone=three render
	says 'CRITICAL - render: no instances |'
}

@test "--reap -1 without --state is 64: nothing would remember the first sighting" {
	run -64 svc-watch -1 --reap
	says '--state'
}

@test "--reap -n says what it would remove, and does not" {
	expired old
	start svc-watch --reap -n >events 2>err
	until_true 20 grep -q 'would remove render/old' err
	run ! gone old
}

@test "what another user owns is not removed, and told" {
	[ "$(id -u)" -ne 0 ] || skip 'root may remove everything'
	expired old
	chmod 444 "$SVC_REGISTRY/services/render/old.json"
	start svc-watch --reap >events 2>err
	until_true 20 grep -q 'old.json.*ermission denied' err
	run ! gone old
	kill -0 "$pid"
}

@test "--metrics is a file that a collector can read, replaced as a whole" {
	svc-register -i a render 127.0.0.1:1 >/dev/null
	expired old
	svc-watch -1 --metrics metrics.prom >/dev/null
	grep -qx 'svckit_instances{service="render",status="passing"} 1' metrics.prom
	grep -qx 'svckit_instances{service="render",status="expired"} 1' metrics.prom
	grep -qx 'svckit_instances{service="render",status="critical"} 0' metrics.prom
	inode=$(stat -c %i metrics.prom)
	ln metrics.prom before
	svc-watch -1 --metrics metrics.prom >/dev/null
	[ "$(stat -c %i metrics.prom)" != "$inode" ]
	[ "$(stat -c %a metrics.prom)" = 644 ]
	[ "$(find . -name '*metrics*' | wc -l)" -eq 1 ]
}

@test "--metrics has what -l matches, and each NAME also when it has nothing" {
	svc-register -q -i a -l zone=one render 127.0.0.1:1
	svc-register -q -i b -l zone=two render 127.0.0.1:2
	svc-register -q -i c -l zone=one store 127.0.0.1:3
	svc-watch -1 -l zone=one --metrics metrics.prom zero render db >/dev/null
	[ "$(sed -n 's/^svckit_instances//p' metrics.prom | grep -v ' 0$')" = \
		'{service="render",status="passing"} 1' ]
	[ "$(sed -n 's/^svckit_expiries_total//p' metrics.prom)" = \
		'{service="db"} 0
{service="render"} 0
{service="zero"} 0' ]
	grep -qx 'svckit_instances{service="db",status="passing"} 0' metrics.prom
}

@test "promtool has nothing to say of the metrics" {
	needs promtool
	svc-register -i a render 127.0.0.1:1 >/dev/null
	start svc-watch --metrics metrics.prom >events
	until_true 20 test -s metrics.prom
	run -0 promtool check metrics <metrics.prom
	[ -z "$output" ]
}

@test "with -p what has a check must have passed it: a lease alone is not enough" {
	svc-register -i a --check-tcp render 127.0.0.1:1
	run -0 svc-watch --until render -T 5
	run -124 --separate-stderr svc-watch -p --until render -T 0.5
	[[ $stderr == *'connection refused'* ]]
}

@test "with -p a malformed check is a warning, and no reason to wait for ever" {
	svc-register -i a render 127.0.0.1:1
	jq -c '.check = "yes"' "$SVC_REGISTRY/services/render/a.json" >changed
	mv changed "$SVC_REGISTRY/services/render/a.json"
	run -0 svc-watch -p --until 'render,render=warning' -T 20
}

@test "what --until asks for must be among the NAMEs" {
	run -64 svc-watch --until 'a>=1,b=gone' a c
	says "'b' is not among the NAMEs"
}
