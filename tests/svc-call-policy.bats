#!/usr/bin/env bats
# lib/common sets top, pid and started.
# shellcheck disable=SC2154,SC2030,SC2031
# svc-call(1): --policy, and what tasks require, against a real server.

bats_require_minimum_version 1.5.0
load lib/common

policies='random round-robin weighted weighted=capacity.slots constrained
constrained=pack least-loaded p2c hash'

# serve MODE [OPTION=VALUE]...: a server of tests/lib/http_server.py; its port
# in $port.
serve() {
	local out=$BATS_TEST_TMPDIR/port.$RANDOM$RANDOM
	start python3 "$top/tests/lib/http_server.py" "$@" >"$out"
	until_true 10 test -s "$out"
	port=$(cat "$out")
}

# add ID [OPTION]...: an instance of w at $port.
add() {
	local id=$1
	shift
	svc-register -i "$id" -c slots=1000 "$@" w "127.0.0.1:$port" >/dev/null
}

# call [OPTION]...: calls w for each line of stdin; the ids of the instances
# that did the tasks go to the file ids, in the order of the input.
call() {
	timeout 60 svc-call -k "$@" w >out || { cat out >&2; return 1; }
	jq -r '.instance.id' out >>ids
}

# of ID: how many tasks that instance did.
of() {
	grep -cx "$1" ids || :
}

# within N LOW HIGH
within() {
	(($1 > $2 && $1 < $3)) || { echo "$1 is not in $2..$3" >&2; return 1; }
}

# requiring N JSON: task lines that require that.
requiring() {
	seq "$1" | jq -c "{id:\"t\\(.)\",task:.,requires:$2}"
}

@test "every policy does every task" {
	serve echo
	add a; add b; add c
	for policy in $policies; do
		seq 50 | call --policy "$policy"
		[ "$(jq -s 'map(.result) == [range(1; 51)]' out)" = true ]
	done
}

@test "requires is honoured by every policy" {
	serve echo
	add a -c cpu=2 -u 1; add b -c cpu=8 -l gpu=a100 -u 1; add c -c cpu=4 -u 1
	for policy in $policies; do
		requiring 20 '{cpu:3,labels:"gpu=a100"}' | call --policy "$policy"
		requiring 20 '{cpu:8}' | call --policy "$policy"
	done
	[ "$(sort -u ids)" = b ]
}

@test "tasks that require different things do not wait for each other" {
	serve echo delay=0.3
	svc-register -i slow -c slots=1 -l kind=slow w "127.0.0.1:$port"
	serve echo
	add fast -l kind=fast
	{ requiring 4 '{labels:"kind=slow"}'; requiring 40 '{labels:"kind=fast"}'; } |
		svc-call -j 8 w >out
	# What the slow one does comes last, though it was first in line.
	[ "$(tail -n 3 out | jq -r '.instance.id' | sort -u)" = slow ]
	[ "$(jq -r '.instance.id' out | grep -cx fast)" -eq 40 ]
}

@test "what nobody could do is unplaceable, and says why" {
	serve echo
	add a -c cpu=2; add b -c cpu=4
	{ requiring 1 '{cpu:8}'; seq 5; } >tasks
	run --separate-stderr timeout 20 svc-call -T 0.5 w <tasks
	is 1
	[ "$(jq -r 'select(.error) | .error.code' <<<"$output")" = unplaceable ]
	says '0 of 2 instances: 2 insufficient cpu (need 8, most free 4)'
	[ "$(jq -c 'select(.result)' <<<"$output" | wc -l)" -eq 5 ]
}

@test "who waits for what nobody has gets it when it comes" {
	serve echo
	add a
	mkfifo tasks
	start bash -c 'exec svc-call -T 30 w <tasks >out'
	exec 8>tasks
	requiring 1 '{labels:"gpu=yes"}' >&8
	echo 1 >&8
	until_true 10 test -s out
	add b -l gpu=yes
	exec 8>&-
	until_true 10 grep -q '"id":"t1"' out
	[ "$(jq -r 'select(.id == "t1") | .instance.id' out)" = b ]
}

@test "requires that cannot be read is invalid" {
	serve echo
	add a
	run --separate-stderr svc-call w <<<'{"task":1,"requires":{"cpu":-1}}'
	is 65
	[ "$(jq -r '.error.code' <<<"$output")" = invalid ]
	says cpu
}

@test "random gives each the same" {
	serve echo
	add a; add b -u 0.9; add c
	seq 900 | call --policy random -j 4
	# 300 each; the standard deviation is 14.
	for id in a b c; do
		within "$(of $id)" 215 385
	done
}

