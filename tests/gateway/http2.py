# Copyright (C) The wholesale gateway authors

"""An HTTP/2 client over cleartext, by prior knowledge."""

import socket

import h2.config
import h2.connection
import h2.events

from gateway.http1 import TIMEOUT, Answer


class Connection:
    """One connection; requests may be under way at once: send() them, and ask
    for each answer()."""

    def __init__(self, port, timeout=TIMEOUT):
        self.authority = f"127.0.0.1:{port}"
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        # what is sent is the test's affair, even where it is wrong
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(
            header_encoding="latin-1", validate_outbound_headers=False,
            normalize_outbound_headers=False))

        self.h2.initiate_connection()
        self.flush()
        self.answers = {}
        self.ended = set()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def flush(self):
        self.socket.sendall(self.h2.data_to_send())

    def request(self, method, target, headers=(), body=None, frames=None):
        return self.answer(self.send(method, target, headers, body, frames))

    def send(self, method, target, headers=(), body=None, frames=None):
        """Sends a request, the body in DATA frames of "frames" bytes; returns
        its stream."""

        stream = self.h2.get_next_available_stream_id()
        self.answers[stream] = None

        self.h2.send_headers(stream, [
            (":method", method), (":scheme", "http"),
            (":authority", self.authority), (":path", target),
            *((name.lower(), value) for name, value in headers),
        ], end_stream=body is None)
        self.flush()

        if body is not None:
            self.send_body(stream, body, frames or len(body) or 1)

        return stream

    def send_body(self, stream, body, frames):
        at = 0

        while at < len(body):
            room = min(self.h2.local_flow_control_window(stream),
                       self.h2.max_outbound_frame_size, frames)

            if stream in self.ended:
                return          # refused without the rest of it

            if room == 0:
                self.receive()
                continue

            self.h2.send_data(stream, body[at:at + room])
            self.flush()
            at += room

        self.h2.end_stream(stream)
        self.flush()

    def reset(self, stream):
        self.h2.reset_stream(stream)
        self.flush()

    def answer(self, stream):
        while stream not in self.ended:
            self.receive()

        return self.answers[stream]

    def receive(self):
        data = self.socket.recv(65536)

        if not data:
            raise EOFError("the connection was closed")

        for event in self.h2.receive_data(data):
            if isinstance(event, h2.events.ResponseReceived):
                headers = dict(event.headers)
                self.answers[event.stream_id] = Answer(
                    int(headers.pop(":status")), headers=[
                        pair for pair in event.headers
                        if not pair[0].startswith(":")])

            elif isinstance(event, h2.events.DataReceived):
                self.answers[event.stream_id].body += event.data
                self.h2.acknowledge_received_data(
                    event.flow_controlled_length, event.stream_id)

            elif isinstance(event, h2.events.StreamEnded):
                self.ended.add(event.stream_id)

            elif isinstance(event, h2.events.StreamReset):
                answer = self.answers[event.stream_id]

                if event.stream_id not in self.ended and answer is not None:
                    answer.complete = False

                self.ended.add(event.stream_id)

            elif isinstance(event, h2.events.ConnectionTerminated):
                raise EOFError(f"GOAWAY {event.error_code}")

        self.flush()
