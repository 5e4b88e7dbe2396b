#!/usr/bin/env bats
# lib/common sets top, pid and started.
# shellcheck disable=SC2154,SC2016,SC2030,SC2031
# task-run(1), WORKFLOWS: random ones, with failing tasks and each "when", are
# executed as a reference says that they have to be (lib/dag.py).

bats_require_minimum_version 1.5.0
load lib/common

dag=$BATS_TEST_DIRNAME/lib/dag.py

# What dag.py says of it.  The shell alone: a process a task.
command='read -r task || :
	of=${task##*:} of=${of%"}"} status=${task#*:}
	echo "S $SVC_TASK_ID" >>log
	[ "$of" != null ] || of=0
	echo $((of + 1))
	echo "E $SVC_TASK_ID" >>log
	exit "${status%%,*}"'

# execute J OPTION...: the tasks of the file or standard input, to out and log.
execute() {
	: >>log
	task-run -j "$@" --exec -- sh -c "$command" >out 2>err || [ $? -eq 1 ]
}

# has_run J [again]: all as the reference says.
has_run() {
	python3 "$dag" check tasks out log "$@"
}

@test "workflows from a file, in any order, end and run as the reference says" {
	needs python3
	local seed
	for seed in {1..12}; do
		python3 "$dag" make "$seed" 60 shuffled >tasks
		rm -f log
		execute $((seed % 5 + 1)) -t tasks
		has_run $((seed % 5 + 1)) || { echo "seed $seed"; return 1; }
	done
}

@test "workflows from a pipe end and run as the reference says" {
	needs python3
	local seed
	for seed in {21..32}; do
		python3 "$dag" make "$seed" 60 >tasks
		rm -f log
		cat tasks | execute $((seed % 7 + 1))
		has_run $((seed % 7 + 1)) || { echo "seed $seed"; return 1; }
	done
}

@test "a workflow ends the same under each order, and with -k in its own" {
	needs python3
	local order
	python3 "$dag" make 41 80 >tasks
	for order in fifo edf lpt fair; do
		rm -f log
		execute 4 -t tasks -k --order="$order"
		has_run 4
		[ "$(jq -r .id out)" = "$(jq -r .id tasks)" ]
	done
}

@test "a workflow that is killed again and again and resumed ends the same" {
	needs python3
	local seed lines
	for seed in {51..54}; do
		python3 "$dag" make "$seed" 60 shuffled >tasks
		rm -f log journal
		for lines in 8 20 45; do
			touch log
			start task-run -j 4 -t tasks --journal journal --exec -- sh -c "$command" >out
			until_true 20 eval "[ \$(wc -l <log) -ge $lines ] || ! kill -0 $pid"
			kill -9 "$pid" 2>/dev/null || :
			wait "$pid" || :
		done
		execute 4 -t tasks --resume --journal journal
		has_run 4 again || { echo "seed $seed"; return 1; }
	done
}
