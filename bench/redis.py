# Copyright (C) The wholesale gateway authors

"""A redis-server on loopback."""

import dataclasses
import re
import signal
import socket

from process import Process


@dataclasses.dataclass
class Traffic:
    """Since the server's start: script calls, bytes to it and from it."""

    commands: int
    received: int
    sent: int

    def __sub__(self, other):
        return Traffic(self.commands - other.commands,
                       self.received - other.received,
                       self.sent - other.sent)


class Redis(Process):
    def __init__(self, name):
        super().__init__(f"redis of {name}")

    def command(self):
        return ("redis-server", "--bind", "127.0.0.1", "--port",
                str(self.port), "--save", "", "--dir", self.folder)

    def info(self):
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.sendall(b"INFO all\r\n")
            file = connection.makefile("rb")
            return file.read(int(file.readline()[1:])).decode()

    def traffic(self):
        text = self.info()

        def number(pattern):
            match = re.search(pattern, text)
            return int(match[1]) if match else 0

        return Traffic(number(r"cmdstat_evalsha:calls=(\d+)"),
                       number(r"total_net_input_bytes:(\d+)"),
                       number(r"total_net_output_bytes:(\d+)"))

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def stop(self):
        self.process.kill()
        self.process.wait()
