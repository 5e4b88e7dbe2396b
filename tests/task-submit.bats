#!/usr/bin/env bats
# task-submit: tasks into the durable queue, and out of it again.

load lib/common
bats_require_minimum_version 1.5.0

setup_file() {
	export BATS_TEST_TIMEOUT=120
}

# places STATE: the names in a state's directory, sorted.
places() { find "$SVC_REGISTRY/tasks/$1" -type f ! -name '.*' -printf '%f\n' | sort; }
has_lines() { [ "$(wc -l <"$1")" -eq "$2" ]; }
is_queued() { [ -e "$SVC_REGISTRY/tasks/new/$1.0" ]; }
# complete ID RESULT: as task-run does, by moves.
complete() {
	local tasks=$SVC_REGISTRY/tasks
	mv -n "$tasks/new/$1.0" "$tasks/running/$1.0@test-1-x"
	jq -c ".status = 200 | .result = $2" "$tasks/running/$1.0@test-1-x" >"finished.$1"
	mv "finished.$1" "$tasks/running/$1.0@test-1-x"
	mv -n "$tasks/running/$1.0@test-1-x" "$tasks/done/$1"
}
# fail_task ID: the same for one that has failed.
fail_task() {
	local tasks=$SVC_REGISTRY/tasks
	jq -c '.error = {code: "exit", message: "exit status 1"}' "$tasks/new/$1.0" >"finished.$1"
	rm "$tasks/new/$1.0"
	mv "finished.$1" "$tasks/failed/$1"
}
# waiting OPTIONS...: a task-submit --wait; its pid in $pid, its output in out.
waiting() {
	env --default-signal=INT,TERM task-submit -w "$@" <&0 >out 2>err 3>&- &
	pid=$!
	started+=("$pid")
}

# ends STATUS: the one that waits, so.
ends() {
	local status=0
	wait "$pid" || status=$?
	[ "$status" -eq "$1" ] || { echo "status $status, expected $1" >&2; cat out err >&2; return 1; }
}

@test "a task is printed as it is stored, and lies under its id and in new" {
	run -0 --separate-stderr task-submit -i t1 -s render -d '{"b": 1, "a": 1e400}'
	[ "$output" = '{"id":"t1","task":{"b": 1, "a": 1e400},"service":"render"}' ]
	[ -z "$stderr" ]
	[ "$output" = "$(cat "$SVC_REGISTRY/tasks/new/t1.0")" ]
	[ "$SVC_REGISTRY/tasks/new/t1.0" -ef "$SVC_REGISTRY/tasks/ids/t1" ]
}

@test "the registry and its queue are made where there is none" {
	run -0 task-submit -R "$PWD/made" -i t1 -d 1
	[ -f made/tasks/new/t1.0 ]
	[ "$(stat -c %a made)" = 700 ]
}

@test "lines come out in the order of the input, each once, also bad ones" {
	printf '%s\n' '{"id":"a","task":1}' oops '' 7 '{"id":"b","task":2}' >lines
	run -65 --separate-stderr task-submit <lines
	[ "$(jq -c '[.task, .error.code, .line]' <<<"$output" | paste -sd' ')" = \
		'[1,null,null] [null,"invalid",2] [7,null,null] [2,null,null]' ]
	[ "$stderr" = 'task-submit: stdin:2: not JSON: byte 1: not a JSON value' ]
	[ "$(places new | wc -l)" -eq 3 ]
}

@test "options say what the line does not, and the line beats them" {
	echo '{"id":"a","task":1,"priority":9,"service":"x"}' >lines
	task-submit -i b -d 1 >/dev/null
	run -0 task-submit -s render --priority 2 --retries 3 --after b \
		--deadline 2999-01-01T00:00:00Z --not-before 2000-01-01T01:00:00+01:00 <lines
	[ "$(jq -c 'del(.id)' <<<"$output")" = '{"task":1,"priority":9,"service":"x","after":["b"],"not_before":"2000-01-01T00:00:00.000Z","deadline":"2999-01-01T00:00:00.000Z","retries":3}' ]
}

@test "a time is an RFC 3339 time or a duration from now" {
	run -0 task-submit --deadline 2h -d 1
	left=$(jq '(.deadline | sub("\\.[0-9]+Z"; "Z") | fromdate) - now' <<<"$output")
	jq -en "$left > 7100 and $left < 7201"
	run -64 task-submit --deadline tomorow -d 1
	says "--deadline: neither an RFC 3339 time nor a duration from now: 'tomorow'"
	run -64 task-submit --not-before 2h --deadline 1h -d 1
}

