# Copyright (C) The wholesale gateway authors

"""The clients: each a thread that sends one kind of requests, unhurriedly, and
enters into the ledger what came of each."""

import contextlib
import random
import select
import socket
import threading
import time

from h2.exceptions import ProtocolError, StreamClosedError

from gateway import http1, secrets
from gateway.gateway import CUSTOMER, CUSTOMERS, REFERENCE
from soak.ledger import ABORTED, CUT, HUNG, UNANSWERED


TARGET = f"{CUSTOMERS}/{CUSTOMER}"

# whose answers at Webex are spoiled now and then
BUMPY = "YnVtcHk"

# a request that takes longer than this hangs; the gateway waits no longer than
# 5 s for a token, 0.3 s for Redis
PATIENCE = 12

# a connection may be closed by a reload just when a request comes; then
# nothing of it has been read
CLOSED = {UNANSWERED}

# what any request may come to: no token, or one that Webex has just revoked
TROUBLE = {401, 503} | CLOSED

MEAN_PAUSE = 0.12


def is_readable(connection):
    """Between two requests: the other side has closed it, in HTTP/1.1."""

    return bool(select.select((connection,), (), (), 0)[0])


class Client(threading.Thread):
    """kind: its name in the ledger; expected: what may come of its requests;
    request(): bytes of one; turn(): one request."""

    kind = None
    expected = frozenset()
    tenant = "acme"
    pause = MEAN_PAUSE

    def __init__(self, gateway, ledger, seed):
        super().__init__(daemon=True)
        self.gateway = gateway
        self.ledger = ledger
        self.random = random.Random(seed)
        self.stopping = threading.Event()
        self.connection = None
        self.failure = None

    def run(self):
        try:
            while not self.stopping.wait(
                    self.random.expovariate(1 / self.pause)):
                self.turn()
        except Exception as e:              # for the main thread to tell
            self.failure = e
        finally:
            self.disconnect()

    def disconnect(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def turn(self):
        id = self.ledger.open(self.kind)
        start = time.monotonic()

        try:
            outcome = self.ask(id)
        except TimeoutError:
            outcome = HUNG
        except (EOFError, ConnectionError):
            outcome = UNANSWERED

        if outcome in (HUNG, UNANSWERED, CUT):
            self.disconnect()

        self.ledger.close(self.kind, id, outcome, time.monotonic() - start,
                          self.expected)

    def connect(self):
        if self.connection is None or self.random.random() < 0.05 \
                or is_readable(self.connection.socket):
            self.disconnect()
            self.connection = self.gateway.connect(timeout=PATIENCE)

        return self.connection

    def ask(self, id):
        connection = self.connect()
        connection.send(self.request(id))
        answer = connection.answer("PUT")

        if not answer.complete:
            return CUT

        if answer.header("Connection") == "close":
            self.disconnect()

        return answer.status

    def headers(self, id, *more):
        return self.gateway.headers(
            [("TrackingID", id), *more], tenant=self.tenant)

    def request(self, id):
        return http1.encode("PUT", TARGET, self.headers(id), REFERENCE)


class Valid(Client):
    kind = "valid"
    expected = {202, 429} | TROUBLE

    def request(self, id):
        if self.random.random() < 0.3:
            return http1.encode(
                "PUT", TARGET,
                self.headers(id, ("Transfer-Encoding", "chunked")),
                http1.chunked(REFERENCE, self.random.randint(1, 900)))

        return super().request(id)


class Bumpy(Client):
    """Its customer's updates fail at Webex, in every way."""

    kind = "bumpy"
    tenant = "bolt"
    expected = {202, 423, 429, 500, 502, CUT} | TROUBLE

    def request(self, id):
        return http1.encode("PUT", f"{CUSTOMERS}/{BUMPY}", self.headers(id),
                            REFERENCE)


class Refused(Client):
    """Over its limit most of the time."""

    kind = "refused"
    tenant = "tight"
    expected = {202, 429} | TROUBLE


class Invalid(Client):
    kind = "invalid"
    expected = {400, 401, 403, 404, 405, 415} | TROUBLE

    def request(self, id):
        gateway = self.gateway
        key = ("Authorization", f"Bearer {secrets.make()}")

        return self.random.choice((
            lambda: gateway.encode_update([("TrackingID", id)], b"{}"),
            lambda: gateway.encode_update([("TrackingID", id)],
                                          b'{"packages": ["nothing"]}'),
            lambda: gateway.encode_update([("TrackingID", id)],
                                          REFERENCE[:-9]),
            lambda: gateway.encode_update([("TrackingID", id), key]),
            lambda: gateway.encode_update([("TrackingID", id)],
                                          tenant="closed"),
            lambda: gateway.encode_update([("TrackingID", id)],
                                          target="/v1/wholesale/nothing"),
            lambda: gateway.encode_update([("TrackingID", id)],
                                          method="DELETE"),
            lambda: gateway.encode_update([("TrackingID", id),
                                           ("Content-Type", "text/plain")]),
            lambda: gateway.encode_update(
                [("TrackingID", id), ("Transfer-Encoding", "chunked")],
                b"3\r\nabcdef\r\n0\r\n\r\n")))()


class Huge(Client):
    """As large as may be, and far too large: then the answer may be lost, as
    nobody reads the rest."""

    kind = "huge"
    pause = 5 * MEAN_PAUSE
    expected = {202, 400, 413, 429} | TROUBLE

    def request(self, id):
        size, headers = self.random.choice((
            (64 * 1024, ()), (65 * 1024, ()), (1000000, ()),
            (len(REFERENCE), (("X-Large", "x" * 50000),))))

        return http1.encode("PUT", TARGET, self.headers(id, *headers),
                            REFERENCE.ljust(size))

    def turn(self):
        super().turn()
        self.disconnect()


class Slow(Client):
    """Its requests come in pieces, over some seconds."""

    kind = "slow"
    expected = {202, 429} | TROUBLE

    def ask(self, id):
        connection = self.connect()
        data = self.request(id)
        pieces = self.random.randint(3, 30)

        connection.send_slowly(
            data, size=len(data) // pieces + 1,
            pause=self.random.uniform(0, 3) / pieces)

        return connection.answer("PUT").status


class Aborting(Client):
    """Leaves, at any point, politely or not."""

    kind = "aborted"
    expected = {ABORTED}

    def ask(self, id):
        connection = self.connect()
        data = self.request(id)
        size = self.random.choice((len(data), self.random.randrange(
            len(data))))

        try:
            connection.send(data[:size])
            time.sleep(self.random.choice((0, 0.001, 0.01, 0.1)))

            if self.random.random() < 0.5:
                connection.socket.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER,
                    b"\1\0\0\0\0\0\0\0")    # by a reset
        except ConnectionError:
            pass

        self.disconnect()
        return ABORTED


