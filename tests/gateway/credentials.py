# Copyright (C) The wholesale gateway authors

"""The gateway with a credential that it refreshes by itself."""

import json
import os
import shutil
import signal
import threading
import urllib.parse

from gateway import http1
from gateway.gateway import CONF, Gateway


TOKEN_PATH = "/v1/access_token"

# of a secret that was cut short in a log, so much is enough to know it
TELLING = 16

CREDENTIAL = """
    wholesale_credential webex {
        token_endpoint      /_webex/access_token;
        client_id           @client_id@;
        client_secret_file  client_secret;
        refresh_token_file  refresh_token;
        @credential@
    }
"""

LOCATIONS = """
        location = /_webex/access_token {
            internal;
            include     @wholesale_proxy.conf@;
            @token_location@
            proxy_pass  @token_pass@;
        }

        location = /ready {
            wholesale_ready;
        }
"""

# one of several, each with an endpoint and files of its own
ONE_OF_SEVERAL = """
    wholesale_credential {name} {{
        token_endpoint      /_webex/{name};
        client_id           @client_id@;
        client_secret_file  {name}_secret;
        refresh_token_file  {name}_token;
        refresh_wait        300ms;
    }}
"""

LOCATION_OF_ONE = """
        location = /_webex/{name} {{
            internal;
            include     @wholesale_proxy.conf@;
            proxy_pass  http://webex/v1/access_token?{name};
        }}
"""

STATIC = """
    wholesale_credential webex {
        access_token_file  access_token;
    }
"""


def conf(credential=CREDENTIAL, locations=LOCATIONS):
    assert STATIC in CONF

    return CONF.replace(STATIC, credential + "@credentials@").replace(
        "        @server@\n", "        @server@\n" + locations)


def several(names):
    """The options of a gateway with many credentials, and a tenant of the
    same name for each."""

    return {
        "credentials": "".join(ONE_OF_SEVERAL.format(name=name)
                               for name in names),
        "server": "".join(LOCATION_OF_ONE.format(name=name)
                          for name in names),
        "tenants": {name: {"credential": name} for name in names}}


class Recorded(http1.Connection):
    """Whatever the gateway answers is noted."""

    def __init__(self, record, port, **options):
        super().__init__(port, **options)
        self.record = record

    def more(self):
        before = len(self.pending)
        super().more()
        self.record.append(self.pending[before:])


class Refreshing(Gateway):
    """Its client_secret and refresh_token are copies of the sandbox's."""

    def __init__(self, folder, sandbox, conf=conf(), **values):
        folder.mkdir(parents=True, exist_ok=True)
        self.sandbox = sandbox
        self.answers = []

        for name in ("client_secret", "refresh_token"):
            shutil.copy(getattr(sandbox, f"{name}_file"), folder / name)

        super().__init__(folder, sandbox, conf=conf, **{
            "client_id": sandbox.client_id, "credential": "",
            "credentials": "", "token_location": "",
            "token_pass": "http://webex/v1/access_token", **values})

        for name in self.keys:
            for kind in ("secret", "token"):
                if f"{name}_{kind}" in values.get("credentials", ""):
                    shutil.copy(folder / ("client_secret" if kind == "secret"
                                          else "refresh_token"),
                                folder / f"{name}_{kind}")

    def stop(self):
        secrets = self.secrets()
        super().stop()

        leaks = [name for name in ("error.log", "access.log", "output")
                 if self.holds((self.folder / name).read_bytes(), secrets)]

        if self.holds(b"".join(self.answers), secrets):
            leaks.append("answers")

        assert not leaks, f"secrets in {leaks}"

    def connect(self, **options):
        return Recorded(self.answers, self.port, **options)

    def secrets(self):
        """What the sandbox gave out is not to be in a log either."""

        found = set()

        for request in self.sandbox.requests:
            found.add((request.header("Authorization") or "")
                      .partition(" ")[2])

        for form in refreshes(self.sandbox):
            found.update((form["client_secret"], form["refresh_token"]))

        return {secret for secret in found if len(secret) >= 2 * TELLING}

    @staticmethod
    def holds(text, secrets):
        """Whether one of them is there, or the start or end of one."""

        return any(part.encode() in text for secret in secrets
                   for part in (secret[:TELLING], secret[-TELLING:]))

    def write_secret(self, name, text):
        """As those who renew secrets do it: a new file, then a rename."""

        new = self.folder / f"{name}.new"
        new.write_bytes(text if isinstance(text, bytes) else text.encode())
        new.rename(self.folder / name)

    def read_secret(self, name):
        return (self.folder / name).read_text().strip()

    def ready(self):
        """The status and the document of the readiness page."""

        with self.connect() as connection:
            answer = connection.request("GET", "/ready", [("Host", "probe")])

        return answer.status, answer.json

    def credential(self, name="webex"):
        """What the readiness page says of one credential."""

        return next(item for item in self.ready()[1]["credentials"]
                    if item["name"] == name)

    def warm(self):
        """Until the first token is there."""

        self.wait_for(lambda: self.ready()[0] == 200, "a token")

    def kill_workers(self):
        for pid in self.workers():
            os.kill(pid, signal.SIGKILL)

    def concurrently(self, n, tenants=("acme",)):
        """n updates of each tenant at once; their answers."""

        tenants = [name for name in tenants for _ in range(n)]
        n = len(tenants)
        answers = [None] * n
        barrier = threading.Barrier(n)

        def run(i):
            with self.connect() as connection:
                barrier.wait()
                connection.send(self.encode_update(tenant=tenants[i]))
                answers[i] = connection.answer("PUT")

        threads = [threading.Thread(target=run, args=(i,)) for i in range(n)]

        for thread in threads:
            thread.start()

        for thread in threads:
            thread.join()

        return answers


def token_requests(sandbox):
    return [request for request in sandbox.requests
            if request.target.partition("?")[0] == TOKEN_PATH]


def refreshes(sandbox):
    """The forms that the token endpoint got."""

    return [dict(urllib.parse.parse_qsl(request.body.decode(),
                                        keep_blank_values=True))
            for request in token_requests(sandbox)]


def updates(sandbox):
    return [request for request in sandbox.requests
            if request.method == "PUT"]


def token_answer(token="x" * 40, seconds=1000, **members):
    """A fault of the endpoint's: an answer as it should be, but for some."""

    document = {"access_token": token, "expires_in": seconds,
                "token_type": "Bearer", **members}

    return {"path": TOKEN_PATH, "status": 200, "headers":
            [["Content-Type", "application/json"]],
            "body": json.dumps({name: value for name, value
                                in document.items() if value is not None})}