@test "what comes from outside may not say where it went or how it ended" {
	for member in '"instance":{}' '"status":200' '"result":1' '"error":{}'; do
		run -65 task-submit -q <<<"{\"id\":\"a\",\"task\":1,$member}"
		[ "$(jq -r .error.code <<<"$output")" = invalid ]
	done
	[ -z "$(places ids)" ]
}

@test "text becomes a string, and a bare line a task whatever it is" {
	run -0 task-submit -L <<<'{"id":"a","task":1}'
	[ "$(jq -r .task <<<"$output")" = '{"id":"a","task":1}' ]
	run -0 task-submit --bare <<<'{"id":"a","task":1}'
	[ "$(jq -c .task <<<"$output")" = '{"id":"a","task":1}' ]
	printf 'some\ntext' >file
	run -0 task-submit -L -d @file
	[ "$(jq -c .task <<<"$output")" = '"some\ntext"' ]
}

@test "the same id with the same content is no error and changes nothing" {
	task-submit -i t1.3 -d 1 >first
	run -0 --separate-stderr task-submit -v -i t1.3 -d 1
	[ "$output" = "$(cat first)" ]
	[[ $stderr == *'t1.3: is there already: waiting'* ]]
	[ "$(places new)" = t1.3.0 ]
}

@test "an id that has ended comes out with its result, or its error, and 0" {
	task-submit -i good -d 1 >/dev/null
	task-submit -i bad -d 1 >/dev/null
	complete good 42
	fail_task bad
	run -0 task-submit -i good -d 1
	[ "$(jq .result <<<"$output")" = 42 ]
	run -0 task-submit -i bad -d 1
	[ "$(jq -r .error.code <<<"$output")" = exit ]
	[ -z "$(places new)" ]
}

@test "the same id with other content is refused, and what differs is told" {
	task-submit -i t1 --priority 1 -d 1 >/dev/null
	run -1 --separate-stderr task-submit -i t1 -d 2
	[ "$(jq -r .error.code <<<"$output")" = invalid ]
	[ "$stderr" = "task-submit: --data: the id 't1' is another task's, which differs in \"priority\", \"task\"" ]
	[ "$(jq .task "$SVC_REGISTRY/tasks/new/t1.0")" = 1 ]
}

@test "of two lines with one id the earlier one counts" {
	run -1 task-submit -q < <(printf '{"id":"a","task":%d}\n' 1 2 1)
	[ "$(jq -c '[.task, .error.code]' <<<"$output" | paste -sd' ')" = \
		'[1,null] [2,"invalid"] [1,null]' ]
	[ "$(places new)" = a.0 ]
}

@test "with --unique the content makes the id, as sha256sum does" {
	run -0 task-submit --unique -d '{"a":1}'
	id=u-$(printf %s '{"task":{"a":1}}' | sha256sum | cut -c 1-32)
	[ "$(jq -r .id <<<"$output")" = "$id" ]
	run -0 task-submit --unique -s other -d '{"a":1}'
	run -0 task-submit --unique <<<' { "task" : {"a":1}}'
	[ "$(places new | wc -l)" -eq 2 ]
	run -64 task-submit --unique --deadline 1h -d 1
	says 'another one each time'
}

@test "who waits for a task that there is none of is refused" {
	run -1 --separate-stderr task-submit --after nobody -d 1
	[ "$(jq -r .error.code <<<"$output")" = unknown-task ]
	[[ $stderr == *"it waits for 'nobody'"* ]]
	run -1 task-submit -q <<<'{"id":"x","task":null,"bind":{"":"nobody#/a"}}'
	[ "$(jq -r .error.code <<<"$output")" = unknown-task ]
	[ -z "$(places new)" ]
}

@test "a task may wait for an earlier line, and not for one that was refused" {
	task-submit -i taken -d 1 >/dev/null
	printf '%s\n' '{"id":"a","task":1}' '{"id":"b","task":1,"after":["a"]}' \
		'{"id":"c","task":1,"after":["none"]}' '{"id":"d","task":1,"after":["c"]}' \
		'{"id":"taken","task":2}' '{"id":"e","task":1,"after":["taken"]}' >lines
	run -1 task-submit -q <lines
	[ "$(jq -r 'select(.error) | .id' <<<"$output" | paste -sd' ')" = 'c d taken' ]
	[ "$(places new | paste -sd' ')" = 'a.0 b.0 e.0 taken.0' ]
}

@test "a chain of tasks in one batch is stored whole" {
	jq -nc 'range(300) | {id: "c\(.)", task: ., after: [if . > 0 then "c\(. - 1)" else empty end]}' >chain
	run -0 task-submit <chain
	[ "$(places new | wc -l)" -eq 300 ]
	[ "$(jq -r .id <<<"$output")" = "$(jq -r .id chain)" ]
}

