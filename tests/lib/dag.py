#!/usr/bin/env python3
"""Random workflows, and what has to become of them, for tests of task-run.

    dag.py make SEED COUNT [OPTION]  task lines, each behind those it waits for;
                                     OPTION shuffled: in any order
    dag.py check TASKS OUT LOG JOBS [again]
                                     tells what is wrong, and exits 1; again:
                                     tasks may have been started twice

The command that executes a task (task-run-dag.bats has it) writes "S ID" into
LOG when it starts and "E ID" when it ends, prints one more than the result that
is bound to its task (or 1), and exits with the status that the task names.  The
reference knows nothing of task-run.
"""
import json
import random
import sys


def make_line(rng, number, reach):
    before = range(max(0, number - reach), number)
    after = rng.sample(before, min(len(before), rng.choice([0, 1, 1, 2, 4])))
    when = rng.choice(["ok", "ok", "failed", "done", None])
    line = {"id": f"t{number}",
            "task": {"exit": rng.choice([0, 0, 0, 0, 1, 7]), "of": None}}
    if when:
        line["when"] = when
    if after and when in ("ok", None) and rng.random() < 0.5:
        line["bind"] = {"/of": f"t{after.pop()}"}
    if after:
        line["after"] = [f"t{other}" for other in after]
    if rng.random() < 0.3:
        line["priority"] = rng.randrange(5)
    return line


def make(seed, count, option=None):
    rng = random.Random(int(seed))
    reach = rng.choice([3, 10, int(count)])
    lines = [make_line(rng, number, reach) for number in range(int(count))]
    if option == "shuffled":
        rng.shuffle(lines)
    for line in lines:
        print(json.dumps(line, separators=(",", ":")))


def waits_for(line):
    return set(line.get("after", [])) | set(line.get("bind", {}).values())


def runs(line, before):
    """Whether it has to run, when what it waits for has ended so."""
    when = line.get("when", "ok")
    if when == "ok":
        return all(isinstance(end, int) for end in before)
    return when == "done" or "exit" in before


def reference(lines):
    """How each ends: its result, "exit" or "skipped"."""
    ends, left = {}, dict(lines)
    while left:
        for name in [name for name, line in left.items()
                     if all(other in ends for other in waits_for(line))]:
            line = left.pop(name)
            if not runs(line, [ends[other] for other in waits_for(line)]):
                ends[name] = "skipped"
            elif line["task"]["exit"] != 0:
                ends[name] = "exit"
            else:
                ends[name] = 1 + sum(
                    ends[other] for other in line.get("bind", {}).values())
    return ends


def wrong_ends(ends, out):
    for line in out:
        name = line["id"]
        end = line["error"]["code"] if "error" in line else line["result"]
        if ends.pop(name, "nothing, or is there twice") != end:
            yield f"{name} ended as {end}"
    for name in ends:
        yield f"{name} did not come out"


def wrong_order(lines, ends, log, jobs, again):
    ended, running, started = set(), set(), set()
    for what, name in log:
        if what == "E":
            running.discard(name)
            ended.add(name)
            continue
        if name in started and not again:
            yield f"{name} was started twice"
        if ends[name] == "skipped":
            yield f"{name} was started, and had to be skipped"
        started.add(name)
        running.add(name)
        if len(running) > jobs and not again:
            yield f"{name} was started beside {len(running) - 1}"
        for other in waits_for(lines[name]) - ended:
            if ends[other] != "skipped":
                yield f"{name} was started before {other} ended"
    for name, end in ends.items():
        if end != "skipped" and name not in ended:
            yield f"{name} has not run"


def read(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def check(tasks, out, log, jobs, again=None):
    lines = {line["id"]: line for line in read(tasks)}
    ends = reference(lines)
    with open(log, encoding="utf-8") as file:
        log = [entry.split() for entry in file]
    wrong = list(wrong_ends(dict(ends), read(out)))
    wrong += wrong_order(lines, ends, log, int(jobs), again == "again")
    print("\n".join(wrong))
    sys.exit(len(wrong) > 0)


def main():
    {"make": make, "check": check}[sys.argv[1]](*sys.argv[2:])


main()
