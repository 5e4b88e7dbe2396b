#!/usr/bin/env python3
"""An HTTP server that means ill, or is badly broken, for tests of clients.

    hostile_server.py MODE [OPTION=VALUE]...

is started and stopped, and has options and a log, as http_server.py, whose
modes it also has.  In answer, head, text and extra stand escapes (\\r \\n \\0
\\xff), and KEY is replaced by the request's Idempotency-Key.

    raw           answer=BYTES, then as then=WHAT says: hold (the default) the
                  connection until the client closes it, close it, reset it, or
                  keep it for the next request; extra=BYTES come
                  pause=SECONDS (0.1) after the answer
    drip          head=BYTES, then text=BYTES over and over, a byte every
                  pause=SECONDS (0.05), until the client has gone
    flood         head=BYTES, then text=BYTES over and over, as fast as it goes
    deep          200, JSON of depth=N
    bomb          200, 1 MB that header=LINE says is gzip of 1 GB of spaces,
                  and a number; level=N times packed
    chatter       200 "KEY", then bytes without end over the kept connection
    mutant        an answer with the request's key in it, with a few random
                  mutations; seed=N and the key decide on which, and on what
                  comes then (then=WHAT: that)

These do not wait for a request, and answer none:

    deaf          accepts, and never reads
    reset-accept  accepts, resets
    early         answer=BYTES at once; then reads what comes
"""
import random
import re
import socket
import threading
import time
import zlib

import http_server
from http_server import MODE, OPTIONS, log, reset

PIECE = 65536


def bytes_of(option, key=""):
    text = OPTIONS.get(option, "").encode("latin-1").decode("unicode_escape")
    return text.encode("latin-1").replace(b"KEY", key.encode("latin-1"))


