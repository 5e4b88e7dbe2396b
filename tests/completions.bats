#!/usr/bin/env bats
# The completions, as bash, zsh and fish themselves work them out: lines are
# typed into a terminal, and all completions put in.

load lib/common

setup_file() {
	local shell
	for shell in bash zsh fish; do
		command -v "$shell" >/dev/null ||
			echo "# $shell is not installed: its completions are not tested" >&3
	done
}

# In each test's registry: render in eu-1 and eu-2, resize.
fill() {
	svc-register -i web1 -l zone=eu-1 -l gpu=a100 render 127.0.0.1:1 >/dev/null
	svc-register -i web2 -l zone=eu-2 render 127.0.0.1:2 >/dev/null
	svc-register -i old resize 127.0.0.1:3 >/dev/null
}

# typed SHELL LINE: the words that complete the one at the "|" in LINE (at its
# end without one) and are longer, sorted, in
# one line, without the = or , that asks for more.
typed() {
	case $1 in fish) in_fish "$2" ;; *) in_terminal "$1" "$2" ;; esac |
		sed 's/[=,]$//' | sort -u | tr '\n' ' ' | sed 's/ $//'
}

in_fish() {
	local command=${1%% *}
	# fish completes at the end of what it is given.
	timeout 60 fish --no-config -c 'source $argv[1]; complete -C $argv[2]' \
		"$top/completions/fish/$command.fish" "${1%%|*}" | cut -f 1 | grep -vxF -e "$(sed 's/|.*//; s/.* //' <<<"$1")"
}

rc_bash() {
	cat <<-EOF
		PS1='READY> '
		for file in "$top"/completions/bash/[a-z]*; do . "\$file"; done
		bind 'set enable-bracketed-paste off'
		bind '"\C-x\C-a": insert-completions'
		dump() { printf '%s\n' "\$READLINE_LINE" >line; mv line "\$OUT"; }
		bind -x '"\C-x\C-d": dump'
	EOF
}

rc_zsh() {
	cat <<-EOF
		PS1='READY> '
		bindkey -e
		fpath=("$top/completions/zsh" \$fpath)
		autoload -Uz compinit && compinit -u -D
		zle -C all-matches complete-word _generic
		bindkey '^X^A' all-matches
		zstyle ':completion:all-matches::::' completer _all_matches _complete
		zstyle ':completion:all-matches:*' insert true
		dump() { print -r -- "\$BUFFER" >line; mv line "\$OUT"; }
		zle -N dump
		bindkey '^X^D' dump
	EOF
}

# in_terminal SHELL LINE: the words that came to stand where the cursor was.
in_terminal() {
	mkdir -p rc
	"rc_$1" >"rc/.${1}rc"
	rm -f typed
	OUT=$PWD/typed ZDOTDIR=$PWD/rc TERM=dumb timeout 60 python3 - "$@" 3>&- <<-'PY'
		import os, pty, select, sys
		shell, line = sys.argv[1:]
		before, _, after = line.partition("|")
		arguments = {"bash": ["bash", "--noprofile", "--rcfile", "rc/.bashrc", "-i"],
		             "zsh": ["zsh", "-i"]}[shell]
		pid, fd = pty.fork()
		if pid == 0:
		    os.execvp(arguments[0], arguments)
		said = b""
		def read(seconds):
		    global said
		    if select.select([fd], [], [], seconds)[0]:
		        said += os.read(fd, 65536)
		while b"READY> " not in said:
		    read(30)
		os.write(fd, (before + after).encode() + b"\x02" * len(after) + b"\x18\x01\x18\x04")
		while not os.path.exists(os.environ["OUT"]):
		    read(0.05)
		os.write(fd, b"\x15exit\n")
		os.waitpid(pid, 0)
		typed = open(os.environ["OUT"]).read().rstrip("\n")
		kept = before[:before.rfind(" ") + 1]
		assert typed.startswith(kept), typed
		words = typed[len(kept):len(typed) - len(after)].split()
		if words != [before[len(kept):]]:
		    print("\n".join(words))
	PY
}

# every_shell LINE WORDS: these are its completions, in each of the shells.
every_shell() {
	for shell in bash zsh fish; do
		command -v "$shell" >/dev/null || continue
		[ "$(typed "$shell" "$1")" = "$2" ] || {
			echo "$shell: $1: '$(typed "$shell" "$1")', expected '$2'" >&2
			return 1
		}
	done
}

@test "names of services, live" {
	fill
	every_shell 'svc-discover re' 'render resize'
	every_shell 'svc-call res' resize
	every_shell 'task-schedule -s ren' render
	every_shell 'task-worker ren' render
	every_shell 'svc-register ren' render
}

