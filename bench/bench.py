#!/usr/bin/python3

# Copyright (C) The wholesale gateway authors

"""What the gateway costs: CPU time per request, beside plain nginx.

Each subject is an nginx of one worker that forwards the same update, over
kept-alive connections, to the same upstream.  Rounds are interleaved, so that
what else the machine does falls on all alike; what is told is the median of
the rounds, their spread, and the ratio to plain proxy_pass.  CPU time is the
worker's own, user plus system, as /proc has it; wrk counts the requests.
"""

import hashlib
import json
import os
import pathlib
import re
import secrets
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time


ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / "build" / "bench"
PROXY_CONF = ROOT / "ngx_wholesale_module" / "module" / "wholesale_proxy.conf"
REFERENCE = ROOT / "tests" / "gateway" / "reference.json"

NGINX = os.environ.get("NGINX_BIN", "/usr/sbin/nginx")
MODULE = os.environ["MODULE"]

ROUNDS = int(os.environ.get("ROUNDS", 5))
SECONDS = int(os.environ.get("SECONDS", 2))
CONNECTIONS = (1, 32, 64)
TENANTS = (10, 100000)

CUSTOMER = ("Y2lzY29zcGFyazovL3VzL0VOVEVSUFJJU0UvNTJjZjU3NmQtNjBhOC00MDdhLWIy"
            "MmMtNDY3YzUxNTkxOTA4")
PATH = f"/v1/wholesale/customers/{CUSTOMER}"
URL = f"https://webexapis.com{PATH}"

KEY = secrets.token_urlsafe(32)

HEAD = """\
{modules}
daemon            off;
worker_processes  1;
pid               nginx.pid;
error_log         error.log error;
{user}

events {{
    worker_connections  1024;
}}

http {{
    access_log             off;
    keepalive_requests     1000000;
    client_body_temp_path  temp;
    proxy_temp_path        temp;
    fastcgi_temp_path      temp;
    uwsgi_temp_path        temp;
    scgi_temp_path         temp;
"""

# answers as Webex does, and costs next to nothing

UPSTREAM = HEAD + """
    server {{
        listen        127.0.0.1:{port};
        default_type  application/json;

        location / {{
            add_header  Location   {url};
            add_header  trackingid ROUTERGW_52cf576d;
            return      202        '{{"url": "{url}"}}';
        }}
    }}
}}
"""

PLAIN = HEAD + """
    upstream webex {{
        server              127.0.0.1:{upstream};
        keepalive           64;
        keepalive_requests  1000000;
    }}

    server {{
        listen  127.0.0.1:{port};

        location /v1/wholesale/ {{
            proxy_http_version  1.1;
            proxy_set_header    Connection "";
            proxy_pass          http://webex;
        }}
    }}
}}
"""

GATEWAY = HEAD + """
    wholesale_tenants  tenants.json;
    {redis}

    wholesale_credential webex {{
        access_token_file  access_token;
    }}

    upstream webex {{
        server              127.0.0.1:{upstream};
        keepalive           64;
        keepalive_requests  1000000;
    }}

    server {{
        listen  127.0.0.1:{port};

        location /v1/wholesale/ {{
            wholesale   on;
            include     {proxy_conf};
            proxy_pass  http://webex;
        }}
    }}
}}
"""

WRK = """\
local file = io.open("{reference}", "rb")

wrk.method = "PUT"
wrk.path = "{path}"
wrk.body = file:read("*a")
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer {key}"
"""


class Redis:
    """A redis-server behind a Unix socket."""

    name = "redis-server"

    def __init__(self):
        self.folder = FOLDER / "redis"
        self.folder.mkdir()
        self.socket = self.folder / "socket"
        self.requests = 0

    def start(self):
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.socket,
             "--save", "", "--dir", self.folder],
            stdout=subprocess.DEVNULL)

        while not self.socket.exists():
            time.sleep(0.05)

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def info(self):
        text = subprocess.run(["redis-cli", "-s", self.socket, "info", "all"],
                              capture_output=True, text=True,
                              check=True).stdout

        def number(pattern):
            return int(re.search(pattern, text).group(1))

        return (number(r"cmdstat_evalsha:calls=(\d+)"),
                number(r"total_net_input_bytes:(\d+)"))


