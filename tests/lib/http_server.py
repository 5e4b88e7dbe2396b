#!/usr/bin/env python3
"""An HTTP server for tests, with the behaviours that a client must survive.

    http_server.py MODE [OPTION=VALUE]...

listens on a free port of 127.0.0.1 (or host=IP, port=N, socket=PATH), prints the
port as its first line, and appends one line to log=FILE for each request that
it has executed: the Idempotency-Key.  MODE is what is done with a POST:

    echo          200, the body
    headers       200, the request's headers as a JSON object
    status        status=N, with retry_after=V and body=B where they are given
    busy          503 and Retry-After, times=N times; then as echo
    fail          status=N times=N times; then as echo
    type          200, body=B as type=T (no Content-Type when T is empty)
    silent        never answers
    reset         reads, executes, resets the connection
    close         reads, executes, closes
    stale         as echo, but every times=N requests the connection is closed
                  by surprise after an answer
    huge          200, size=N bytes of JSON, chunked, said to be type=T
    cut           200, a Content-Length larger than what comes
    file          as the file state=FILE says at each request: "200 BODY"; "0"
                  never answers
    redirect      302 to location=URL (itself)
    drip          200, its header a byte every pause=SECONDS (1), for ever
    drip-body     200, then its body so
    endless       200, a body that never ends
    hugeheader    200, a header that never ends
    short-length  200, body=B with a Content-Length of size=N (1)
    garbage       bytes that are no HTTP, then silence
    continue      100 Continue, then as status

delay=SECONDS is waited before each answer; begun=FILE is logged before that,
heads=FILE gets the headers of each request, as a line of JSON, and gone=FILE
the key of each request whose client goes away from a silent server.
cert=FILE, a certificate and its key, makes it an HTTPS server.
slots=N answers 503 with Retry-After: 0 beyond N requests at once, and writes
"over" into the log.
"""
import json
import os
import socket
import socketserver
import ssl
import struct
import sys
import threading
import time

OPTIONS = dict(argument.split("=", 1) for argument in sys.argv[2:])
MODE = sys.argv[1].replace("-", "_")
LOCK = threading.Lock()
STATE = {"count": 0, "busy": 0}


def log(text, option="log"):
    if option in OPTIONS:
        with LOCK, open(OPTIONS[option], "a", encoding="utf-8") as file:
            file.write(text + "\n")


def reset(connection):
    connection.setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
    )
    # Not close(), before which the server would say that it ends in order.
    os.close(connection.detach())


