# Copyright (C) The wholesale gateway authors

"""A real nginx, unprivileged, in a folder of its own."""

import contextlib
import os
import pathlib
import re
import signal
import socket
import subprocess
import time


REPOSITORY = pathlib.Path(__file__).resolve().parents[2]

NGINX = os.environ.get("NGINX_BIN", "/usr/sbin/nginx")

MODULE = os.path.abspath(os.environ.get(
    "WHOLESALE_MODULE", REPOSITORY / "build/ngx_http_wholesale_module.so"))

# libraries to load first: a sanitizer's run-time
PRELOAD = os.environ.get("WHOLESALE_PRELOAD", "")

PROXY_CONF = REPOSITORY / "ngx_wholesale_module/module/wholesale_proxy.conf"
LOG_CONF = REPOSITORY / "ngx_wholesale_module/module/wholesale_log.conf"

START_SECONDS = 20
STOP_SECONDS = 20
ATTEMPTS = 5

# never in an error log, unless a test says so
# gcc's undefined behaviour sanitizer reports where nginx's errors go
SERIOUS = re.compile(r"\[(alert|emerg|crit)\]|: runtime error: |ERROR: \w+:")


def version():
    text = subprocess.run((NGINX, "-v"), capture_output=True, text=True,
                          check=True).stderr
    return tuple(map(int, re.search(r"/(\d+)\.(\d+)\.(\d+)", text).groups()))


def listen_http2():
    """What follows "listen" where HTTP/2 is spoken by prior knowledge."""

    if version() >= (1, 25, 1):
        return "127.0.0.1:@http2_port@; http2 on"

    return "127.0.0.1:@http2_port@ http2"


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False

    return True