@test "of several lines with --id none is stored" {
	run -65 task-submit -q -i one < <(seq 3)
	[ "$(jq -r .error.code <<<"$output" | sort -u)" = invalid ]
	[ "${#lines[@]}" -eq 3 ]
	[ -z "$(places ids)" ]
	run -0 task-submit -i one <<<1
	is_queued one
}

@test "what is held waits in held" {
	task-submit --hold -i t1.3 -d 1 >/dev/null
	[ "$(places held)" = t1.3.0 ]
	[ -z "$(places new)" ]
}

@test "a dry run prints the same and stores nothing, not even a registry" {
	run -0 task-submit -n -R "$PWD/none" -i t1 -d 1
	[ "$output" = '{"id":"t1","task":1}' ]
	[ ! -e none ]
	task-submit -i t1 -d 1 >/dev/null
	run -1 task-submit -n -q -i t1 -d 2
	run -1 task-submit -n -q --after none -d 2
	run -0 task-submit -n < <(printf '%s\n' '{"id":"n","task":1}' '{"task":1,"after":["n","t1"]}')
	[ "$(places ids)" = t1 ]
}

@test "a slow pipe has its answers line by line" {
	mkfifo lines
	task-submit <lines >out 3>&- &
	started+=("$!")
	exec 5>lines
	echo 1 >&5
	until_true 10 has_lines out 1
	echo 2 >&5
	until_true 10 has_lines out 2
	exec 5>&-
	wait "${started[0]}"
}

@test "a task of 8 MiB is stored, a larger one comes out as too large" {
	head -c 8388606 /dev/zero | tr '\0' x | sed 's/.*/"&"/' >task
	task-submit -i big -d @task >out
	cmp out "$SVC_REGISTRY/tasks/new/big.0"
	{ printf '"x'; tail -c +2 task; } >larger
	# shellcheck disable=SC2016
	run -65 bash -c 'task-submit -q <larger | jq -r .error.code; exit ${PIPESTATUS[0]}'
	[ "$output" = too-large ]
}

@test "what is killed meanwhile is never both acknowledged and lost" {
	for n in {1..40}; do
		task-submit -i "k$((n % 7))" -d "$((n % 7))" >>out 3>&- &
		victim=$!
		read -rt "0.00$((RANDOM % 6))" <> <(:) || :
		kill -9 "$victim" 2>/dev/null || :
		wait "$victim" 2>/dev/null || :
	done
	jq -r .id out | sort -u >acknowledged
	while read -r id; do is_queued "$id"; done <acknowledged
	for n in {0..6}; do
		run -0 task-submit -i "k$n" -d "$n"
		is_queued "k$n"
	done
	[ "$(places new | wc -l)" -eq 7 ]
}

@test "of two who submit one id at once both are told the same" {
	for n in {1..20}; do
		task-submit -i "x$n" -d 1 >a 3>&- &
		task-submit -i "x$n" -d 1 >b
		wait "$!"
		cmp a b
	done
	[ "$(places new | wc -l)" -eq 20 ]
	for n in {1..20}; do
		task-submit -q -i "y$n" -d 1 >/dev/null 3>&- &
		status=0
		task-submit -q -i "y$n" -d 2 >/dev/null || status=$?
		other=0
		wait "$!" || other=$?
		[ $((status + other)) -eq 1 ]
	done
}

@test "on a full disk what is not stored comes out with an error, and 74" {
	[ "$(id -u)" -eq 0 ] || skip 'needs root'
	cat >fill <<-'END'
		mkdir small && mount -t tmpfs -o size=256k tmpfs small || exit 99
		seq 200 | task-submit -R "$PWD/small/registry" >out 2>err
		echo $? >status
		find small/registry/tasks/new -name '*.0' | wc -l >stored
	END
	unshare -m bash fill || skip 'no tmpfs here'
	[ "$(cat status)" -eq 74 ]
	has_lines out 200
	[ "$(jq -c 'select(.error | not)' out | wc -l)" -eq "$(cat stored)" ]
	[ "$(jq -r 'select(.error) | .error.code' out | sort -u)" = cancelled ]
	grep -q 'tasks are not stored, the first: .*No space left' err
}

@test "a queue that may not be written is 77, and each line comes out" {
	[ "$(id -u)" -ne 0 ] || skip 'root may write everything'
	task-submit -i t1 -d 1 >/dev/null
	chmod 500 "$SVC_REGISTRY/tasks/ids" "$SVC_REGISTRY/tasks/new"
	run -77 task-submit < <(seq 2)
	chmod 700 "$SVC_REGISTRY/tasks/ids" "$SVC_REGISTRY/tasks/new"
	[ "$(grep -c '"code":"cancelled"' <<<"$output")" -eq 2 ]
}

