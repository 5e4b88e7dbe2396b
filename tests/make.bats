#!/usr/bin/env bats
# The Makefile, as packagers and newcomers use it.

load lib/common

setup_make() {
	build=$(realpath --relative-to="$top" "$SVCKIT_BIN/..")
	make=(make -s -C "$top" BUILD="$build" -o all)
	[ "${build##*/}" != sanitize ] || make+=(SANITIZE=1)
}

@test "install and uninstall: what was put is taken away again" {
	setup_make
	"${make[@]}" install DESTDIR="$PWD/root" PREFIX=/usr
	[ -x root/usr/bin/svc-discover ]
	[ -f root/usr/share/man/man1/svc-discover.1 ]
	[ -f root/usr/share/man/man7/svckit.7 ]
	[ -f root/usr/share/bash-completion/completions/svc-discover ]
	root/usr/bin/svc-discover --version
	"${make[@]}" uninstall DESTDIR="$PWD/root" PREFIX=/usr
	[ -z "$(find root -type f)" ]
}

@test "installed units start what was installed, and systemd takes them" {
	setup_make
	"${make[@]}" install PREFIX="$PWD/root"
	grep -q "^ExecStart=$PWD/root/bin/task-run --queue\$" \
		root/lib/systemd/system/task-run.service
	needs systemd-analyze
	run systemd-analyze verify --man=no root/lib/systemd/system/*
	is 0
	[ -z "$output" ] || { echo "$output"; false; }
}

@test "the default prefix is /usr/local" {
	setup_make
	"${make[@]}" install DESTDIR="$PWD/root"
	[ -x root/usr/local/bin/task-worker ]
}

@test "help names every target that a user types" {
	run make -s -C "$top" help
	is 0
	for target in all deps demo check lint bench install uninstall dist clean; do
		says "$target "
	done
}

@test "what is installed already is not installed again" {
	PATH=$PWD:$PATH
	printf '#!/bin/sh\necho called >&2\nexit 1\n' >apt-get
	cp apt-get sudo
	chmod +x apt-get sudo
	run "$top/tests/lib/install-debs" bash
	is 0
	[ -z "$output" ]
	run "$top/tests/lib/install-debs" bash no-such-package-at-all
	is 1
	says 'installing: no-such-package-at-all'
	says called
}

@test "the demo interrupted leaves nothing behind" {
	export TMPDIR=$PWD/temporary SVCKIT_BUILD=$SVCKIT_BIN/..
	mkdir "$TMPDIR"
	# As on a terminal: a job of its own, in which INT is not ignored.
	env --default-signal=INT setsid bash -c 'echo $$ >session
		exec "$0"' "$top/tests/demo/wordcount" >out 2>&1 3>&- &
	demo=$!
	until_true 60 grep -q "^svc-discover" out || { cat out; false; }
	kill -INT -- "-$(cat session)"
	wait "$demo" || status=$?
	[ "$status" -eq 130 ]
	[ -z "$(ls -A "$TMPDIR")" ]
	until_true 20 bash -c '! pgrep -s "$(cat session)"'
}