@test "round-robin goes by id" {
	serve echo
	add b; add c; add a
	seq 7 | call --policy round-robin -j 1
	[ "$(tr -d '\n' <ids)" = abcabca ]
}

@test "round-robin is shared by all processes of a user" {
	serve echo
	add a; add b; add c
	seq 2 | call --policy round-robin -j 1
	seq 2 | call --policy round-robin -j 1
	[ "$(tr -d '\n' <ids)" = abca ]
}

@test "a dry run does not move round-robin" {
	serve echo
	add a; add b; add c
	seq 1 | call --policy round-robin -j 1
	seq 2 | svc-call -n --policy round-robin w >preview
	seq 1 | call --policy round-robin -j 1
	[ "$(tr '\n' ' ' <ids)" = "a b " ]
	[ "$(jq -r .instance.id preview | tr '\n' ' ')" = "a b " ]
}

@test "round-robin is shared also by processes at the same time" {
	serve echo
	add a; add b; add c
	seq 300 >tasks
	start bash -c 'exec svc-call -j 8 --policy round-robin w <tasks >one'
	svc-call -j 8 --policy round-robin w <tasks >two
	wait "$pid"
	jq -r '.instance.id' one two >ids
	[ "$(of a) $(of b) $(of c)" = "200 200 200" ]
}

@test "round-robin passes over who is full and comes back to it" {
	serve echo delay=0.2
	svc-register -i a -c slots=1 w "127.0.0.1:$port"
	svc-register -i b -c slots=2 w "127.0.0.1:$port"
	seq 3 | call --policy round-robin -j 3
	[ "$(tr -d '\n' <ids)" = abb ]
}

@test "weighted is in proportion to a member's value" {
	serve echo
	add a -l w=3; add b -l w=1; add c -l w=0
	seq 1200 | call --policy weighted=labels.w -j 4
	# 900 and 300; the standard deviation is 15.
	within "$(of a)" 810 990
	[ "$(of c)" -eq 0 ]
}

@test "weighted goes by utilization, or by headroom when told to" {
	serve echo
	add a -u 0.8; add b -u 0.2
	seq 1000 | call --policy weighted
	# 800; the standard deviation is 13.
	within "$(of a)" 720 880
	rm ids
	seq 1000 | call --policy weighted=headroom
	within "$(of a)" 120 280
}

@test "smooth interleaves" {
	serve echo
	add a -l w=5; add b -l w=1; add c -l w=1
	seq 14 | call --policy weighted=labels.w --smooth -j 1
	[ "$(tr -d '\n' <ids)" = aabacaaaabacaa ]
}

@test "constrained never gives an instance more than it has" {
	serve echo delay=0.05 slots=2 log=a.log
	add a -c cpu=4
	serve echo delay=0.05 slots=1 log=b.log
	add b -c cpu=2
	requiring 24 '{cpu:2}' | call --policy constrained -j 16
	run ! grep over a.log b.log
	within "$(of a)" 7 23
	within "$(of b)" 1 17
}

@test "constrained spreads or packs" {
	serve echo delay=0.2
	add a -c cpu=4; add b -c cpu=8
	requiring 3 '{cpu:2}' | call --policy constrained -j 3
	[ "$(tr -d '\n' <ids)" = bab ] || [ "$(tr -d '\n' <ids)" = bba ]
	rm ids
	requiring 3 '{cpu:2}' | call --policy constrained --score pack -j 3
	[ "$(tr -d '\n' <ids)" = aab ]
}

@test "spread leaves no zone behind" {
	serve echo delay=0.1
	add a -l zone=1; add b -l zone=1; add c -l zone=2
	requiring 12 '{spread:{zone:1}}' | call -j 4
	within "$(of c)" 4 8
}

@test "least-loaded takes the least loaded" {
	serve echo
	add a -u 0.9; add b -u 0.1; add c -u 0.5
	seq 30 | call --policy least-loaded -j 1
	[ "$(sort -u ids)" = b ]
}

@test "p2c is the default, and goes by what is open" {
	serve silent
	add stuck
	serve echo
	add free
	seq 100 | timeout 20 svc-call -j 8 -T 3 w >out || :
	# The other one has never more open than seven.
	[ "$(jq -c 'select(.result)' out | wc -l)" -ge 90 ]
}

