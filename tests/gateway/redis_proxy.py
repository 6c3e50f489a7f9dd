# Copyright (C) The wholesale gateway authors

"""A proxy before Redis that passes bytes, until it is told to do worse."""

import select
import socket
import threading
import time


class RedisProxy:
    """Between gateways and the Redis on a port; None: there is none.

    hang_up      True: connections are closed as soon as they are made
    black_hole   True: whatever comes, from either side, is swallowed
    delay        seconds before what Redis says is passed on
    delay_asking the same for what a gateway says
    cut          close after so many bytes of what Redis says; None: never.
                 Each connection is cut at most once: it is None again then
    dribble      True: what Redis says is passed on byte by byte
    replace      function of the bytes of a gateway: bytes to answer, instead
                 of asking Redis, or None

    connections  how many there ever were
    writes       what came from gateways, one element for each read
    """

    def __init__(self, target=None):
        self.target = target
        self.heal()
        self.connections = 0
        self.writes = []
        self.sockets = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]

        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def server(self):
        return f"127.0.0.1:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def heal(self):
        self.hang_up = False
        self.black_hole = False
        self.delay = 0
        self.delay_asking = 0
        self.cut = None
        self.dribble = False
        self.replace = None

    def close(self):
        # wakes the thread that accepts, which close() alone does not
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.drop()

    def drop(self):
        """Closes the connections that there are."""

        for connection in self.sockets:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def accept(self):
        while True:
            try:
                gateway, _ = self.listener.accept()
            except OSError:
                return

            self.connections += 1

            if self.hang_up:
                gateway.close()
                continue

            threading.Thread(target=self.serve, args=(gateway,),
                             daemon=True).start()

    def serve(self, gateway):
        redis = None
        self.sockets.append(gateway)

        try:
            if self.target is not None:
                redis = socket.create_connection(("127.0.0.1", self.target))

            self.relay(gateway, redis)
        except OSError:
            pass
        finally:
            self.sockets.remove(gateway)

            for connection in (gateway, redis):
                if connection is not None:
                    connection.close()

    def relay(self, gateway, redis):
        ends = [end for end in (gateway, redis) if end is not None]
        passed = 0

        while True:
            for end in select.select(ends, [], [])[0]:
                data = end.recv(65536)

                if not data:
                    return

                if end is gateway:
                    time.sleep(self.delay_asking)
                    self.writes.append(data)
                    self.ask(gateway, redis, data)
                    continue

                if self.black_hole:
                    continue

                time.sleep(self.delay)
                cut = self.cut

                if cut is not None and passed + len(data) >= cut:
                    self.cut = None
                    gateway.sendall(data[:cut - passed])
                    return

                passed += len(data)
                self.answer(gateway, data)

    def ask(self, gateway, redis, data):
        if self.black_hole:
            return

        instead = self.replace(data) if self.replace else None

        if instead is not None:
            gateway.sendall(instead)
        elif redis is not None:
            redis.sendall(data)

    def answer(self, gateway, data):
        if not self.dribble:
            gateway.sendall(data)
            return

        gateway.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        for byte in data:
            gateway.sendall(bytes((byte,)))
            time.sleep(0.0005)