@test "several services where several may stand" {
	fill
	every_shell 'svc-discover render res' resize
	every_shell 'svc-watch render res' resize
	# zsh goes on with options where no operand may stand.
	[ -z "$(typed bash 'svc-call render ')" ]
	[ -z "$(typed fish 'svc-call render ')" ]
}

@test "ids of the service on the line, where instances are asked for" {
	fill
	every_shell 'svc-register --remove render we' 'web1 web2'
	every_shell 'svc-register --drain -w render web1 web' 'web1 web2'
	every_shell 'svc-register --undrain resize ' old
}

@test "options, long and short" {
	every_shell 'svc-discover --st' --status
	every_shell 'svc-call --ret' '--retries --retry'
	every_shell 'svc-watch --sta' --state
	every_shell 'task-schedule --con' --constrained
	every_shell 'task-worker --pu' --public
}

@test "an option in the middle of a line" {
	fill
	every_shell 'svc-discover --nam| render' --names
	every_shell 'svc-discover -a --status exp| render' expired
	every_shell 'svc-discover -a ren| --names' render
}

@test "after -- no option is offered, but what may stand there" {
	fill
	every_shell 'svc-discover -- re' 'render resize'
	every_shell 'svc-discover -- --nam' ''
	every_shell 'task-worker render -- unam' uname
	every_shell 'svc-register render 127.0.0.1:1 -- unam' uname
	every_shell 'svc-watch -p render resize -- unam' uname
}

@test "labels in a selector, also behind a comma, and as K=V" {
	fill
	every_shell 'svc-discover -l gp' gpu=a100
	every_shell 'svc-discover -l zone=eu-2,gp' zone=eu-2,gpu=a100
	every_shell 'svc-call --label=gp' --label=gpu=a100
	every_shell 'svc-register -l gp' gpu=a100
}

@test "statuses, formats, members and policies" {
	every_shell 'svc-discover --status warning,cr' warning,critical
	every_shell 'svc-discover -o prom' prometheus
	every_shell 'svc-call -o res' result
	every_shell 'svc-discover --sort util' utilization
	every_shell 'svc-discover --sort=-util' --sort=-utilization
	every_shell 'task-schedule --score pa' pack
	every_shell 'task-schedule --weighted=head' --weighted=headroom
	every_shell 'task-schedule --order ed' edf
	every_shell 'task-schedule --compare random,leas' random,least-loaded
	every_shell 'task-schedule --explain=f' --explain=full
	every_shell 'svc-register -c slo' slots
}

@test "conditions to wait for, also behind a comma" {
	fill
	every_shell 'svc-watch --until re' 'render resize'
	every_shell 'svc-watch --until render=pa' render=passing
	every_shell 'svc-watch -p --until render=passing,resize=go' render=passing,resize=gone
	every_shell 'svc-watch --until=resize=dr' --until=resize=draining
}

@test "files, where an option takes one" {
	touch state.ndjson
	every_shell 'svc-watch --state sta' state.ndjson
	every_shell 'svc-watch --metrics sta' state.ndjson
}

@test "the registry that -R on the line names" {
	mkdir -m 700 other
	svc-register -R "$PWD/other" -i x remote 127.0.0.1:1
	fill
	every_shell "svc-discover -R $PWD/other re" remote
	every_shell "svc-discover --registry=$PWD/other re" remote
	every_shell "svc-discover -aR $PWD/other re" remote
	every_shell "svc-watch -paR $PWD/other re" remote
	every_shell "svc-call -R $PWD/other -l zo" ''
}

@test "whatever fails is silent" {
	every_shell 'svc-discover zz' ''
	export SVC_REGISTRY=http://127.0.0.1:1
	every_shell 'svc-discover zz' ''
	every_shell 'svc-call -l zz' ''
}

@test "a label that is a command is never run" {
	svc-register -l 'zone=$(touch ran)' -l 'zonk=`touch ran`;touch ran' render 127.0.0.1:1
	for shell in bash zsh fish; do
		typed "$shell" 'svc-discover -l zon'
		typed "$shell" 'svc-discover --sort labels.zon'
	done
	[ ! -e ran ]
}

@test "each shell offers exactly the options of the parser" {
	for tool in svc-register svc-discover svc-call svc-watch task-schedule \
		task-run task-submit task-status task-worker; do
		"$tool" --help | sed -nE 's/^ +(-., )?(--[a-z0-9-]+).*/\2/p' | sort >options
		diff options <(typed bash "$tool --" | tr ' ' '\n' | sort)
		diff options <(typed fish "$tool --" | tr ' ' '\n' | sort)
	done
}
