# Copyright (C) The wholesale gateway authors

"""Every configuration, document and command in the documents is run.

A block of nginx's says where it belongs: it is a whole file, or it begins with
"http {", "server {" or "location", or with a comment, "# in the http block".
What surrounds it is added; what it names (files, ports, Webex, Redis) is there.
"""

import json
import os
import pathlib
import re
import shutil
import ssl
import subprocess

import pytest

from gateway import http1, secrets
from gateway.documents import SOURCES, blocks, page
from gateway.gateway import CUSTOMER, CUSTOMERS, Gateway
from gateway.nginx import MODULE, NGINX, PROXY_CONF
from gateway.redis import RIGHTS, LOCATION, Redis, counters
from sandbox import certificate


WHOLE = """
    wholesale_tenants  /etc/nginx/wholesale/tenants.json;
"""

CREDENTIAL = """
    wholesale_credential webex {
        access_token_file  /run/secrets/webex_access_token;
    }
"""

UPSTREAM = """
    upstream webex {
        server     webexapis.com:443;
        keepalive  32;
    }
"""

SERVER = """
    server {
        listen               443 ssl;
        ssl_certificate      /etc/nginx/gateway.crt;
        ssl_certificate_key  /etc/nginx/gateway.key;

        %s
    }
"""

GUARDED = """
        location /v1/wholesale/ {
            wholesale   on;
            include     wholesale_proxy.conf;
            proxy_pass  https://webex;
        }
"""

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")

SECRETS = {"/run/secrets/webex_access_token": "access_token",
           "/var/lib/wholesale/client_secret": "client_secret",
           "/var/lib/wholesale/refresh_token": "refresh_token"}


# configurations

def context(text):
    """Where a block belongs."""

    first = text.split("\n", 1)[0]
    match = re.match(r"# in the (http|server|location) block$", first)

    if match:
        return match[1]

    word = first.split()[0]

    return {"load_module": "whole", "events": "whole", "http": "main",
            "server": "http", "upstream": "http",
            "location": "server"}[word]


def complete(text):
    """The file that a block is a part of."""

    where = context(text)

    if where == "whole":
        return text

    if where == "main":
        return "load_module modules/x.so;\nevents { }\n" + text

    if where == "location":
        text = "location /elsewhere/ {\n" + text + "}\n"
        where = "server"

    if where == "server":
        if not re.search(r"^\s*wholesale\s+on;", text, re.M):
            text += GUARDED

        text = SERVER % text

    if "wholesale_credential" not in text:
        text = CREDENTIAL + text

    if not re.search(r"^\s*server\s*\{", text, re.M):
        text += SERVER % GUARDED

    return complete("http {\n" + WHOLE + UPSTREAM + text + "\n}\n")


