# Copyright (C) The wholesale gateway authors

"""A real Prometheus that looks at one gateway."""

import json
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request


START_SECONDS = 30
STOP_SECONDS = 20

CONF = """
global: {{ scrape_interval: 500ms, evaluation_interval: 500ms }}
rule_files: ["{rules}"]
scrape_configs:
  - job_name: gateway
    metrics_path: /status
    static_configs: [{{ targets: ["127.0.0.1:{port}"] }}]
"""


class Prometheus:
    """From start() to stop()."""

    def __init__(self, folder, port, rules):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

        self.folder = folder
        (folder / "prometheus.yaml").write_text(
            CONF.format(port=port, rules=rules))

    def start(self):
        with (self.folder / "prometheus.log").open("wb") as log:
            self.process = subprocess.Popen(
                ("prometheus",
                 f"--config.file={self.folder}/prometheus.yaml",
                 f"--storage.tsdb.path={self.folder}/data",
                 f"--web.listen-address=127.0.0.1:{self.port}"),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

        deadline = time.monotonic() + START_SECONDS

        while not self.is_ready():
            assert self.process.poll() is None \
                and time.monotonic() < deadline, self.log
            time.sleep(0.1)

        return self

    def stop(self):
        self.process.terminate()
        self.process.wait(STOP_SECONDS)

    @property
    def log(self):
        return (self.folder / "prometheus.log").read_text()

    def get(self, path, **query):
        try:
            with urllib.request.urlopen(
                    f"http://127.0.0.1:{self.port}{path}?"
                    + urllib.parse.urlencode(query), timeout=10) as answer:
                return answer.read()

        except urllib.error.HTTPError as e:
            raise AssertionError(f"{query}: {e.read()}") from e

    def is_ready(self):
        try:
            return bool(self.get("/-/ready"))
        except (OSError, AssertionError):
            return False

    def query(self, expression):
        """What it finds now: [({label: value}, number)]"""

        found = json.loads(self.get("/api/v1/query", query=expression))
        return [(item["metric"], float(item["value"][1]))
                for item in found["data"]["result"]]

    def rules(self):
        """{name: (health, last error)}"""

        groups = json.loads(self.get("/api/v1/rules"))["data"]["groups"]
        return {rule["name"]: (rule["health"], rule.get("lastError", ""))
                for group in groups for rule in group["rules"]}