@test "a file system that is read-only is 74" {
	[ "$(id -u)" -eq 0 ] || skip 'needs root'
	task-submit -i t1 -d 1 >/dev/null
	# shellcheck disable=SC2016
	run unshare -m bash -c 'mount --bind "$SVC_REGISTRY" "$SVC_REGISTRY" &&
		mount -o remount,bind,ro "$SVC_REGISTRY" || exit 99
		seq 2 | task-submit >out; exit "${PIPESTATUS[1]}"'
	[ "$status" -ne 99 ] || skip 'no bind mounts here'
	is 74
	says 'Read-only file system'
	has_lines out 2
}

@test "--wait prints the finished lines as they end, in order with -k" {
	printf '{"id":"%s","task":1}\n' a b c >lines
	waiting -o result <lines
	until_true 10 is_queued c
	complete b 22
	until_true 10 has_lines out 1
	complete a 11
	fail_task c
	ends 1
	[ "$(paste -sd' ' out)" = '22 11' ]
	grep -q '"code":"exit"' err
	waiting -k <lines
	ends 1
	[ "$(jq -r .id out | paste -sd' ')" = 'a b c' ]
}

@test "--wait -k keeps bad lines and known ones in their places" {
	task-submit -i known -d 1 >/dev/null
	complete known 5
	printf '%s\n' '{"id":"a","task":1}' oops '{"id":"known","task":1}' '{"id":"a","task":1}' >lines
	waiting -k <lines
	until_true 10 is_queued a
	complete a 7
	ends 65
	[ "$(jq -c '[.id, .result]' out | paste -sd' ')" = '["a",7] [null,null] ["known",5] ["a",7]' ]
}

@test "--wait prints what ends while lines still come" {
	mkfifo lines
	exec 5<>lines
	waiting -o result <lines 5>&-
	echo '{"id":"a","task":1}' >&5
	until_true 10 is_queued a
	complete a 1
	until_true 10 has_lines out 1
	kill "$pid"
	ends 143
	exec 5>&-
}

@test "a task that is purged or cancelled before its end is read is not waited for" {
	waiting < <(printf '{"id":"%s","task":1}\n' a b)
	until_true 10 is_queued b
	task-status --cancel a >/dev/null
	rm "$SVC_REGISTRY/tasks/ids/b"
	touch "$SVC_REGISTRY/tasks/done/b" && rm "$SVC_REGISTRY/tasks/done/b"
	ends 1
	[ "$(jq -r '.id + " " + .error.code' out | sort | paste -sd' ')" = 'a cancelled b cancelled' ]
}

@test "-T ends the wait with 124, and the tasks stay queued" {
	run -124 --separate-stderr task-submit -w -T 0.1 -i t1 -d 1
	[ "$(jq -r .error.code <<<"$output")" = timeout ]
	[[ $stderr == *'1 task is still queued (task-status says how it stands)'* ]]
	is_queued t1
}

@test "INT and TERM end the wait, leave the tasks queued and say so" {
	for signal in INT TERM; do
		rm -f out err
		waiting -i "t$signal" -d 1
		until_true 10 grep -q 'nobody executes the queue' err
		kill -s "$signal" "$pid"
		ends $((128 + $(kill -l "$signal")))
		[ "$(jq -r .error.code out)" = cancelled ]
		grep -q '1 task is still queued' err
		is_queued "t$signal"
	done
}

@test "--wait ends with what task-run --queue makes of the tasks" {
	run -0 task-submit -q -i first -d 20
	start task-run --queue --exec -- jq '. + 1'
	run -0 task-submit -q -w -k -o result < <(printf '%s\n' '{"id":"first","task":20}' 30 40)
	[ "$(paste -sd' ' <<<"$output")" = '21 31 41' ]
}

@test "a command line that says nothing useful is refused" {
	run -64 task-submit -k -d 1
	says 'need --wait'
	run -64 task-submit -w -n -d 1
	run -64 task-submit -i a --unique -d 1
	run -64 task-submit -i 'a/b' -d 1
	run -64 task-submit --after '' -d 1
	run -64 task-submit render
	says "unexpected operand 'render'"
	run -64 task-submit -o table -w -d 1
}

@test "a terminal on standard input is refused with a hint" {
	needs script
	run script -qec 'task-submit; echo "status $?"' /dev/null </dev/null
	says 'standard input is a terminal: give --data, or lines in a pipe'
	says 'status 64'
}

@test "a reader that goes away ends it quietly" {
	# shellcheck disable=SC2016
	run bash -c 'seq 100000 | task-submit -n 2>err | head -n 1 >/dev/null; echo "${PIPESTATUS[1]}"'
	[ "$output" = 141 ]
	[ ! -s err ]
}

@test "output that cannot be written is 74" {
	run -74 bash -c 'task-submit -d 1 >/dev/full'
	says 'No space left on device'
}
