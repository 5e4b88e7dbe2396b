# Loaded by every .bats file: `load lib/common`.
#
# Each test has a registry of its own and a list of processes that it started;
# teardown stops them by their pids and fails the test when one will not go.
# shellcheck shell=bash

top=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
SVCKIT_BIN=${SVCKIT_BIN:-$top/build/bin}
# Not the caller's PATH: it may have directories that this user may not search.
export PATH="$SVCKIT_BIN:/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"
export LC_ALL=C.UTF-8
# Failures of the sanitized build must not look like a utility's own status.
export ASAN_OPTIONS=exitcode=99 UBSAN_OPTIONS=print_stacktrace=1

setup() {
	export SVC_REGISTRY=$BATS_TEST_TMPDIR/registry
	mkdir -m 700 "$SVC_REGISTRY"
	export HOME=$BATS_TEST_TMPDIR/home
	unset XDG_STATE_HOME
	mkdir "$HOME"
	cd "$BATS_TEST_TMPDIR" || return 1
	started=()
}

teardown() {
	local pid
	for pid in "${started[@]}"; do
		kill "$pid" 2>/dev/null || continue
		wait_gone "$pid" 10 || kill -9 "$pid"
	done
}

# start COMMAND...: runs it in the background, its pid in $pid and stopped at teardown.
start() {
	"$@" 3>&- &
	pid=$!
	started+=("$pid")
}

# until_true SECONDS COMMAND...: polls until COMMAND succeeds; fails at the deadline.
until_true() {
	local deadline=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		((SECONDS < deadline)) || { echo "not within the time: $*" >&2; return 1; }
		read -rt 0.02 <> <(:) || :
	done
}

# wait_gone PID SECONDS: until the process has ended (a zombie has).
wait_gone() {
	local pid=$1 deadline=$((SECONDS + $2)) state
	while state=$(awk '/^State:/ { print $2 }' "/proc/$pid/status" 2>/dev/null) &&
		[ -n "$state" ] && [ "$state" != Z ]; do
		((SECONDS < deadline)) || return 1
		read -rt 0.02 <> <(:) || :
	done
}

# is STATUS: the last run ended so; shows what it said otherwise.
is() {
	[ "$status" -eq "$1" ] || {
		echo "status $status, expected $1; output:" >&2
		echo "$output" >&2
		return 1
	}
}

# says TEXT: the last run's output contains it.
says() {
	case $output in
	*"$1"*) ;;
	*) echo "not in the output: $1" >&2; echo "$output" >&2; return 1 ;;
	esac
}

# needs COMMAND: skips the test, with a message, where it is not installed.
needs() {
	command -v "$1" >/dev/null || skip "$1 is not installed"
}