@test "hash sends a key where it went before, in any process" {
	serve echo
	add a; add b; add c; add d
	seq 60 | jq -c '{task:.,key:"k\(. % 6)"}' >tasks
	call --policy hash <tasks
	paste -d' ' <(jq -r .key tasks) ids | sort -u >homes
	[ "$(wc -l <homes)" -eq 6 ]
	rm ids
	call --policy hash -j 1 <tasks
	paste -d' ' <(jq -r .key tasks) ids | sort -u | cmp - homes
}

@test "hash moves only the keys of an instance that is gone" {
	serve echo
	add a; add b; add c; add d
	seq 100 | jq -c '{task:.,key:"k\(.)"}' >tasks
	call --policy hash -j 1 <tasks
	cp ids before
	rm ids
	rm "$SVC_REGISTRY/services/w/b.json"
	call --policy hash -j 1 <tasks
	[ "$(of b)" -eq 0 ]
	grep -q '^b' before
	paste before ids | awk '$1 != "b" && $1 != $2' >moved
	[ ! -s moved ]
}

@test "hash takes its key from the task when told where" {
	serve echo
	add a; add b; add c; add d
	seq 40 | jq -c '{task:{user:(. % 4),n:.}}' >tasks
	call --policy hash=/user <tasks
	paste -d' ' <(jq -r .task.user tasks) ids | sort -u >homes
	[ "$(wc -l <homes)" -eq 4 ]
}

@test "a key of an instance that is full goes on to the next one" {
	serve echo delay=0.3
	for id in a b c; do
		svc-register -i $id -c slots=1 w "127.0.0.1:$port"
	done
	seq 3 | jq -c '{task:.,key:"one"}' | call --policy hash -j 3
	[ "$(sort ids | tr -d '\n')" = abc ]
}

@test "an instance that fails fast attracts no work" {
	serve status status=400
	add bad
	serve echo delay=0.01
	svc-register -i good -c slots=2 w "127.0.0.1:$port"
	for policy in p2c least-loaded; do
		seq 200 | svc-call -j 8 --policy $policy w >out || :
		within "$(jq -c 'select(.result)' out | wc -l)" 180 201
	done
	# It gets its share, and not what the other one has no slot for.
	for policy in random round-robin; do
		seq 200 | svc-call -j 8 --policy $policy w >out || :
		within "$(jq -c 'select(.result)' out | wc -l)" 60 140
	done
}

# What is said of those who have no weight.
unweighed='svc-call: w/b: "labels.w": no such member, so it has no weight: it gets no tasks'

@test "an instance without the weight gets nothing, and is told of once" {
	serve echo
	add a -l w=3; add b
	run --separate-stderr timeout 20 svc-call --policy weighted=labels.w w < <(seq 50)
	is 0
	[ "$(jq -s 'map(.result) | sort == [range(1; 51)]' <<<"$output")" = true ]
	[ "$(jq -r .instance.id <<<"$output" | sort -u)" = a ]
	# shellcheck disable=SC2154
	[ "$stderr" = "$unweighed" ]
	run --separate-stderr svc-call -q --policy weighted=labels.w -d 1 w
	is 0
	[ -z "$stderr" ]
}

@test "an instance without the weight that comes later is told of once, too" {
	serve echo
	add a -l w=3
	mkfifo in
	start bash -c 'exec svc-call --policy weighted=labels.w w <in >out 2>said'
	exec 7>in
	echo 1 >&7
	until_true 10 test -s out
	add b
	until_true 10 test -s said
	add c; add d -l w=4
	until_true 10 grep -q 'like c' said
	seq 2 100 >&7
	exec 7>&-
	wait "$pid"
	[ "$(cat said)" = "$unweighed"$'\n'"$unweighed, like c" ]
	[ "$(jq -r .instance.id out | sort -u | xargs)" = "a d" ]
}

@test "where no instance has the weight tasks fail and say so" {
	serve echo
	add a; add b -l w=-1
	run --separate-stderr timeout 20 svc-call -T 0.5s --policy weighted=labels.w w < <(seq 3)
	is 1
	[ "$(jq -r '.error | [.code, .message] | join(" ")' <<<"$output" | sort -u)" = \
		'unplaceable w: 0 of 2 instances: 2 no weight labels.w' ]
	[ "${#lines[@]}" = 3 ]
}

@test "a dry run says where the policy would send it" {
	serve echo log=log
	add a -l w=1; add b -l w=0
	run svc-call -n --policy weighted=labels.w -d 1 w
	is 0
	[ "$(jq -r '.instance.id' <<<"$output")" = a ]
	[ ! -e log ]
}
