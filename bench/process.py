# Copyright (C) The wholesale gateway authors

"""What is measured: a process, or an nginx with one worker."""

import dataclasses
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

from setting import FOLDER, HERE, NGINX


START_SECONDS = 30

# below those that Linux takes for connections
PORTS = (12000, 32000)


def free_port(used=set()):
    """One that the kernel gives to no connection of its own accord."""

    while True:
        port = random.randrange(*PORTS)

        with socket.socket() as s:
            if port not in used and s.connect_ex(("127.0.0.1", port)) != 0:
                used.add(port)
                return port


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


@dataclasses.dataclass
class Memory:
    """KiB: resident and private now, and the most that was ever resident."""

    private: int
    peak: int


class Process:
    """From start() to stop(); "pid" is whose time and memory count."""

    def __init__(self, name):
        self.name = name
        self.folder = FOLDER / re.sub(r"\W+", "-", name)
        self.port = free_port()
        self.process = None
        self.pid = None

        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    def command(self):
        raise NotImplementedError

    def start(self):
        with (self.folder / "output").open("wb") as output:
            self.process = subprocess.Popen(
                self.command(), cwd=self.folder, stdin=subprocess.DEVNULL,
                stdout=output, stderr=output)

        deadline = time.monotonic() + START_SECONDS

        while not (listens(self.port) and self.find_pid()):
            if self.process.poll() is not None \
                    or time.monotonic() > deadline:
                sys.exit(f"{self.name} did not start:\n"
                         + (self.folder / "output").read_text())

            time.sleep(0.05)

        self.pid = self.find_pid()
        return self

    def find_pid(self):
        """None: not yet."""

        return self.process.pid

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()

    def cpu_seconds(self):
        """User plus system, of all its threads."""

        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text()
        utime, stime = fields.rsplit(")", 1)[1].split()[11:13]

        return (int(utime) + int(stime)) / os.sysconf("SC_CLK_TCK")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def memory(self):
        text = pathlib.Path(f"/proc/{self.pid}/status").read_text()

        return Memory(*(int(re.search(rf"{name}:\s+(\d+)", text)[1])
                        for name in ("RssAnon", "VmHWM")))


class Nginx(Process):
    """"conf" is what stands in http{}; @NAME@ in it is a value."""

    def __init__(self, name, conf, modules=(), **values):
        super().__init__(name)

        values = {"port": self.port, "folder": self.folder,
                  "user": "user  root;" if os.geteuid() == 0 else "",
                  "modules": "\n".join(f"load_module  {module};"
                                       for module in modules), **values}
        text = (HERE / "nginx.conf").read_text().replace("@http@", conf)

        (self.folder / "temp").mkdir()
        (self.folder / "nginx.conf").write_text(re.sub(
            "@([a-z_]+)@", lambda match: str(values[match[1]]), text))

    def command(self):
        return (NGINX, "-p", self.folder, "-c", self.folder / "nginx.conf",
                "-e", self.folder / "error.log")

    def find_pid(self):
        pid = self.process.pid
        path = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
        children = path.read_text().split() if path.exists() else ()

        return int(children[0]) if children else None


class Node(Process):
    def __init__(self, name, script):
        super().__init__(name)
        self.script = script

    def command(self):
        return ("node", self.script, self.folder)


class Delay(Process):
    """Before a port of this machine, as far away as that many microseconds."""

    def __init__(self, binary, target, delay):
        super().__init__(f"delay of {delay} us")
        self.arguments = (binary, self.port, target, delay)

    def command(self):
        return tuple(map(str, self.arguments))


def write_json(path, document):
    path.write_text(json.dumps(document))