class Documented(Gateway):
    """A gateway as a block has it; in "root" there are the files that it
    names, with the certificates of one small authority."""

    def __init__(self, folder, sandbox, text, redis=None, tenants=None):
        self.root = folder / "root"
        self.sandbox = sandbox
        self.redis = redis
        folder.mkdir(parents=True, exist_ok=True)

        super().__init__(folder, sandbox, conf=self.adapt(text),
                         proxy={"proxy_ssl_trusted_certificate":
                                sandbox.authority})

        shutil.copy(SOURCES / "module/wholesale_log.conf", folder)

        self.keys = {}
        self.put("/etc/nginx/wholesale/tenants.json",
                 self.with_keys(tenants or the_tenants()))

    def adapt(self, text):
        text = complete(text).replace(
            "client_id           C0ffee",
            f"client_id           {self.sandbox.client_id}")

        text = re.sub(r"^load_module .*$", lambda _: self.globals(), text,
                      flags=re.M)
        text = re.sub(r"^http \{$", "http {\n@globals_http@", text, flags=re.M)
        text = text.replace("webexapis.com:443",
                            f"127.0.0.1:{self.sandbox.tls_port}")
        text = re.sub(r"listen( +)(\d+)", r"listen\g<1>127.0.0.1:@p\2_port@",
                      text)

        if self.redis:
            text = text.replace("redis.internal:6379",
                                f"127.0.0.1:{self.redis.port}")

        for path in set(re.findall(r"\s(/(?:etc|run|var)/[^\s;]+)", text)):
            self.provide(path)
            text = text.replace(path, f"{self.root}{path}")

        return text

    def globals(self):
        self.module = False
        return f"load_module {MODULE};\n" + super().globals()

    def put(self, path, content):
        file = pathlib.Path(f"{self.root}{path}")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        return file

    def provide(self, path):
        """What the file of that name holds."""

        name = path.rpartition("/")[2]

        if path in SECRETS:
            self.put(path, self.sandbox.read_secret(SECRETS[path]))

        elif name == "redis_password":
            self.put(path, self.redis.password)

        elif name == "partners.htpasswd":
            self.put(path, "acme:{PLAIN}" + secrets.make())

        elif name.endswith((".crt", ".key")):
            source = self.certificates()[1 if name.endswith(".crt") else 2]
            self.put(path, source.read_text())

        else:
            self.put(path, "")

    def certificates(self):
        """authority, certificate, key"""

        folder = self.folder_of_certificates

        if not (folder / "ca.pem").exists():
            folder.mkdir(exist_ok=True)
            certificate.make(folder, "DNS:gateway.example,DNS:localhost")

        return [folder / name for name in ("ca.pem", "webexapis.pem",
                                           "webexapis.key")]

    @property
    def folder_of_certificates(self):
        return self.root.parent / "certificates"

    def with_keys(self, text):
        """Each digest becomes that of a key which is known here."""

        def replace(match):
            self.keys.setdefault(match[0], secrets.make())
            return secrets.digest(self.keys[match[0]])

        return DIGEST.sub(replace, text)

    @property
    def key(self):
        return next(iter(self.keys.values()))

    @property
    def tls_port(self):
        return self.ports["p443_port"]

    def send(self, body=None):
        """The update of Webex's documentation, as the configuration has it:
        over TLS, if it listens so."""

        tls = None

        if "p443_port" in self.ports:
            tls = ssl.create_default_context(cafile=self.certificates()[0])

        headers = [("Host", "gateway.example"),
                   ("Authorization", f"Bearer {self.key}"),
                   ("Content-Type", "application/json")]

        with http1.Connection(next(iter(self.ports.values())), tls=tls) as c:
            c.send(http1.encode("PUT", f"{CUSTOMERS}/{CUSTOMER}", headers,
                                body or b'{"packages": ["webex_meetings"]}'))
            return c.answer("PUT")


def the_tenants():
    return page("README.md").blocks[1].text


@pytest.fixture
def documented(tmp_path, running_sandbox):
    started = []

    def make(text, **options):
        gateway = Documented(tmp_path / "documented", running_sandbox, text,
                             **options)
        started.append(gateway)
        return gateway

    yield make

    for gateway in started:
        gateway.stop()


def check(gateway):
    fine, output = gateway.test()
    assert fine, output
    assert "[warn]" not in output, output


@pytest.mark.parametrize("block", blocks("nginx"), ids=repr)
def test_nginx(documented, redis, block):
    """nginx -t says nothing against it, and it serves."""

    gateway = documented(block.text, redis=redis)
    check(gateway)

    # there Webex does not stand behind the key alone, or not all peers are
    # there: it is enough that nginx takes it
    if "auth_basic" in block.text or "ssl_trusted_certificate" in block.text:
        return

    gateway.start()
    assert gateway.send().status == 202

    answer = gateway.send(b'{"packages": ["webex_caling"]}')
    assert answer.status == 400

    if "wholesale_log.conf" in block.text:
        check_log(gateway)