def packed(unit, count):
    """gzip of count units: each is packed alike, from an empty window on."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    head = packer.compress(unit) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(unit) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + again * (count - 1)


class Mutant:
    """An answer, and a random way to spoil it."""

    NUMBERS = (b"", b"-1", b"0", b"1", b"+5", b"0x10", b"ffffffffffffffff",
               b"99999999999999999999", b"2147483648", b"000000000000000000005",
               b"5, 5", b"1e3", b" 7")
    BYTES = b"\0\r\n\t :;,-/0f\x7f\x80\xff{}\"\\"
    ENDS = ("hold", "close", "reset", "keep")

    def __init__(self, key):
        self.random = random.Random(f"{OPTIONS.get('seed', 0)}/{key}")
        self.answer = self.whole(f'["{key}","{key}","{key}"]'.encode())
        for _ in range(self.random.randint(1, 3)):
            change = self.random.choice((
                self.flip, self.flip, self.put, self.put, self.cut, self.drop,
                self.repeat, self.repeat_line, self.repeat_line, self.swap,
                self.number, self.number, self.number, self.noise, self.double,
            ))
            self.answer = change(self.answer)
        self.then = OPTIONS.get("then") or self.random.choice(self.ENDS)

    def whole(self, body):
        kind = b"Content-Type: application/json\r\n"
        status = b"HTTP/1.1 200 OK\r\n" + kind
        size = b"Content-Length: %d\r\n" % len(body)
        first, rest = body[:5], body[5:]
        chunks = b"%x\r\n%s\r\n%x;a=b\r\n%s\r\n0\r\nX-End: 1\r\n\r\n" % (
            len(first), first, len(rest), rest)
        return self.random.choice((
            status + size + b"\r\n" + body,
            status + size + b"Retry-After: 1\r\nX-A: b\r\n\r\n" + body,
            status + b"Transfer-Encoding: chunked\r\n\r\n" + chunks,
            b"HTTP/1.1 100 Continue\r\n\r\n" + status + size + b"\r\n" + body,
            b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\n" + size + b"\r\n" + body,
            status + b"Connection: close\r\n\r\n" + body,
        ))

    def place(self, text, span=0):
        return self.random.randrange(max(1, len(text) - span))

    def flip(self, text):
        changed = bytearray(text or b" ")
        changed[self.place(changed)] ^= 1 << self.random.randrange(8)
        return bytes(changed)

    def put(self, text):
        changed = bytearray(text or b" ")
        changed[self.place(changed)] = self.random.choice(self.BYTES)
        return bytes(changed)

    def cut(self, text):
        return text[:self.place(text)]

    def drop(self, text):
        at = self.place(text)
        return text[:at] + text[at + self.random.randint(1, 20):]

    def repeat(self, text):
        at = self.place(text)
        part = text[at:at + self.random.randint(1, 40)]
        return text[:at] + part * self.random.choice((2, 3, 2000)) + text[at:]

    def repeat_line(self, text):
        lines = text.split(b"\r\n")
        at = self.place(lines)
        lines[at:at] = [lines[at]] * self.random.choice((1, 1, 2, 500))
        return b"\r\n".join(lines)

    def swap(self, text):
        lines = text.split(b"\r\n")
        self.random.shuffle(lines)
        return b"\r\n".join(lines)

    def number(self, text):
        """Of a length, a chunk, a status."""
        spans = [m.span() for m in re.finditer(rb"\b[0-9a-f]+\b", text)]
        if not spans:
            return text
        begin, end = self.random.choice(spans)
        return text[:begin] + self.random.choice(self.NUMBERS) + text[end:]

    def noise(self, text):
        at = self.place(text)
        size = self.random.choice((1, 10, 300))
        return text[:at] + self.random.randbytes(size) + text[at:]

    def double(self, text):
        return text + text

    def pieces(self):
        if self.then == "keep":
            # What comes late is the next answer, to whoever asks by then.
            yield self.answer
            return
        text = self.answer
        while text:
            size = self.random.choice((1, 7, 50, 1000, 100000))
            yield text[:size]
            text = text[size:]


class Handler(http_server.Handler):
    def handle(self):
        early = getattr(self, "at_" + MODE, None)
        if early is None:
            super().handle()
            return
        try:
            early()
        except (ConnectionError, TimeoutError):
            pass

    def hold(self):
        while self.request.recv(PIECE):
            pass

    def at_deaf(self):
        # That the client has gone shows only to who reads.
        threading.Event().wait()

    def at_reset_accept(self):
        reset(self.request)

    def at_early(self):
        self.wfile.write(bytes_of("answer"))
        self.hold()

    def end(self, then):
        if then == "hold":
            self.hold()
        elif then == "reset":
            reset(self.request)
        return then == "keep"

    def do_raw(self, _headers, _body, key, _served, _count):
        log(key)
        self.wfile.write(bytes_of("answer", key))
        if "extra" in OPTIONS:
            time.sleep(float(OPTIONS.get("pause", 0.1)))
            self.wfile.write(bytes_of("extra", key))
        return self.end(OPTIONS.get("then", "hold"))

    def do_drip(self, _headers, _body, key, _served, _count):
        log(key)
        OPTIONS.setdefault("pause", "0.05")
        self.wfile.write(bytes_of("head", key))
        self.drip(bytes_of("text", key))

    def do_flood(self, _headers, _body, key, _served, _count):
        log(key)
        text = bytes_of("text", key)
        self.wfile.write(bytes_of("head", key))
        while True:
            self.wfile.write(text * (PIECE // len(text)))

    def do_deep(self, _headers, _body, key, _served, _count):
        log(key)
        depth = int(OPTIONS["depth"])
        return self.send(200, b"[" * depth + b"]" * depth)

    def do_bomb(self, _headers, _body, key, _served, _count):
        log(key)
        body = packed(b" " * 1000000, 1000)
        for _ in range(int(OPTIONS.get("level", 1)) - 1):
            body = packed(body, 1)
        head = f"HTTP/1.1 200 OK\r\n{OPTIONS['header']}\r\n"
        if "chunked" in head:
            body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        elif "Transfer" not in head:
            head += f"Content-Length: {len(body)}\r\n"
        self.wfile.write(head.encode() + b"\r\n" + body)
        return False

    def do_chatter(self, _headers, _body, key, _served, _count):
        log(key)
        self.send(200, b'"%s"' % key.encode())
        while True:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1")
            time.sleep(0.001)

    def do_mutant(self, _headers, _body, key, _served, _count):
        log(key)
        mutant = Mutant(key)
        for piece in mutant.pieces():
            self.wfile.write(piece)
        return self.end(mutant.then)


class Server(http_server.TCPServer):
    def server_bind(self):
        if MODE == "deaf":
            # Its kernel must not take what it does not read.
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        super().server_bind()


def main():
    with Server(("127.0.0.1", int(OPTIONS.get("port", 0))), Handler) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever(poll_interval=0.05)


if __name__ == "__main__":
    main()
