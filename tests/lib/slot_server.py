#!/usr/bin/env python3
"""An HTTP server with a capacity, for tests of what many clients do to it.

    slot_server.py log=FILE [OPTION=VALUE]...

listens on a free port of 127.0.0.1 (or port=N), prints the port, and answers
each POST with its body after delay=SECONDS (0).  slots=N are executed at once;
what comes beyond is turned away: status=N (503) with Retry-After:
retry_after=V (1), without one where V is empty.  With dies=N it is killed as
soon as it has begun the N-th.  It does little, so that 200 clients can be tried
on a machine that is busy with them.

FILE gets a line for each event, in one write, so that a kill loses none:

    MILLISECONDS begun KEY      executed from here on (KEY: Idempotency-Key)
    MILLISECONDS turned KEY     turned away
    MILLISECONDS served KEY     answered

SIGTERM stops it as a good server is stopped: the port is closed, each further
answer closes its connection, and it ends when no connection is left.
"""

import asyncio
import os
import re
import resource
import signal
import sys
import time

OPTIONS = dict(argument.split("=", 1) for argument in sys.argv[1:])
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.I)
KEY = re.compile(rb"\r\nidempotency-key: *([^\r]*)", re.I)


class Server:
    def __init__(self):
        self.slots = int(OPTIONS.get("slots", 1000000))
        self.delay = float(OPTIONS.get("delay", 0))
        self.busy = 0
        self.lives = int(OPTIONS.get("dies", 0))
        self.connections = 0
        self.stopping = False
        self.ended = asyncio.Event()
        self.log = os.open(
            OPTIONS["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644
        )

    def write(self, what, key):
        now = time.time_ns() // 1000000
        os.write(self.log, b"%d %s %s\n" % (now, what, key))

    def stop(self, listener):
        self.stopping = True
        listener.close()
        self.count(0)

    def count(self, step):
        self.connections += step
        if self.stopping and self.connections == 0:
            self.ended.set()


class Connection(asyncio.Protocol):
    def __init__(self, server):
        self.server = server
        self.buffer = b""
        self.transport = None

    def connection_made(self, transport):
        self.transport = transport
        self.server.count(1)

    def connection_lost(self, _error):
        self.server.count(-1)

    def data_received(self, data):
        self.buffer += data
        head, separator, rest = self.buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        length = int(LENGTH.search(head)[1])
        if len(rest) < length:
            return
        self.buffer = rest[length:]
        self.begin(KEY.search(head)[1], rest[:length])

    def begin(self, key, body):
        server = self.server
        if server.busy >= server.slots:
            server.write(b"turned", key)
            self.turn_away()
            return
        server.write(b"begun", key)
        server.busy += 1
        server.lives -= 1
        if server.lives == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        if server.delay > 0:
            asyncio.get_running_loop().call_later(
                server.delay, self.end, key, body
            )
        else:
            self.end(key, body)

    def end(self, key, body):
        self.server.busy -= 1
        if not self.transport.is_closing():
            self.server.write(b"served", key)
        self.answer(b"200 OK", b"Content-Type: application/json\r\n", body)

    def turn_away(self):
        after = OPTIONS.get("retry_after", "1").encode()
        self.answer(
            OPTIONS.get("status", "503").encode() + b" Busy",
            b"Retry-After: %s\r\n" % after if after else b"",
        )

    def answer(self, status, headers, body=b""):
        if self.server.stopping:
            headers += b"Connection: close\r\n"
        self.transport.write(
            b"HTTP/1.1 %s\r\n%sContent-Length: %d\r\n\r\n%s"
            % (status, headers, len(body), body)
        )
        if self.server.stopping:
            self.transport.close()


async def main():
    loop = asyncio.get_running_loop()
    server = Server()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    listener = await loop.create_server(
        lambda: Connection(server),
        "127.0.0.1",
        int(OPTIONS.get("port", 0)),
        backlog=4096,
    )
    loop.add_signal_handler(signal.SIGTERM, server.stop, listener)
    print(listener.sockets[0].getsockname()[1], flush=True)
    await server.ended.wait()


asyncio.run(main())
