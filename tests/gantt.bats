# shellcheck shell=bash
load lib/common

# What a browser makes of a plan's picture: it must be right where people look.

# browser: the one that is here, in $browser
browser() {
	browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) ||
		skip "no chromium is installed"
}

# planned TASKS INSTANCES GROUPS: plan.svg of so many tasks
planned() {
	seq "$2" | jq -c '{service: "render", id: "web\(.)", address: "http://h:\(8000 + .)/task", capacity: {slots: 2}}' >pool
	seq "$1" | jq -c --argjson groups "$3" '{id: "t\(.)", task: ., duration: (. % 7 + 1), group: "group \(. % $groups)"}' >tasks
	task-schedule -q --plan --gantt plan.svg -r pool -t tasks >planned.ndjson
}

# headless OPTION...: runs the browser, which leaves nothing behind
headless() {
	timeout -k 5 100 "$browser" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
		--hide-scrollbars --user-data-dir="$BATS_TEST_TMPDIR/chromium" "$@" 2>browser.log 3>&-
}

# measure SCRIPT: the object that it returns in a page with the picture
measure() {
	{
		printf '<!doctype html><title>wait</title><body style="margin:0">'
		cat plan.svg
		printf '<script>document.title = JSON.stringify((() => { %s })());</script>' "$1"
	} >page.html
	headless --dump-dom "file://$PWD/page.html" >dom.html || {
		cat browser.log >&2
		return 1
	}
	sed -nE 's|.*<head><title>(\{.*\})</title>.*|\1|p' dom.html | head -n 1 |
		sed 's/&quot;/"/g; s/&lt;/</g; s/&gt;/>/g; s/&amp;/\&/g'
}

# ground OPTION...: the colour of the picture's top left pixel, as it is painted
ground() {
	headless "$@" --window-size=1200,400 --screenshot="$PWD/shot.png" "file://$PWD/plan.svg" ||
		{ cat browser.log >&2; return 1; }
	python3 - <<-'EOF'
		import struct, zlib
		data = open("shot.png", "rb").read()
		at, pixels = 8, b""
		while at < len(data):
		    length, kind = struct.unpack(">I4s", data[at:at + 8])
		    if kind == b"IDAT":
		        pixels += data[at + 8:at + 8 + length]
		    at += length + 12
		# the first pixel of the first row: no filter changes it
		print("#%02x%02x%02x" % tuple(zlib.decompress(pixels)[1:4]))
	EOF
}

@test "hostile names of groups make a picture that an XML parser accepts" {
	echo '{"service":"render","id":"web1","address":"http://h:81/task"}' >pool
	printf '%s\n' '{"task":1,"group":"</text><script>alert(1)</script>"}' \
		'{"task":2,"group":"\u0001\u001b\u0085\ufffe\uffff\u202e"}' \
		'{"task":3,"group":"]]>&\"<![CDATA["}' >tasks
	task-schedule -q --plan --gantt plan.svg -r pool -t tasks >planned.ndjson
	python3 - <<-'EOF'
		import xml.etree.ElementTree as tree
		names = {e.tag.split("}")[1] for e in tree.parse("plan.svg").iter()}
		assert "script" not in names, names
		assert names <= {"svg", "title", "desc", "style", "defs", "pattern", "path", "circle", "rect", "text", "g"}, names
	EOF
}

@test "every task of a plan has its bar, with its times" {
	planned 300 5 4
	python3 - <<-'EOF'
		import json, xml.etree.ElementTree as tree
		root, svg = tree.parse("plan.svg").getroot(), "{http://www.w3.org/2000/svg}"
		shown = {t.text.split("\n")[0]: t.text.split("\n") for t in root.findall(f".//{svg}rect/{svg}title")}
		plan = [json.loads(line) for line in open("planned.ndjson")]
		assert len(plan) == len(shown) == 300
		for task in plan:
		    lines = shown[task["id"]]
		    assert lines[1].startswith(task["instance"]["id"] + ", slot "), lines
		    assert lines[3] == "group " + task["group"], lines
		    assert lines[2].endswith("(%gs)" % (task["end"] - task["start"])), lines
	EOF
}

@test "instances of two services are told apart, and an idle one is shown" {
	printf '{"service":"%s","id":"%s","address":"http://h:81/task"}\n' a web1 a web2 b web1 >pool
	printf '{"task":1,"service":"%s"}\n' a b >tasks
	task-schedule -q --plan --gantt plan.svg -r pool -t tasks >planned.ndjson
	[ "$(grep -cE '>(a/web1|a/web2|b/web1)</text>' plan.svg)" -eq 3 ]
}

@test "a plan in which nothing was placed is a picture of idle slots" {
	echo '{"service":"render","id":"web1","address":"http://h:81/task"}' >pool
	run task-schedule -q --plan --gantt plan.svg -r pool < <(echo '{"task":1,"requires":{"cpu":1}}')
	is 1
	grep -q '>no tasks</text>' plan.svg
	grep -q '>web1</text>' plan.svg
}

@test "an instance of a million slots does not make a picture of a million lanes" {
	echo '{"service":"render","id":"web1","address":"http://h:81/task","capacity":{"slots":1000000}}' >pool
	seq 10 | task-schedule -q --plan --gantt plan.svg -r pool >planned.ndjson
	[ "$(wc -c <plan.svg)" -lt 20000 ]
	[ "$(grep -c '<title>line ' plan.svg)" -eq 10 ]
}

@test "in a browser the labels lie within their bars and the names beside the lanes" {
	browser
	planned 200 6 15
	# shellcheck disable=SC2016 # JavaScript's
	found=$(measure 'const box = e => e.getBoundingClientRect();
		const bars = [...document.querySelectorAll(".bars rect")];
		const labels = [...document.querySelectorAll(".bars text")];
		const left = Math.min(...bars.map(e => box(e).left));
		const out = labels.filter(e => { const bar = box(e.previousElementSibling), text = box(e);
			return text.left < bar.left || text.right > bar.right + 0.5; });
		const names = [...document.querySelectorAll("text")].filter(e => /^web/.test(e.textContent));
		return {bars: bars.length, labels: labels.length, out: out.length, names: names.length,
			over: names.filter(e => box(e).right > left).length};')
	echo "$found"
	[ "$(jq -c '[.bars, .out, .names, .over]' <<<"$found")" = '[200,0,6,0]' ]
	[ "$(jq .labels <<<"$found")" -gt 50 ]
}

@test "in a browser the bars of a group have one colour and those of another another" {
	browser
	planned 90 3 15
	# shellcheck disable=SC2016 # JavaScript's
	found=$(measure 'const fills = {};
		for (const e of document.querySelectorAll(".bars rect")) {
			const group = e.textContent.split("\n")[3];
			(fills[group] ??= new Set()).add(getComputedStyle(e).fill);
		}
		const all = Object.values(fills);
		return {groups: all.length, one: all.filter(s => s.size == 1).length,
			different: new Set(all.map(s => [...s][0])).size};')
	echo "$found"
	[ "$(jq -c '[.groups, .one, .different]' <<<"$found")" = '[15,15,15]' ]
}

@test "a browser paints it on light ground and on dark ground, as its reader has it" {
	browser
	planned 20 2 3
	[ "$(ground --blink-settings=preferredColorScheme=1)" = "#ffffff" ]
	[ "$(ground --blink-settings=preferredColorScheme=0)" = "#15191f" ]
}