class Subject:
    """An nginx with one worker."""

    redis = None

    def __init__(self, name, conf, **values):
        self.name = name
        self.port = free_port()
        self.folder = FOLDER / name.replace(" ", "_")
        self.cpu = {}
        self.rate = {}

        (self.folder / "temp").mkdir(parents=True)

        (self.folder / "nginx.conf").write_text(conf.format(
            port=self.port, url=URL, proxy_conf=PROXY_CONF,
            modules=f"load_module {MODULE};" if conf is GATEWAY else "",
            user="user root;" if os.geteuid() == 0 else "",
            **{"redis": "", **values}))

    def start(self):
        self.process = subprocess.Popen(
            [NGINX, "-p", self.folder, "-c", self.folder / "nginx.conf",
             "-e", self.folder / "error.log"])

        while not answers(self.port):
            if self.process.poll() is not None:
                sys.exit(f"{self.name} did not start")

            time.sleep(0.05)

        children = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        self.worker = int(pathlib.Path(children).read_text().split()[0])

    def stop(self):
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait()

    def cpu_time(self):
        fields = pathlib.Path(f"/proc/{self.worker}/stat").read_text()
        utime, stime = fields.rsplit(")", 1)[1].split()[11:13]

        return (int(utime) + int(stime)) / os.sysconf("SC_CLK_TCK")

    def measure(self, connections):
        before = self.cpu_time()

        text = subprocess.run(
            ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", "-s",
             FOLDER / "update.lua", f"http://127.0.0.1:{self.port}"],
            capture_output=True, text=True, check=True).stdout

        used = self.cpu_time() - before

        if "Non-2xx" in text or "Socket errors" in text:
            sys.exit(f"{self.name}: not all were accepted:\n{text}")

        requests = int(re.search(r"(\d+) requests in", text).group(1))

        if self.redis:
            self.redis.requests += requests
        rate = float(re.search(r"Requests/sec:\s*([\d.]+)", text).group(1))

        self.cpu.setdefault(connections, []).append(used / requests * 1e6)
        self.rate.setdefault(connections, []).append(rate)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def answers(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def prepare():
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)

    (FOLDER / "update.lua").write_text(WRK.format(
        reference=REFERENCE, path=PATH, key=KEY))

    upstream = Subject("upstream", UPSTREAM)

    subjects = [Subject("plain proxy_pass", PLAIN, upstream=upstream.port)]

    redis = Redis()
    counted = Subject("gateway, Redis", GATEWAY, upstream=upstream.port,
                      redis=f"wholesale_redis {{ server unix:{redis.socket}; "
                            "}")
    counted.redis = redis
    write_tenants(counted.folder, TENANTS[0])

    for tenants in TENANTS:
        gateway = Subject(f"gateway, {tenants} tenants", GATEWAY,
                          upstream=upstream.port)

        write_tenants(gateway.folder, tenants)
        subjects.append(gateway)

    return redis, upstream, subjects + [counted]


def write_tenants(folder, number):
    """One that calls, and others, each with a key of its own."""

    def tenant(key):
        digest = hashlib.sha256(key.encode()).hexdigest()
        return {"plan": "standard", "keys": [f"sha256:{digest}"]}

    tenants = {f"tenant{i}": tenant(f"key{i}") for i in range(number - 1)}
    tenants["acme"] = tenant(KEY)

    (folder / "access_token").write_text(secrets.token_urlsafe(48))
    (folder / "tenants.json").write_text(json.dumps({
        "plans": {"standard": {"limits": [
            {"name": "burst", "rate": "1000000/s", "burst": 1000000}]}},
        "tenants": tenants,
    }))


def spread(values):
    return f"{min(values):.1f} to {max(values):.1f}"


def report(subjects):
    print(f"\nCPU time of the worker per accepted update of "
          f"{REFERENCE.stat().st_size} bytes, median of {ROUNDS} rounds of "
          f"{SECONDS} s\n")
    print(f"{'':26}{'connections':>11}{'us':>8}{'spread':>16}{'ratio':>8}"
          f"{'requests/s':>12}")

    for connections in CONNECTIONS:
        base = statistics.median(subjects[0].cpu[connections])

        for subject in subjects:
            cpu = subject.cpu[connections]
            median = statistics.median(cpu)
            rate = statistics.median(subject.rate[connections])

            print(f"{subject.name:26}{connections:>11}{median:>8.1f}"
                  f"{spread(cpu):>16}{median / base:>8.2f}{rate:>12.0f}")


def main():
    redis, upstream, subjects = prepare()
    started = []

    try:
        for subject in [redis, upstream] + subjects:
            started.append(subject)
            subject.start()

        for number in range(ROUNDS):
            for connections in CONNECTIONS:
                for subject in subjects:
                    subject.measure(connections)

            print(f"round {number + 1} of {ROUNDS}", file=sys.stderr)

        calls, octets = redis.info()

    finally:
        for subject in reversed(started):
            subject.stop()

    report(subjects)

    print(f"\nRedis, per update: {calls / redis.requests:.3f} commands, "
          f"{octets / redis.requests:.0f} bytes")


if __name__ == "__main__":
    main()
