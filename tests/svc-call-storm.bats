#!/usr/bin/env bats
# lib/common sets top, pid and started.
# shellcheck disable=SC2154
# svc-call(1): what 200 of them do to a server that is down for 30 s.

bats_require_minimum_version 1.5.0
load lib/common

clients=200 each=100 tasks=$((200 * 100))

# up [OPTION=VALUE]...: a server of 200 slots of 0.2 s, 1,000 tasks a second; its
# port in $port, its pid in $pid.  The clients would have 800 open at once.
up() {
	: >port
	start python3 "$top/tests/lib/slot_server.py" log=log slots=200 delay=0.2 "$@" >port
	until_true 30 test -s port
	port=$(cat port)
}

# storm: each client has its own tasks.  They are planned, and there is no
# registry to follow: the inotify instances of a user are few, and others that
# run at the same time need them.
storm() {
	local i instance
	instance="{\"service\":\"w\",\"id\":\"a\",\"address\":\"http://127.0.0.1:$port/\",\"slots\":4}"
	rmdir "$SVC_REGISTRY"
	for ((i = 0; i < clients; i++)); do
		seq "$each" | sed "s|.*|{\"id\":\"c$i-&\",\"task\":&,\"instance\":$instance}|" >"in.$i"
		svc-call -q -j 4 -T 2m --idempotent --retries 8 <"in.$i" >"out.$i" 3>&- &
		calls+=($!)
	done
	started+=("${calls[@]}")
}

# milliseconds: of the wall clock, as the server's log has them.
milliseconds() { echo $((${EPOCHREALTIME/./} / 1000)); }

# logged WHAT [FROM TO]: how often, between the two milliseconds.
logged() {
	awk -v what="$1" -v from="${2:-0}" -v to="${3:-1e15}" '
		$2 == what && $1 >= from && $1 < to { n++ } END { print n + 0 }' log
}

# busy FROM TO: how many slots were at work on what was then served, on average
# between the two milliseconds: goodput, in what a loaded machine does not bound.
busy() {
	awk -v from="$1" -v to="$2" '
		$2 == "begun" { begun[$3] = $1 }
		$2 == "served" {
			a = begun[$3] > from ? begun[$3] : from
			b = $1 < to ? $1 : to
			if (b > a)
				sum += b - a
		}
		END { print int(sum / (to - from)) }' log
}

so_many() { [ "$(logged "$1")" -ge "$2" ]; }

@test "200 clients, the server down for 30 s, then up: no storm, and full goodput in 5 s" {
	local calls=() server down back before after
	up
	server=$pid
	storm
	until_true 60 so_many served $((tasks * 2 / 5))
	down=$(milliseconds)
	kill -9 "$server"
	read -rt 30 <> <(:) || :
	up "port=$port"
	back=$(milliseconds)
	wait "${calls[@]}"
	[ "$(cat out.* | jq -r .status | sort | uniq -c | tr -s ' ')" = " $tasks 200" ]
	before=$(busy $((down - 4000)) $((down - 1000)))
	after=$(busy $((back + 3000)) $((back + 5000)))
	echo "# $(logged begun) begun, $(logged turned) turned away; $before slots at work before, $after after"
	(($(logged begun) + $(logged turned) <= tasks * 12 / 10))
	((after * 100 >= before * 95))
}
