# Copyright (C) The wholesale gateway authors

"""A client that sends exactly the bytes that it is given."""

import gzip
import json
import socket
import time


TIMEOUT = 15


class Answer:
    """One answer.

    status, reason, headers (a list of pairs), body (bytes, unchunked);
    interim: the statuses that came before it, 100 for "100 Continue";
    complete: False where the connection ended before the body did.
    """

    def __init__(self, status, reason="", headers=()):
        self.status = status
        self.reason = reason
        self.headers = list(headers)
        self.body = b""
        self.interim = []
        self.complete = True

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body!r}>"

    def header(self, name):
        """The value of a field, None without it; a doubled one fails."""

        values = [value for key, value in self.headers
                  if key.lower() == name.lower()]

        assert len(values) <= 1, f"{name} came {len(values)} times"
        return values[0] if values else None

    @property
    def content(self):
        """The body without its coding."""

        if self.header("Content-Encoding") == "gzip":
            return gzip.decompress(self.body)

        assert self.header("Content-Encoding") is None
        return self.body

    @property
    def json(self):
        return json.loads(self.content)


def fields(defaults, headers):
    """Header fields as pairs: "headers", a dictionary or a list of pairs, put
    over "defaults"; None takes one away."""

    if isinstance(headers, dict):
        headers = headers.items()

    headers = list(headers)
    named = {name.lower() for name, _ in headers}

    merged = [pair for pair in defaults if pair[0].lower() not in named]
    return [pair for pair in (*merged, *headers) if pair[1] is not None]


def encode(method, target, headers, body=None):
    """One request as bytes.  The framing is the caller's, but a body without
    any gets its Content-Length."""

    names = {name.lower() for name, _ in headers}
    headers = list(headers)

    if body is not None and not names & {"content-length",
                                         "transfer-encoding"}:
        headers.append(("Content-Length", str(len(body))))

    head = f"{method} {target} HTTP/1.1\r\n" \
        + "".join(f"{name}: {value}\r\n" for name, value in headers) + "\r\n"

    return head.encode("latin-1") + (body or b"")


def chunked(body, *sizes):
    """The body in chunks of these sizes, over and over."""

    chunks = []
    at = turn = 0

    while at < len(body):
        chunk = body[at:at + sizes[turn % len(sizes)]]
        chunks.append(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        at += len(chunk)
        turn += 1

    return b"".join(chunks) + b"0\r\n\r\n"


class Connection:
    """One connection, over TLS if "tls" is an ssl.SSLContext."""

    def __init__(self, port, tls=None, server_hostname="localhost",
                 timeout=TIMEOUT):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        if tls is not None:
            self.socket = tls.wrap_socket(self.socket,
                                          server_hostname=server_hostname)
        self.pending = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def send_slowly(self, data, size=1, pause=0.0):
        """In pieces, each a packet of its own."""

        for at in range(0, len(data), size):
            self.socket.sendall(data[at:at + size])
            time.sleep(pause)

    def request(self, method, target, headers, body=None):
        self.send(encode(method, target, headers, body))
        return self.answer(method)

    def answer(self, method="GET"):
        """Reads one answer to a request of this method."""

        interim = []

        while True:
            answer = self.read_head()

            if answer.status >= 200:
                break

            interim.append(answer.status)

        answer.interim = interim

        if method != "HEAD" and answer.status not in (204, 304):
            self.read_body(answer)

        return answer

    def is_closed(self):
        """Waits for the other side to close; False if it says something or
        lets the connection be."""

        try:
            return not self.pending and self.socket.recv(1) == b""
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False

    def read_head(self):
        head = self.read_to(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")[:-2]
        version, status, reason = (lines[0] + "  ").split(" ", 2)

        assert version == "HTTP/1.1", head

        return Answer(int(status), reason.strip(), [
            (name, value.strip()) for name, _, value
            in (line.partition(":") for line in lines[1:])])

    def read_body(self, answer):
        try:
            if answer.header("Transfer-Encoding") is not None:
                assert answer.header("Transfer-Encoding") == "chunked"
                assert answer.header("Content-Length") is None
                self.read_chunks(answer)

            elif answer.header("Content-Length") is not None:
                answer.body = self.read(int(answer.header("Content-Length")))

            else:
                answer.body = self.read_all()

        except EOFError as e:
            answer.body += e.args[0]
            answer.complete = False

    def read_chunks(self, answer):
        while size := int(self.read_to(b"\r\n"), 16):
            answer.body += self.read(size)
            assert self.read(2) == b"\r\n"

        assert self.read(2) == b"\r\n"

    def more(self):
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""

        if not data:
            rest, self.pending = self.pending, b""
            raise EOFError(rest)

        self.pending += data

    def read_to(self, end):
        while end not in self.pending:
            self.more()

        data, _, self.pending = self.pending.partition(end)
        return data + end

    def read(self, size):
        while len(self.pending) < size:
            self.more()

        data, self.pending = self.pending[:size], self.pending[size:]
        return data

    def read_all(self):
        try:
            while True:
                self.more()
        except EOFError as e:
            return e.args[0]