def check_log(gateway):
    """A line for each of the two, which any reader of JSON takes."""

    log = pathlib.Path(f"{gateway.root}/var/log/nginx/wholesale.log")

    gateway.wait_for(lambda: log.read_text().count("\n") == 2, "the log")
    lines = [json.loads(line) for line in log.read_text().splitlines()]

    assert [(line["tenant"], line["outcome"], line["reason"], line["status"])
            for line in lines] == [("acme", "forwarded", "", 202),
                                   ("acme", "invalid", "invalid", 400)]
    assert all(line["customer"] == CUSTOMER for line in lines)


def test_there_are_configurations():
    assert len(blocks("nginx")) > 8
    assert context(page("README.md").blocks[0].text) == "whole"


def test_languages():
    """No other block than those that are run or held to the code."""

    assert {block.language for block in blocks(
        "", "nginx", "json", "sh", "http", "log", "text", "console", "bash",
        "conf")} == {"nginx", "json", "sh", "http", "log"}


def test_every_fence_is_a_block():
    for each in {block.page for block in blocks("nginx", "json", "sh")}:
        assert len(each.blocks) * 2 == len(re.findall(
            r"^ *```", each.text, re.M)), each


# JSON

@pytest.mark.parametrize("block", blocks("json"), ids=repr)
def test_json(documented, block):
    document = json.loads(block.text)
    whole = page("README.md").blocks[0].text

    if "tenants" in document and "ready" not in document:
        gateway = documented(whole, tenants=block.text)
        check(gateway)
        gateway.start()

        # of the first tenant
        assert gateway.send().status == 202

    elif "ready" in document:
        check_ready(documented, document)

    elif "trackingId" in document:
        # what test_commands gets from the command before it
        assert document["message"]

    elif isinstance(document["packages"], dict):
        gateway = documented(whole.replace(
            "http {\n", "http {\n    wholesale_catalogue  "
            "/etc/nginx/wholesale/catalogue.json;\n"))
        gateway.put("/etc/nginx/wholesale/catalogue.json", block.text)
        check(gateway)

    else:
        gateway = documented(whole).start()
        assert gateway.send(block.text.encode()).status == 202


def check_ready(documented, document):
    """The same members as the real one, of the same types."""

    block = next(block for block in page("docs/directives.md").blocks
                 if "token_endpoint" in block.text)
    gateway = documented(block.text.replace(
        "http {\n", "http {\n    wholesale_redis { server 127.0.0.1:1; }\n"))
    gateway.start()

    def ready():
        with http1.Connection(gateway.ports["p8080_port"]) as connection:
            return connection.request("GET", "/ready", [("Host", "probe")])

    gateway.wait_for(lambda: ready().status == 200, "a token")
    real = ready().json

    assert list(real) == list(document)
    assert [list(state) for state in real["credentials"]] \
        == [list(state) for state in document["credentials"]]
    assert {name: type(value) for name, value
            in real["credentials"][0].items()} \
        == {name: type(value) for name, value
            in document["credentials"][0].items()}


# commands

