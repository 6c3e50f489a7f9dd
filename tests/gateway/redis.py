# Copyright (C) The wholesale gateway authors

"""A real redis-server of the test's own, under a user that may do no more
than the gateway needs."""

import os
import pathlib
import re
import signal
import socket
import subprocess
import time

from gateway import secrets


# another one, Valkey's for instance
SERVER = os.environ.get("REDIS_SERVER", "redis-server")

# as docs/fleet.md has it, which a test holds it to
RIGHTS = "~wholesale:* +ping +evalsha +eval +get +set +time"

START_SECONDS = 10
STOP_SECONDS = 10


class RedisError(Exception):
    pass


class Connection:
    """A client of the test's own, who may do anything."""

    def __init__(self, port, password):
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.file = self.socket.makefile("rb")
        self.command("AUTH", "tests", password)

    def close(self):
        self.file.close()
        self.socket.close()

    def send(self, *arguments):
        """Without waiting for the reply, which is up to read()."""

        arguments = [argument if isinstance(argument, bytes)
                     else str(argument).encode() for argument in arguments]

        self.socket.sendall(b"*%d\r\n" % len(arguments) + b"".join(
            b"$%d\r\n%b\r\n" % (len(argument), argument)
            for argument in arguments))

    def command(self, *arguments):
        """One command; its reply: text, a number, None or a list of them."""

        self.send(*arguments)
        return self.read()

    def transaction(self, commands):
        """All of them at one moment of Redis's; their replies."""

        commands = [("MULTI",), *commands, ("EXEC",)]

        for command in commands:
            self.send(*command)

        return [self.read() for _ in commands][-1]

    def read(self):
        line = self.file.readline()

        if not line.endswith(b"\r\n"):
            raise EOFError

        kind, value = line[:1], line[1:-2]

        if kind == b"-":
            raise RedisError(value.decode())

        if kind == b":":
            return int(value)

        if kind == b"$":
            if value == b"-1":
                return None

            return self.file.read(int(value) + 2)[:-2].decode()

        if kind == b"*":
            return [self.read() for _ in range(int(value))]

        return value.decode()


class Redis:
    """From start() to stop(), after which it can be started again, empty, on
    the same port.

    port, socket: where it listens; block(): the directives to use it.
    """

    def __init__(self, folder, *options):
        self.folder = pathlib.Path(folder)
        self.options = options
        self.password = secrets.make()
        self.tests_password = secrets.make()
        self.process = None
        self.connection = None

        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

        self.write_password(self.password)
        (self.folder / "users.acl").write_text(
            f"user default off\n"
            f"user gateway on >{self.password} resetchannels -@all {RIGHTS}\n"
            f"user tests on >{self.tests_password} ~* &* +@all\n")

    def write_password(self, password):
        (self.folder / "password").write_text(password + "\n")

    def block(self, *directives, server=None):
        """A wholesale_redis block, with a time-out that a busy machine keeps
        to unless another is given."""

        if not any(one.startswith("timeout") for one in directives):
            directives = ("timeout 2s", *directives)

        return "\n".join((
            "wholesale_redis {",
            f"    server         {server or f'127.0.0.1:{self.port}'};",
            "    username       gateway;",
            f"    password_file  {self.folder}/password;",
            *(f"    {directive};" for directive in directives),
            "}"))

    # its life

    def start(self):
        with (self.folder / "redis.log").open("ab") as log:
            self.process = subprocess.Popen(
                (SERVER, "--bind", "127.0.0.1", "--port", str(self.port),
                 "--unixsocket", f"{self.folder}/socket", "--save", "",
                 "--dir", self.folder, "--aclfile",
                 f"{self.folder}/users.acl", *self.options),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

        deadline = time.monotonic() + START_SECONDS

        while self.connection is None:
            try:
                self.connection = self.connect()
            except ConnectionRefusedError:
                assert self.process.poll() is None \
                    and time.monotonic() < deadline, \
                    (self.folder / "redis.log").read_text()
                time.sleep(0.01)

        return self

    def stop(self):
        if self.process is None:
            return

        self.connection.close()
        self.connection = None

        self.process.kill()
        self.process.wait(STOP_SECONDS)
        self.process = None

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    # what is in it

    def connect(self):
        return Connection(self.port, self.tests_password)

    def command(self, *arguments):
        return self.connection.command(*arguments)

    def transaction(self, commands):
        return self.connection.transaction(commands)

    def keys(self, pattern="*"):
        return sorted(self.command("KEYS", pattern))

    def monitor(self):
        return Monitor(self)

    def disconnect_gateways(self):
        """As Redis does with connections that are idle for too long."""

        self.command("CLIENT", "KILL", "USER", "gateway")


class Monitor:
    """The commands of gateways while it is open, as a list of names; without
    what scripts do, what the test does, and the greetings of connections."""

    GREETINGS = ("AUTH", "PING")

    def __init__(self, redis):
        self.redis = redis
        self.connection = redis.connect()
        self.connection.command("MONITOR")

    def close(self):
        self.connection.close()

    def commands(self):
        """Those since the last time."""

        end = secrets.make()
        self.redis.command("ECHO", end)
        port = self.redis.connection.socket.getsockname()[1]
        names = []

        while end not in (line := self.connection.read()):
            if " lua]" not in line and f":{port}]" not in line:
                names.append(line.split('"')[1].upper())

        return [name for name in names if name not in self.GREETINGS]


# what a test of limits wants to see in answers

LOCATION = """
    add_header  X-Counters    $wholesale_counters    always;
    add_header  X-Redis-Time  $wholesale_redis_time  always;
"""


def counters(answer):
    """"redis" or "local"; None: nobody has counted."""

    return answer.header("X-Counters")


def trouble(running):
    """What the error log says of Redis to those who do not debug."""

    return [line for line in running.log.splitlines()
            if re.search(r'\[(notice|warn|error)\].* redis "', line)]


def wait_until_used(running, tenant="acme"):
    """Returns when requests of this tenant are counted in Redis; it should
    have a limit that is not reached so soon."""

    running.wait_for(
        lambda: counters(running.update(tenant=tenant)) == "redis",
        "Redis to be used")
