# Copyright (C) The wholesale gateway authors

"""The sandbox as a test sees it: starts it, tells it what to do, looks at what
it got."""

import base64
import http.client
import json
import pathlib
import subprocess


class SeenRequest:
    """One request as the sandbox got it; bytes are bytes again.

    connection, order, time, tls, method, target, version, complete: as
    recorded; headers: a list of pairs; head, raw_body, body: bytes.
    """

    def __init__(self, document):
        self.__dict__.update(document)
        self.headers = [tuple(pair) for pair in document["headers"]]

        for name in ("head", "raw_body", "body"):
            setattr(self, name, document[name].encode("latin-1"))

    def __repr__(self):
        return f"<{self.method} {self.target} #{self.order}>"

    @property
    def bytes(self):
        return self.head + self.raw_body

    def header(self, name):
        """The value of a field, None without it; a doubled one fails."""

        values = self.all(name)
        assert len(values) <= 1, f"{name} came {len(values)} times"
        return values[0] if values else None

    def all(self, name):
        return [value for key, value in self.headers
                if key.lower() == name.lower()]


class Sandbox:
    """A running sandbox.  start() to stop() is its life.

    port, tls_port, control_port, authority, access_token_file, client_id,
    client_secret_file, refresh_token_file, customer: as it printed them.
    """

    def __init__(self, process):
        line = process.stdout.readline()

        if not line:
            raise RuntimeError(f"the sandbox ended: {process.wait()}")

        self.process = process
        self.__dict__.update(json.loads(line))
        self.connection = http.client.HTTPConnection(
            "127.0.0.1", self.control_port, timeout=30)

    @classmethod
    def start(cls, folder, *options):
        script = pathlib.Path(__file__).with_name("sandbox.py")

        return cls(subprocess.Popen(
            ("/usr/bin/python3", "-B", script, "--folder", folder, *options),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE))

    def stop(self):
        """Ends it; returns its exit status."""

        self.connection.close()
        self.process.terminate()

        try:
            return self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            self.process.stdout.close()

    def control(self, method, call, document=None):
        self.connection.request(
            method, f"/_sandbox/{call}",
            None if document is None else json.dumps(document))
        answer = self.connection.getresponse()
        document = json.loads(answer.read())

        if answer.status != 200:
            raise ValueError(document["error"])

        return document

    # secrets

    def read_secret(self, name):
        """"access_token", "client_secret" or "refresh_token"."""

        return pathlib.Path(
            getattr(self, f"{name}_file")).read_text().strip()

    # the record

    @property
    def requests(self):
        return [SeenRequest(document) for document
                in self.control("GET", "requests")["requests"]]

    @property
    def count(self):
        return self.control("GET", "count")["count"]

    @property
    def only_request(self):
        requests = self.requests
        assert len(requests) == 1, f"the sandbox got {requests}"
        return requests[0]

    def clear(self):
        self.control("DELETE", "requests")

    @property
    def journal(self):
        """(tracking id, method, status) of every answer since "journal" was
        set; the status is None where the connection was cut."""

        return [tuple(entry) for entry
                in self.control("GET", "journal")["answers"]]

    # what it does

    def reset(self):
        self.control("POST", "reset")

    def set(self, **settings):
        """gzip, chunked, update_seconds, ...: see control.py and webex.py"""

        self.control("POST", "settings", settings)

    def fail(self, **fault):
        """The members of a Fault, see control.py; "raw" is bytes here."""

        if "raw" in fault:
            fault["raw"] = base64.b64encode(fault["raw"]).decode()

        self.control("POST", "faults", fault)

    def heal(self):
        self.control("DELETE", "faults")

    def add_token(self, token, seconds=None):
        self.control("POST", "tokens", {"access_token": token,
                                        "seconds": seconds})

    def add_refresh_token(self, token):
        self.control("POST", "refresh", {"refresh_token": token})

    def expire_tokens(self):
        self.control("DELETE", "tokens")

    @property
    def customers(self):
        return {document["id"]: document for document
                in self.control("GET", "customers")["customers"]}

    def add_customer(self, id, packages=("webex_meetings",)):
        self.control("POST", "customers", {"id": id,
                                           "packages": list(packages)})