class Shell:
    """Commands as an operator types them, with what they name made real."""

    def __init__(self, folder, gateway, redis=None):
        self.folder = folder
        self.gateway = gateway
        self.redis = redis
        self.bin = folder / "bin"
        self.bin.mkdir(parents=True)

        # nginx itself, of the gateway that runs
        environment = " ".join(
            f"{name}='{value}'" for name, value
            in gateway.environment().items() if os.environ.get(name) != value)

        self.wrap("nginx", f'exec env {environment} {NGINX} '
                           f'-p {gateway.folder}/ '
                           f'-c {gateway.folder}/nginx.conf '
                           f'-e {gateway.folder}/error.log "$@"')

        self.wrap("curl", "exec /usr/bin/curl --silent --show-error "
                          f"--cacert {gateway.certificates()[0]} "
                          "--connect-to gateway.example:443:"
                          f"localhost:{gateway.ports.get('p443_port', 0)} "
                          "--connect-to 127.0.0.1:8080:"
                          f"127.0.0.1:{gateway.ports.get('p8080_port', 0)} "
                          '"$@"')

        if redis:
            client = shutil.which("redis-cli") or shutil.which("valkey-cli")

            self.wrap("redis-cli", f"exec {client} -p {redis.port} "
                                   "--user tests --no-auth-warning "
                                   f'-a {redis.tests_password} -e "$@"')

        shutil.copy(SOURCES / "tenants/wholesale-key", self.bin)

    def wrap(self, name, line):
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{line}\n")
        path.chmod(0o755)

    def run(self, text):
        for path in ("/run/secrets", "/var/lib/wholesale"):
            text = text.replace(path, f"{self.gateway.root}{path}")

        text = text.replace("https://gateway.example",
                            "https://gateway.example:443")
        text = text.replace("Bearer KEY", f"Bearer {self.gateway.key}")

        # whom workers run as is another matter in tests
        text = text.replace("-o www-data", f"-o {os.getuid()}")
        text = text.replace("-g www-data", f"-g {os.getgid()}")

        if self.redis:
            text = re.sub("(?<=[<>])PASSWORD", self.redis.password, text)

        return subprocess.run(
            ("/bin/sh", "-eu", "-c", text), cwd=self.folder, text=True,
            capture_output=True, input=f"{secrets.make()}\n", env={
                **os.environ,
                "PATH": f"{self.bin}:/usr/sbin:/usr/bin:/sbin:/bin"})


@pytest.mark.parametrize("block", blocks("sh"), ids=repr)
def test_commands(documented, redis, tmp_path, block):
    config = page("README.md").blocks[0].text.replace(
        "    server {\n", "    server {\n        listen 8080;\n"
        "        location = /ready { wholesale_ready; }\n", 1)

    gateway = documented(config, redis=redis)
    gateway.provide("/var/lib/wholesale/refresh_token")
    gateway.start()

    shell = Shell(tmp_path / "shell", gateway, redis)
    done = shell.run(block.text)

    assert done.returncode == 0, done.stderr

    if "curl -X PUT" in block.text:
        check_the_answer(json.loads(done.stdout), block)

    elif "curl" in block.text:
        assert json.loads(done.stdout)["ready"] is True

    elif "wholesale-key" in block.text:
        assert re.search(r'"sha256:[0-9a-f]{64}"$', done.stdout.strip())

    elif "reload" in block.text:
        assert "test is successful" in done.stderr
        gateway.wait_for(lambda: len(gateway.workers()) == 2, "new workers")


def check_the_answer(answer, block):
    """It is the one that the page has next."""

    following = block.page.blocks
    at = next(i for i, each in enumerate(following)
              if each.line == block.line)
    told = json.loads(following[at + 1].text)

    assert re.fullmatch("WGW_[0-9a-f-]{36}", answer.pop("trackingId"))
    assert re.fullmatch("WGW_[0-9a-f-]{36}", told.pop("trackingId"))
    assert answer == told


# Redis

def acl_line():
    return next(block.text for block in page("docs/fleet.md").blocks
                if "ACL SETUSER" in block.text)


def test_the_rights_are_those_of_the_tests():
    rights = acl_line().partition("resetchannels ")[2].replace("'", "")

    assert rights.strip() == RIGHTS


def test_a_user_as_documented(documented, redis, tmp_path):
    """The line makes a user whom the block may use."""

    fleet = page("docs/fleet.md")
    gateway = documented(next(block.text for block in fleet.blocks
                              if block.language == "nginx"), redis=redis)

    redis.command("ACL", "DELUSER", "gateway")

    shell = Shell(tmp_path / "shell", gateway, redis)
    done = shell.run(acl_line())
    assert done.stdout.strip() == "OK", done.stderr

    conf = gateway.conf
    gateway.conf = conf.replace("wholesale   on;",
                                "wholesale   on;" + LOCATION)
    gateway.start()
    gateway.wait_for(lambda: counters(gateway.send()) == "redis",
                     "Redis to be used")
