#!/usr/bin/env python3
"""Changes a registry at random, as hands and programs do that know no protocol.

registry_storm.py REGISTRY SEED CHANGES: records of 20 services of 40 instances
are written, renamed, removed, drained, touched, given times of 1970 and 2100;
now and then a service's directory is moved away and back, or all of them are.
"""

import json
import os
import random
import sys

EPOCH, FUTURE = 1, 4102444800
LEASES = ({"lease": "none"}, {"lease": "ttl", "ttl": 3600})


def record(service, name):
    return json.dumps(
        {
            "service": service,
            "id": name,
            "address": f"http://127.0.0.1:{random.randint(1, 65535)}/task",
            **random.choice(LEASES),
            "labels": {"n": str(random.randint(0, 2))},
            **random.choice(({}, {"meta": {"\u00e4": [1, 2]}}, {"x": None})),
        }
    )


def write(path, text):
    directory, leaf = os.path.split(path)
    temp = f"{directory}/.{leaf}.{os.getpid()}"
    with open(temp, "w", encoding="utf-8") as file:
        file.write(text)
    os.rename(temp, path)


def change(services):
    service = f"s{random.randrange(20)}"
    name = f"i{random.randrange(40)}"
    path = f"{services}/{service}/{name}"
    what = random.random()
    if what < 0.45:
        write(f"{path}.json", record(service, name))
    elif what < 0.6:
        os.unlink(f"{path}.json")
    elif what < 0.7:
        write(f"{path}.drain", "")
    elif what < 0.8:
        os.unlink(f"{path}.drain")
    elif what < 0.9:
        os.utime(f"{path}.json")
    elif what < 0.95:
        time = random.choice((EPOCH, FUTURE))
        os.utime(f"{path}.json", (time, time))
    elif what < 0.999:
        write(f"{path}.json", random.choice(("", "garbage", "{}")))
    elif what < 0.9999:
        os.rename(f"{services}/{service}", f"{services}/../{service}.away")
        os.rename(f"{services}/../{service}.away", f"{services}/{service}")
    else:
        os.rename(services, f"{services}.away")
        os.rename(f"{services}.away", services)


def main():
    services = f"{sys.argv[1]}/services"
    random.seed(int(sys.argv[2]))
    for i in range(20):
        os.makedirs(f"{services}/s{i}", exist_ok=True)
    for _ in range(int(sys.argv[3])):
        try:
            change(services)
        except FileNotFoundError:
            pass


main()
