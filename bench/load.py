# Copyright (C) The wholesale gateway authors

"""wrk: it loads a subject, and says how many requests were answered and how
fast."""

import dataclasses
import http.client
import json
import subprocess
import sys

from setting import FOLDER, PATH


SCRIPT = """\
local file = io.open("{body}", "rb")

wrk.method = "PUT"
wrk.path = "{path}"
wrk.body = file:read("*a")
wrk.headers = {{ {headers} }}

function done(summary, latency, requests)
    io.write(string.format("measured %d %d %d %d %d %d\\n", summary.requests,
             summary.duration, latency:percentile(50), latency:percentile(99),
             summary.errors.status, summary.errors.connect
             + summary.errors.read + summary.errors.write
             + summary.errors.timeout))
end
"""


@dataclasses.dataclass
class Sample:
    """cpu: microseconds of the subject's per request; rate: requests a second;
    median, late: microseconds, the latter of the slowest hundredth.  Of Redis,
    where it is the subject's, for each request: commands, and bytes to it and
    from it."""

    cpu: float
    rate: float
    median: float
    late: float
    commands: float = None
    received: float = None
    sent: float = None


class Request:
    """One that is sent over and over, and answered with "status"."""

    def __init__(self, name, status, body, key):
        self.status = status
        self.body = body
        self.headers = {"Content-Type": "application/json",
                        "Authorization": f"Bearer {key}"}
        self.script = FOLDER / f"{name}.lua"

        (FOLDER / f"{name}.body").write_bytes(body)
        self.script.write_text(SCRIPT.format(
            body=FOLDER / f"{name}.body", path=PATH, headers=", ".join(
                f'["{name}"] = "{value}"'
                for name, value in self.headers.items())))

    def check(self, subject):
        """Sends it once; what the answer is, when it is another."""

        connection = http.client.HTTPConnection("127.0.0.1", subject.port, 30)
        connection.request("PUT", PATH, self.body, self.headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()

        if answer.status != self.status:
            sys.exit(f"{subject.name} answers {answer.status}, not "
                     f"{self.status}: {body}")

        if self.status == 202 and subject.rewrites:
            origin = f"http://127.0.0.1:{subject.port}"

            if json.loads(body)["url"] != origin + PATH \
                    or answer.headers["Location"] not in (
                        PATH, origin + PATH):
                sys.exit(f"{subject.name} does not rewrite: {body}, "
                         f"{answer.headers['Location']}")

    def measure(self, subject, connections, seconds):
        traffic = subject.redis.traffic() if subject.redis else None
        before = subject.process.cpu_seconds()

        text = subprocess.run(
            ("wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout",
             "10s", "-s", self.script, f"http://127.0.0.1:{subject.port}"),
            capture_output=True, text=True, check=True).stdout

        used = subject.process.cpu_seconds() - before
        line = next(line for line in text.splitlines()
                    if line.startswith("measured "))
        requests, duration, median, late, refused, failed = map(
            int, line.split()[1:])

        if failed or refused != (requests if self.status >= 400 else 0):
            sys.exit(f"{subject.name}: not all were answered with "
                     f"{self.status}:\n{text}")

        sample = Sample(used / requests * 1e6, requests / duration * 1e6,
                        median, late)

        if traffic is not None:
            traffic = subject.redis.traffic() - traffic
            sample.commands = traffic.commands / requests
            sample.received = traffic.received / requests
            sample.sent = traffic.sent / requests

        return sample
