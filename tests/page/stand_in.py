# Copyright (C) The wholesale gateway authors

"""A stand-in for wholesale_status, whose figures are the test's to say: for
states that a real gateway is hard to bring into."""

import contextlib
import http.server
import json
import re
import subprocess
import threading
import time

from gateway.nginx import REPOSITORY


EMBED = REPOSITORY / "ngx_wholesale_module/page/embed"

BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
          2.5, 5, 10)

OUTCOMES = ("forwarded", "unauthenticated", "forbidden", "limited", "invalid",
            "unavailable", "not_found", "other", "forbidden_dry_run",
            "limited_dry_run", "invalid_dry_run")


def embed(what):
    return subprocess.run((EMBED, what), capture_output=True, check=True,
                          text=True).stdout


def policy(header):
    """The one that the module is built with."""

    define = re.search(r"_POLICY(.*?[^\\])\n", header, re.S)[1]
    return "".join(re.findall(r'"([^"]*)"', define))


def histogram(durations=()):
    """As JSON has it, of these seconds."""

    return {"count": len(durations), "sum": sum(durations), "buckets": [
        [bound, sum(bound is None or seconds <= bound
                    for seconds in durations)]
        for bound in (*BOUNDS, None)]}


def limit(quota, remaining, reset=0, **members):
    return {"per": "tenant", "quota": quota, "remaining": remaining,
            "reset": reset, "refused": 0, "nearLimit": 0, "dryRunRefused": 0,
            "dryRun": False, **members}


def tenant(forwarded=0, limits=None, **outcomes):
    return {"outcomes": {**dict.fromkeys(OUTCOMES, 0), "forwarded": forwarded,
                         **outcomes},
            "paused": 0, "limits": limits or {}}


def credential(state="live", expires=1209000, **members):
    return {"state": state, "used": True, "refreshing": False,
            "expires": expires, "refreshTokenExpires": 7776000,
            "lastError": None,
            "refreshes": {"succeeded": 1, "failed": 0, "final": 0}, **members}


def redis(up=True, breaker="closed", **members):
    return {"up": up, "breaker": breaker, "connected": 2 if up else 0,
            "failures": {"timeout": 0, "connect": 0, "closed": 0,
                         "protocol": 0, "auth": 0, "state": 0, "command": 0},
            "declined": 0, "opened": 0, "reconnects": 1, "commands": 0,
            **members}


def document(**members):
    """A gateway with which all is well, and that has seen nothing."""

    return {
        "version": "0.1.0", "nginx": "1.22.1", "workers": 2,
        "generation": 1, "tenantsConfigured": 3, "tenantsShown": 1000,
        "time": time.time(), "started": int(time.time()) - 100,
        "tenants": {}, "validation": {},
        "upstream": {"2xx": 0, "3xx": 0, "4xx": 0, "5xx": 0, "failed": 0},
        "durations": {"request": histogram(), "redis": histogram(),
                      "upstream": histogram()},
        "redis": redis(), "credentials": {"webex": credential()},
        "zone": {"size": 16777216, "used": 40960},
        **members}


class Handler(http.server.BaseHTTPRequestHandler):

    def do_GET(self):
        stand_in = self.server.stand_in
        path, _, query = self.path.partition("?")

        if path != "/status":
            stand_in.strayed.append(self.path)
            self.send(404, "text/plain", b"")

        elif query == "format=json":
            stand_in.polls += 1
            stand_in.answers.wait()
            self.send(stand_in.status, "application/json",
                      json.dumps(stand_in.tell()).encode())

        else:
            self.send(200, "text/html; charset=utf-8", stand_in.page, {
                "Content-Security-Policy": stand_in.policy})

    def send(self, status, type, body, fields=None):
        self.send_response(status)
        self.send_header("Content-Type", type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")

        for name, value in (fields or {}).items():
            self.send_header(name, value)

        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class StandIn:
    """From start() to stop(), after which it can be started again.

    document: what it says; its "time" is set anew each time.
    step: called with the document before it is told.
    status: of the answers with JSON.
    polls: how often it was asked for JSON; strayed: what else it was asked.
    """

    def __init__(self):
        self.document = document()
        self.step = None
        self.status = 200
        self.answers = threading.Event()
        self.answers.set()
        self.polls = 0
        self.strayed = []
        self.page = embed("page").encode()
        self.policy = policy(embed("header"))
        self.port = 0
        self.server = None

    def start(self):
        http.server.ThreadingHTTPServer.allow_reuse_address = True
        self.server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", self.port), Handler)
        self.server.daemon_threads = True
        self.server.stand_in = self
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever,
                         kwargs={"poll_interval": 0.05}, daemon=True).start()

        return self

    def stop(self):
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def tell(self):
        if self.step is not None:
            self.step(self.document)

        if isinstance(self.document, dict):
            self.document["time"] = time.time()

        return self.document

    @contextlib.contextmanager
    def hanging(self):
        """It gives no answers meanwhile."""

        self.answers.clear()

        try:
            yield
        finally:
            self.answers.set()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/status"
