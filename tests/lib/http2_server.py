#!/usr/bin/env python3
"""An HTTP/2 server for tests, down to the frames (RFC 9113).

    http2_server.py MODE cert=FILE [OPTION=VALUE]...

listens on a free port of 127.0.0.1 with TLS and ALPN, prints the port, and
appends to log=FILE one line for each request that it has executed: its body,
and to connections=FILE one for each connection; delay=SECONDS is waited before
TLS.  MODE is what it does with the first times=N requests (1):

    refuse        RST_STREAM with REFUSED_STREAM, unseen
    goaway        of those behind the first of a connection: when so many are
                  open, GOAWAY after the first of them, which is answered; the
                  others are not executed
    die           executes, and closes the connection without a word
    die-goaway    executes, says GOAWAY after it, and closes the connection
    fault         executes, and RST_STREAM with INTERNAL_ERROR

All others are answered with 200 and their body.
"""
import socketserver
import ssl
import struct
import sys
import threading
import time

OPTIONS = dict(argument.split("=", 1) for argument in sys.argv[2:])
MODE = sys.argv[1].replace("-", "_")
TIMES = int(OPTIONS.get("times", 1))
LOCK = threading.Lock()
STATE = {"count": 0}

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
END_STREAM, ACK, END_HEADERS = 1, 1, 4
INTERNAL_ERROR, REFUSED_STREAM = 2, 7
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
# :status 200 and content-type, from HPACK's static table
ANSWER = b"\x88\x0f\x10\x10application/json"


def log(text, option="log"):
    if option in OPTIONS:
        with LOCK, open(OPTIONS[option], "ab") as file:
            file.write(text + b"\n")


class Handler(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def frame(self, kind, flags, stream, payload=b""):
        head = struct.pack(">I", len(payload))[1:]
        head += struct.pack(">BBI", kind, flags, stream)
        self.wfile.write(head + payload)

    def handle(self):
        self.bodies, self.waiting, self.served = {}, [], 0
        log(b"connection", "connections")
        time.sleep(float(OPTIONS.get("delay", 0)))
        try:
            if self.rfile.read(len(PREFACE)) != PREFACE:
                return
            self.frame(SETTINGS, 0, 0)
            while self.take_frame():
                pass
        except (ConnectionError, ssl.SSLError):
            pass

    def take_frame(self):
        head = self.rfile.read(9)
        if len(head) < 9:
            return False
        length = int.from_bytes(head[:3], "big")
        kind, flags, stream = struct.unpack(">BBI", head[3:])
        payload = self.rfile.read(length)
        if kind == SETTINGS and not flags & ACK:
            self.frame(SETTINGS, ACK, 0)
        elif kind == PING and not flags & ACK:
            self.frame(PING, ACK, 0, payload)
        elif kind == HEADERS:
            self.bodies[stream] = b""
        elif kind == DATA and stream in self.bodies:
            self.bodies[stream] += payload
            if flags & END_STREAM:
                return self.take_request(stream, self.bodies.pop(stream))
        return True

    def take_request(self, stream, body):
        self.served += 1
        counts = MODE != "goaway" or self.served > 1
        with LOCK:
            STATE["count"] += counts
            early = counts and STATE["count"] <= TIMES
        if early:
            return getattr(self, "do_" + MODE)(stream, body)
        return self.answer(stream, body)

    def answer(self, stream, body):
        log(body)
        self.frame(HEADERS, END_HEADERS, stream, ANSWER)
        self.frame(DATA, END_STREAM, stream, body)
        return True

    def goaway(self, last):
        self.frame(GOAWAY, 0, 0, struct.pack(">II", last, 0))

    def do_refuse(self, stream, _body):
        self.frame(RST_STREAM, 0, stream, struct.pack(">I", REFUSED_STREAM))
        return True

    def do_goaway(self, stream, body):
        self.waiting.append((stream, body))
        if len(self.waiting) < TIMES:
            return True
        self.goaway(self.waiting[0][0])
        self.answer(*self.waiting[0])
        return True

    def do_die(self, _stream, body):
        log(body)
        return False

    def do_die_goaway(self, stream, body):
        log(body)
        self.goaway(stream)
        return False

    def do_fault(self, stream, body):
        log(body)
        self.frame(RST_STREAM, 0, stream, struct.pack(">I", INTERNAL_ERROR))
        return True


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def get_request(self):
        plain, address = super().get_request()
        return self.context.wrap_socket(
            plain, server_side=True, do_handshake_on_connect=False
        ), address

    def handle_error(self, _request, _address):
        pass


def main():
    server = Server(("127.0.0.1", 0), Handler)
    server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.context.load_cert_chain(OPTIONS["cert"])
    server.context.set_alpn_protocols(["h2"])
    print(server.server_address[1], flush=True)
    server.serve_forever(poll_interval=0.05)


if __name__ == "__main__":
    main()