class Nginx:
    """One nginx, from start() to stop().

    "conf" is the text of nginx.conf, in which @NAME@ stands for what "values"
    has under that name.  Besides there are:

      @globals@               what every nginx of the tests needs
      @globals_http@          the same in http{}
      @wholesale_proxy.conf@  the file that is shipped
      @wholesale_log.conf@    and the other one
      @http2@                 after "listen"
      @port@, @NAME_port@     a free port; ports["port"], ports["NAME_port"]

    "tolerated" are regular expressions of serious lines in the error log that
    the test expects.
    """

    def __init__(self, folder, conf, values=None, module=True, tolerated=()):
        self.folder = pathlib.Path(folder)
        self.conf = conf
        self.values = dict(values or {})
        self.module = module
        self.tolerated = [re.compile(pattern) for pattern in tolerated]
        self.process = None
        self.ports = {}
        self.worker_pids = []
        self.leaving = set()
        self.log_read = 0

    # its configuration

    def globals(self):
        return "\n".join((
            f"load_module  {MODULE};" if self.module else "",
            "daemon       off;",
            "pid          nginx.pid;",
            "error_log    error.log debug;",

            # otherwise workers of root's nginx could not read the folder
            "user         root;" if os.getuid() == 0 else ""))

    def globals_http(self):
        return "\n".join((
            "access_log             access.log;",
            "client_body_temp_path  temp/body;",
            "proxy_temp_path        temp/proxy;",
            "fastcgi_temp_path      temp/fastcgi;",
            "uwsgi_temp_path        temp/uwsgi;",
            "scgi_temp_path         temp/scgi;"))

    def write_conf(self):
        values = {
            "globals": self.globals(),
            "globals_http": self.globals_http(),
            "wholesale_proxy.conf": str(PROXY_CONF),
            "wholesale_log.conf": str(LOG_CONF),
            "http2": listen_http2(),
            "workers": "1",
            "http": "", "server": "", "location": "",
            **self.values,
        }

        def value(match):
            name = match[1]

            if name in values:
                # values may have names in them, and keep the indentation
                return re.sub("@([a-z0-9_.]+)@", value, str(values[name]))

            if name == "port" or name.endswith("_port"):
                if name not in self.ports:
                    self.ports[name] = self.free_port()

                return str(self.ports[name])

            raise KeyError(f"nothing to put in place of @{name}@")

        text = re.sub("@([a-z0-9_.]+)@", value, self.conf)
        (self.folder / "nginx.conf").write_text(text)

    def free_port(self):
        """Free now: who takes it before nginx does makes start() try again."""

        while True:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]

            if port not in self.ports.values():
                return port

    def change(self, **values):
        """Writes nginx.conf anew; for a reload()."""

        self.values.update(values)
        self.write_conf()

    # its life

    def command(self, *arguments):
        return (NGINX, "-p", f"{self.folder}/", "-c",
                f"{self.folder}/nginx.conf", "-e", f"{self.folder}/error.log",
                *arguments)

    def environment(self):
        # nginx takes NGINX for sockets to inherit
        environment = {name: value for name, value in os.environ.items()
                       if name != "NGINX"}

        if PRELOAD:
            environment["LD_PRELOAD"] = PRELOAD

        for name, first in (("ASAN_OPTIONS", "detect_leaks=0"),
                            ("UBSAN_OPTIONS", "print_stacktrace=1")):
            environment[name] = ":".join((
                environment.get(name) or first,
                f"log_path={self.folder}/sanitizer"))

        return environment

    def start(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "temp").mkdir(exist_ok=True)

        for _ in range(ATTEMPTS):
            self.ports.clear()
            self.write_conf()
            self.error_log.write_text("")
            self.log_read = 0

            # elsewhere, so that a name which is not taken as relative to the
            # folder of the configuration is found out
            with (self.folder / "output").open("wb") as output:
                self.process = subprocess.Popen(
                    self.command(), cwd="/", env=self.environment(),
                    stdin=subprocess.DEVNULL, stdout=output,
                    stderr=subprocess.STDOUT)

            self.wait_for(lambda: self.workers()
                          or self.process.poll() is not None, "its start")

            if self.process.poll() is None:
                return self

            self.process = None

            if "Address already in use" not in self.log:
                break

        raise AssertionError(f"nginx did not start:\n{self.troubles()}")

    def test(self):
        """nginx -t: whether it is satisfied, and what it says."""

        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "temp").mkdir(exist_ok=True)
        self.write_conf()

        done = subprocess.run(self.command("-t"), cwd="/",
                              env=self.environment(), capture_output=True,
                              text=True)
        return done.returncode == 0, done.stderr

    def workers(self):
        """The workers that were ever started, in order."""

        with self.error_log.open("rb") as log:
            log.seek(self.log_read)
            text = log.read()

        text = text[:text.rfind(b"\n") + 1]
        self.log_read += len(text)
        self.worker_pids += map(int, re.findall(
            rb"\[notice\] .* start worker process (\d+)\n", text))
        self.leaving.update(map(int, re.findall(
            rb"\[notice\] (\d+)#.* gracefully shutting down\n", text)))

        return self.worker_pids

    def reload(self):
        """Returns when new requests go to new workers only."""

        old = [pid for pid in self.workers() if is_alive(pid)]
        wanted = len(self.workers()) + int(self.values.get("workers", 1))

        self.process.send_signal(signal.SIGHUP)
        self.wait_for(lambda: len(self.workers()) >= wanted, "new workers")
        self.wait_for(lambda: self.have_left(old), "old workers to leave")

    @contextlib.contextmanager
    def frozen_worker(self):
        """The worker that was started last does nothing meanwhile."""

        worker = self.workers()[-1]
        os.kill(worker, signal.SIGSTOP)

        try:
            yield
            time.sleep(0.05)
        finally:
            os.kill(worker, signal.SIGCONT)

    def wait_for(self, condition, what):
        deadline = time.monotonic() + START_SECONDS

        while not condition():
            assert time.monotonic() < deadline, \
                f"waited in vain for {what}:\n{self.troubles()}"
            time.sleep(0.01)

    def have_left(self, pids):
        self.workers()
        return all(pid in self.leaving or not is_alive(pid) for pid in pids)

    def stop(self):
        """Ends it gracefully, and then asks whether all was well."""

        if self.process is None:
            return

        process, self.process = self.process, None
        late = not self.end(process, signal.SIGQUIT)

        if late and not self.end(process, signal.SIGTERM):
            self.end(process, signal.SIGKILL)

        self.check()

        assert not late, f"nginx did not stop in {STOP_SECONDS} s"
        assert process.returncode == 0

    def end(self, process, how):
        process.send_signal(how)

        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            return False

        return True

    # the standing assertions

    def check(self):
        troubles = self.troubles()
        assert not troubles, f"in {self.folder}:\n{troubles}"

    def troubles(self):
        """Serious lines of the error log, and reports of sanitizers."""

        found = [line for line in self.log.splitlines()
                 if SERIOUS.search(line)
                 and not any(pattern.search(line)
                             for pattern in self.tolerated)]

        for report in sorted(self.folder.glob("sanitizer*")):
            found.append(report.read_text(errors="replace"))

        return "\n".join(found)

    @property
    def error_log(self):
        return self.folder / "error.log"

    @property
    def access_log(self):
        return self.folder / "access.log"

    @property
    def log(self):
        return self.error_log.read_text(encoding="latin-1")
