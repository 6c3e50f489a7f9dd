# Copyright (C) The wholesale gateway authors

"""HTTP/1.1 by hand: every byte of a request is kept, every byte of an answer
is ours to spoil."""

import asyncio
import gzip
import http
import json


HEAD_MAX = 1024 * 1024          # also the limit of the StreamReader
CHUNK_SIZE = 512                # of an answer that goes out chunked


class Request:
    """One request as it came.

    head      every byte up to and including the empty line
    raw_body  every byte after that, chunk sizes and trailers included
    body      the content, without the framing
    complete  False where the peer left in the middle, or spoke no HTTP
    """

    __slots__ = ("connection", "order", "time", "tls", "method", "target",
                 "path", "query", "version", "headers", "head", "raw_body",
                 "body", "complete")

    def __init__(self, connection, time, tls, head):
        self.connection = connection
        self.order = 0
        self.time = time
        self.tls = tls
        self.head = head
        self.raw_body = b""
        self.body = b""
        self.complete = True

        lines = head.decode("latin-1").split("\r\n")

        try:
            self.method, self.target, self.version = lines[0].split(" ")
        except ValueError:
            self.method, self.target, self.version = lines[0], "", ""

        self.path, _, self.query = self.target.partition("?")

        self.headers = [(name, value.strip(" \t")) for name, separator, value
                        in (line.partition(":") for line in lines[1:])
                        if separator]

    def header(self, name):
        """The first value of a field, or None."""

        name = name.lower()

        for key, value in self.headers:
            if key.lower() == name:
                return value

        return None

    def as_json(self):
        """Bytes become the text of the same code points (latin-1)."""

        return {
            "connection": self.connection,
            "order": self.order,
            "time": self.time,
            "tls": self.tls,
            "method": self.method,
            "target": self.target,
            "version": self.version,
            "headers": self.headers,
            "head": self.head.decode("latin-1"),
            "raw_body": self.raw_body.decode("latin-1"),
            "body": self.body.decode("latin-1"),
            "complete": self.complete,
        }


class Answer:
    """One answer before it is framed; "headers" is a list of pairs."""

    __slots__ = ("status", "headers", "body")

    def __init__(self, status, headers=(), body=b""):
        self.status = status
        self.headers = list(headers)
        self.body = body

    @classmethod
    def of_json(cls, status, value, headers=()):
        return cls(status,
                   [("Content-Type", "application/json;charset=UTF-8"),
                    *headers],
                   json.dumps(value, separators=(",", ":")).encode())


async def read_request(reader, connection, clock, tls, invite):
    """Reads one request; None at the end of the connection.

    "invite" is called where the client waits for "100 Continue".
    """

    try:
        head = await reader.readuntil(b"\r\n\r\n")

    except asyncio.IncompleteReadError as e:
        if not e.partial:
            return None

        request = Request(connection, clock(), tls, e.partial)
        request.complete = False
        return request

    request = Request(connection, clock(), tls, head)

    encoding = request.header("Transfer-Encoding")
    length = request.header("Content-Length")

    if encoding is None and length is None:
        return request

    expect = request.header("Expect")

    if expect is not None and expect.lower() == "100-continue":
        invite()

    try:
        if encoding is not None:
            await read_chunked(reader, request)
        else:
            request.raw_body = await reader.readexactly(int(length))

    except asyncio.IncompleteReadError as e:
        request.raw_body += e.partial
        request.complete = False

    except ValueError:              # no number where there should be one
        request.complete = False

    if encoding is None:
        request.body = request.raw_body

    return request


async def read_chunked(reader, request):
    while True:
        line = await reader.readuntil(b"\r\n")
        request.raw_body += line
        size = int(line.split(b";")[0], 16)

        if size == 0:
            break

        chunk = await reader.readexactly(size + 2)
        request.raw_body += chunk
        request.body += chunk[:-2]

    while line != b"\r\n":
        line = await reader.readuntil(b"\r\n")
        request.raw_body += line


def reason(status):
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def encode(answer, request, use_gzip, use_chunked, close):
    """The answer's two parts as bytes: the head, and the body as it is sent.

    Framing is HTTP/1.1's, and "chunked" is ignored where the request is older
    or where the answer has no body.
    """

    body = answer.body
    headers = list(answer.headers)
    bodyless = answer.status in (204, 304) or answer.status < 200

    if body and use_gzip:
        body = gzip.compress(body, 1)
        headers.append(("Content-Encoding", "gzip"))

    if bodyless:
        body = b""

    elif use_chunked and request.version == "HTTP/1.1":
        headers.append(("Transfer-Encoding", "chunked"))
        body = b"".join(b"%x\r\n%b\r\n" % (len(body[at:at + CHUNK_SIZE]),
                                           body[at:at + CHUNK_SIZE])
                        for at in range(0, len(body), CHUNK_SIZE))
        body += b"0\r\n\r\n"

    else:
        headers.append(("Content-Length", str(len(body))))

    headers.append(("Connection", "close" if close else "keep-alive"))

    if request.method == "HEAD":
        body = b""

    head = f"HTTP/1.1 {answer.status} {reason(answer.status)}\r\n" \
        + "".join(f"{name}: {value}\r\n" for name, value in headers) + "\r\n"

    return head.encode("latin-1"), body