class Http2(Client):
    """Several streams at once, some of which are reset."""

    kind = "http2"
    expected = {202, 400, 413, 429, ABORTED} | TROUBLE
    pause = 3 * MEAN_PAUSE

    def disconnect(self):
        if self.connection is not None:
            self.connection.socket.close()
            self.connection = None

    def turn(self):
        if self.connection is None or self.random.random() < 0.1 \
                or self.is_going():
            self.disconnect()
            self.connection = self.gateway.connect_http2()
            self.connection.socket.settimeout(PATIENCE)
            self.connection.socket = WithoutGoaway(self.connection.socket)

        start = time.monotonic()
        streams = {}

        for _ in range(self.random.randint(1, 6)):
            id = self.ledger.open(self.kind)
            streams[id] = self.connection.h2.get_next_available_stream_id()

            with contextlib.suppress(ConnectionError, EOFError,
                                     StreamClosedError):
                self.send(id)

        for id, stream in streams.items():
            outcome = self.outcome(stream)

            if outcome in (UNANSWERED, HUNG):
                self.connection.socket.going = True

            self.ledger.close(self.kind, id, outcome,
                              time.monotonic() - start, self.expected)

    def is_going(self):
        try:
            while is_readable(self.connection.socket.socket):
                self.connection.receive()
        except (EOFError, ConnectionError, ProtocolError):
            return True

        return self.connection.socket.going

    def send(self, id):
        body = self.random.choices(
            (REFERENCE, REFERENCE.ljust(60000), b"{}",
             REFERENCE.ljust(200000)), (20, 2, 2, 1))[0]
        headers = [pair for pair in self.headers(id) if pair[0] != "Host"]

        self.connection.send("PUT", TARGET, headers, body,
                             self.random.choice((None, 300)))

    def outcome(self, stream):
        try:
            if self.random.random() < 0.1 \
                    and stream not in self.connection.ended:
                self.connection.reset(stream)
                return ABORTED

            answer = self.connection.answer(stream)

        except TimeoutError:
            return HUNG
        except (EOFError, ConnectionError, ProtocolError):
            return UNANSWERED

        if answer is None:
            return UNANSWERED

        return answer.status if answer.complete else CUT


class WithoutGoaway:
    """A socket on which no GOAWAY comes that says that all is well.

    With it the gateway, when it is reloaded, says that it takes no more
    streams; those that it has it still answers, which the client library does
    not expect.  "going" is set instead.
    """

    HEAD = 9
    GOAWAY = 7

    def __init__(self, socket):
        self.socket = socket
        self.going = False
        self.pending = b""

    def sendall(self, data):
        self.socket.sendall(data)

    def close(self):
        self.socket.close()

    def recv(self, size):
        """Whole frames only."""

        passed = b""

        while not passed:
            data = self.socket.recv(size)

            if not data:
                return b""

            self.pending += data

            while frame := self.frame():
                if frame[3] == self.GOAWAY and not any(frame[-4:]):
                    self.going = True
                else:
                    passed += frame

        return passed

    def frame(self):
        size = self.HEAD + int.from_bytes(self.pending[:3], "big")

        if len(self.pending) < max(size, self.HEAD):
            return b""

        frame, self.pending = self.pending[:size], self.pending[size:]
        return frame


# how many of each
CLIENTS = ((Valid, 3), (Bumpy, 1), (Refused, 1), (Invalid, 2), (Huge, 1),
           (Slow, 3), (Aborting, 1), (Http2, 2))