class Handler(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self):
        try:
            served = 0
            while True:
                head = self.read_head()
                if head is None:
                    return
                served += 1
                if not self.serve(*head, served):
                    return
        except (ConnectionError, TimeoutError, ssl.SSLError):
            pass

    def read_head(self):
        line = self.rfile.readline().decode("latin-1").strip()
        if not line:
            return None
        headers = {}
        while True:
            text = self.rfile.readline().decode("latin-1").strip()
            if not text:
                break
            name, _, value = text.partition(":")
            headers[name.lower()] = value.strip()
        body = self.rfile.read(int(headers.get("content-length", 0)))
        return headers, body

    def send(self, status, body=b"", kind="application/json", extra=()):
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}"]
        if kind:
            lines.append(f"Content-Type: {kind}")
        lines.extend(extra)
        head = "\r\n".join(lines) + "\r\n\r\n"
        self.wfile.write(head.encode("latin-1") + body)
        return True

    def serve(self, headers, body, served):
        key = headers.get("idempotency-key", "-")
        limit = int(OPTIONS.get("slots", 1000000))
        with LOCK:
            STATE["busy"] += 1
            STATE["count"] += 1
            count, over = STATE["count"], STATE["busy"] > limit
        try:
            if over:
                log("over")
                return self.send(503, extra=["Retry-After: 0"])
            log(key, "begun")
            log(json.dumps(headers), "heads")
            time.sleep(float(OPTIONS.get("delay", 0)))
            return getattr(self, "do_" + MODE)(
                headers, body, key, served, count
            )
        finally:
            with LOCK:
                STATE["busy"] -= 1

    def do_echo(self, _headers, body, key, _served, _count):
        log(key)
        return self.send(200, body)

    def do_headers(self, headers, _body, key, _served, _count):
        log(key)
        return self.send(200, json.dumps(headers).encode())

    def do_status(self, _headers, _body, key, _served, _count):
        log(key)
        extra = []
        if "retry_after" in OPTIONS:
            extra = ["Retry-After: " + OPTIONS["retry_after"]]
        body = OPTIONS.get("body", "").encode()
        return self.send(
            OPTIONS.get("status", 200), body, "text/plain", extra
        )

    def do_busy(self, headers, body, key, served, count):
        if count <= int(OPTIONS.get("times", 1)):
            log("busy")
            return self.send(
                OPTIONS.get("status", 503),
                extra=["Retry-After: " + OPTIONS.get("retry_after", "0")],
            )
        return self.do_echo(headers, body, key, served, count)

    def do_fail(self, headers, body, key, served, count):
        if count <= int(OPTIONS.get("times", 1)):
            log("fail")
            return self.send(OPTIONS["status"])
        return self.do_echo(headers, body, key, served, count)

    def do_type(self, _headers, _body, key, _served, _count):
        log(key)
        body = OPTIONS.get("body", "").encode().decode("unicode_escape")
        return self.send(200, body.encode("latin-1"), OPTIONS.get("type"))

    def do_silent(self, _headers, _body, key, _served, _count):
        log(key)
        try:
            self.rfile.read(1)
        finally:
            log(key, "gone")
        return False

    def do_reset(self, _headers, _body, key, _served, _count):
        log(key)
        reset(self.request)
        return False

    def do_close(self, headers, body, key, served, count):
        # The first request of a connection is answered: the second one goes
        # over a kept connection, which is where libcurl would send it again.
        if served == 1 and OPTIONS.get("first") == "answer":
            return self.do_echo(headers, body, key, served, count)
        log(key)
        return False

    def do_stale(self, headers, body, key, served, count):
        self.do_echo(headers, body, key, served, count)
        return served < int(OPTIONS.get("times", 5))

    def do_huge(self, _headers, _body, key, _served, _count):
        log(key)
        kind = OPTIONS.get("type", "application/json").encode()
        self.wfile.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: " + kind + b"\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n1\r\n\"\r\n"
        )
        left = int(OPTIONS["size"])
        while left > 0:
            part = min(left, 65536)
            self.wfile.write(b"%x\r\n" % part + b"x" * part + b"\r\n")
            left -= part
        self.wfile.write(b"1\r\n\"\r\n0\r\n\r\n")
        return True

    def do_cut(self, _headers, _body, key, _served, _count):
        log(key)
        self.wfile.write(
            b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n"
            b"Content-Type: application/json\r\n\r\n{\"a\":"
        )
        return False


    def do_redirect(self, _headers, _body, key, _served, _count):
        log(key)
        location = OPTIONS.get("location", "/")
        return self.send(302, extra=["Location: " + location])

    def drip(self, text):
        # Until the client has had enough: the write then fails.
        while True:
            for byte in text:
                self.wfile.write(bytes([byte]))
                time.sleep(float(OPTIONS.get("pause", 1)))

    def do_drip(self, _headers, _body, key, _served, _count):
        log(key)
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        self.drip(b"X-Slow: drip\r\n")

    def do_drip_body(self, _headers, _body, key, _served, _count):
        log(key)
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n")
        self.drip(b" ")

    def fill(self, head, text):
        self.wfile.write(head)
        while True:
            self.wfile.write(text * 1000)

    def do_endless(self, _headers, _body, key, _served, _count):
        log(key)
        self.fill(b"HTTP/1.1 200 OK\r\n\r\n", b"and so on, ")

    def do_hugeheader(self, _headers, _body, key, _served, _count):
        log(key)
        self.fill(b"HTTP/1.1 200 OK\r\n", b"X-Huge: header\r\n")

    def do_short_length(self, _headers, _body, key, _served, _count):
        log(key)
        size = OPTIONS.get("size", "1")
        body = OPTIONS.get("body", "{}")
        self.wfile.write(
            f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n{body}".encode()
        )
        return False

    def do_garbage(self, headers, body, key, served, count):
        self.wfile.write(b"\x16\x03\x01\x00\xffgarbage\r\n\r\n")
        return self.do_silent(headers, body, key, served, count)

    def do_continue(self, headers, body, key, served, count):
        self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        return self.do_status(headers, body, key, served, count)


    def do_file(self, headers, body, key, served, count):
        with open(OPTIONS["state"], encoding="utf-8") as file:
            status, _, text = file.read().strip().partition(" ")
        if status == "0":
            return self.do_silent(headers, body, key, served, count)
        log(key)
        return self.send(status, text.encode())


class TCPServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 256


class TLSServer(TCPServer):
    def get_request(self):
        connection, address = super().get_request()
        # The handshake comes with the first read, in the handler's thread.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(OPTIONS["cert"])
        return context.wrap_socket(
            connection, server_side=True, do_handshake_on_connect=False
        ), address


class UnixServer(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 256


class UnixHandler(Handler):
    disable_nagle_algorithm = False


def main():
    if "socket" in OPTIONS:
        if os.path.exists(OPTIONS["socket"]):
            os.unlink(OPTIONS["socket"])
        server = UnixServer(OPTIONS["socket"], UnixHandler)
        print(0, flush=True)
    else:
        port = int(OPTIONS.get("port", 0))
        kind = TLSServer if "cert" in OPTIONS else TCPServer
        server = kind((OPTIONS.get("host", "127.0.0.1"), port), Handler)
        print(server.server_address[1], flush=True)
    server.serve_forever(poll_interval=0.05)


if __name__ == "__main__":
    main()
