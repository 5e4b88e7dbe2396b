#!/usr/bin/env bats
# lib/common sets top, pid and started.
# shellcheck disable=SC2154,SC2016
# task-run(1): what was done is undone when a later step fails, and nothing else.

bats_require_minimum_version 1.5.0
load lib/common

# trip [FAILING]: the services flight, hotel and charge, of which one fails; what
# they do is lines of the file deeds.  The workflow is the file trip.
trip() {
	local service
	: >deeds
	for service in flight hotel charge; do
		start task-worker -q "$service" -- sh -c '
			task=$(cat)
			case $task in *book*) [ "$1" != "$2" ] || exit 1 ;; esac
			echo "$1 $task" >>"$0"
			echo "{\"ref\":\"$1-1\"}"' "$PWD/deeds" "$service" "${1:-}" >"record.$service"
		until_true 30 test -s "record.$service"
	done
	cat >trip <<-'END'
		{"id":"flight","service":"flight","task":{"book":1}}
		{"id":"hotel","service":"hotel","task":{"book":2},"after":["flight"]}
		{"id":"charge","service":"charge","task":{"book":3},"after":["hotel"]}
		{"id":"no-hotel","service":"hotel","after":["charge"],"when":"failed","task":{"cancel":null},"bind":{"/cancel":"hotel#/ref"}}
		{"id":"no-flight","service":"flight","after":["hotel","charge"],"when":"failed","task":{"cancel":null},"bind":{"/cancel":"flight#/ref"}}
		{"id":"mourn","service":"charge","after":["no-flight"],"task":"sorry"}
	END
}

# deeds: what was done, in its order but for what may be at the same time.
deeds() { tr -d '{}"' <deeds | sort | xargs; }
codes() { jq -r '"\(.id) \(.error.code // "ok")"' out | sort | xargs; }

@test "the third step fails: both before it are undone, by what they had brought" {
	trip charge
	run -1 bash -c 'task-run -t trip >out'
	[ "$(deeds)" = 'charge sorry flight book:1 flight cancel:flight-1 hotel book:2 hotel cancel:hotel-1' ]
	[ "$(codes)" = 'charge http flight ok hotel ok mourn ok no-flight ok no-hotel ok' ]
	# No undoing before the failure.
	[ "$(sed -n '1,2s/ .*//p' deeds | xargs)" = 'flight hotel' ]
}

@test "the second step fails: only the first is undone, and the third never begun" {
	trip hotel
	run -1 bash -c 'task-run -t trip >out'
	[ "$(deeds)" = 'charge sorry flight book:1 flight cancel:flight-1' ]
	[ "$(codes)" = 'charge skipped flight ok hotel http mourn ok no-flight ok no-hotel skipped' ]
	[ "$(jq -r 'select(.id == "no-hotel").error.message' out)" = 'hotel failed (http)' ]
}

@test "the first step fails: there is nothing to undo" {
	trip flight
	run -1 bash -c 'task-run -t trip >out'
	[ "$(deeds)" = '' ]
	[ "$(codes)" = 'charge skipped flight http hotel skipped mourn skipped no-flight skipped no-hotel skipped' ]
	[ "$(jq -r 'select(.id == "mourn").error.message' out)" = 'no-flight was skipped: flight failed (http)' ]
}

@test "no step fails: nothing is undone, and that is no failure" {
	trip
	task-run -t trip >out
	[ "$(deeds)" = 'charge book:3 flight book:1 hotel book:2' ]
	[ "$(codes)" = 'charge ok flight ok hotel ok mourn skipped no-flight skipped no-hotel skipped' ]
}

@test "killed after any step and resumed, each step and each undoing is done once" {
	local whole
	trip charge
	run -1 bash -c 'task-run --journal complete -t trip >first'
	for whole in 1 2 3 4 5 6 7; do
		: >deeds
		head -n "$whole" complete >j
		run -1 bash -c 'task-run --journal j --resume -t trip >out'
		# The journal begins with a line of its own; charge leaves no trace.
		[ "$(wc -l <deeds)" -eq $((6 - whole + (whole > 3))) ]
		diff <(jq -c '[.id,.error.code]' first | sort) <(jq -c '[.id,.error.code]' out | sort)
	done
}

@test "the saga of svckit(7) ends as the page says" {
	awk '/^task-worker flight/ { inside = 1 }
		/^\.Ed/ { inside = 0 }
		inside' "$top/man/svckit.7" >saga
	run -0 timeout 60 bash -m saga 3>&-
	for line in '["flight",{"book":"Rome"}]' '["hotel",{"book":"Rome"}]' '["charge","http"]' \
		'["no-hotel",{"cancel":"R12"}]' '["no-flight",{"cancel":"LX8"}]'; do
		says "$line"
	done
	sed -i 's/{done: ., ref: "R12"}/error("full")/' saga
	run -0 timeout 60 bash -m saga 3>&-
	for line in '["hotel","http"]' '["charge","skipped"]' '["no-hotel","skipped"]' \
		'["no-flight",{"cancel":"LX8"}]'; do
		says "$line"
	done
}
