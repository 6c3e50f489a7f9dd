# Copyright (C) The wholesale gateway authors

"""Step 2: a client certificate names a tenant, if nginx has verified it."""

import hashlib
import ssl
import subprocess

import pytest

from gateway import http1, http2
from gateway.gateway import CUSTOMER, CUSTOMERS, REFERENCE
from gateway.nginx import version
from gateway.refusal import check_401, check_refusal
from gateway.test_dry_run import LOG, LOGGED, line_of


TARGET = f"{CUSTOMERS}/{CUSTOMER}"

SERVER = LOGGED + """
    ssl_certificate         @certificates@/server.pem;
    ssl_certificate_key     @certificates@/server.key;
    ssl_client_certificate  @certificates@/ca.pem;

    # what was not verified is refused by nginx, or comes to us
    listen             127.0.0.1:@tls_port@ ssl @http2_over_tls@;
    ssl_verify_client  @verify@;
"""


class Certificates:
    """What openssl makes of them; "ca" has signed all but the stranger's."""

    def __init__(self, folder):
        self.folder = folder

        self.self_signed("ca", "-addext", "keyUsage=critical,keyCertSign")
        self.self_signed("stranger")

        for name in ("server", "acme", "bolt", "closed", "unknown"):
            self.signed(name)

    def openssl(self, *arguments):
        subprocess.run(("openssl", *arguments), cwd=self.folder, check=True,
                       stdin=subprocess.DEVNULL, capture_output=True)

    def self_signed(self, name, *extensions):
        self.openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
            f"{name}.key", "-out", f"{name}.pem", "-days", "30", "-subj",
            f"/CN={name}", *extensions)

    def signed(self, name):
        self.openssl(
            "req", "-new", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
            f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        self.openssl(
            "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey",
            "ca.key", "-CAcreateserial", "-days", "30", "-out", f"{name}.pem")

    def digest(self, name):
        """As the tenants file has it."""

        der = ssl.PEM_cert_to_DER_cert(
            (self.folder / f"{name}.pem").read_text())
        return "sha256:" + hashlib.sha256(der).hexdigest()

    def context(self, name, *protocols):
        """A client's, with this certificate; None: with none."""

        context = ssl.create_default_context(
            cafile=self.folder / "ca.pem")
        context.check_hostname = False

        if name is not None:
            context.load_cert_chain(self.folder / f"{name}.pem",
                                    self.folder / f"{name}.key")
        if protocols:
            context.set_alpn_protocols(protocols)

        return context


class Http2(http2.Connection):
    """HTTP/2 over TLS."""

    def __init__(self, port, context):
        self.context = context
        super().__init__(port)

    def flush(self):
        if not isinstance(self.socket, ssl.SSLSocket):
            self.socket = self.context.wrap_socket(self.socket)
            assert self.socket.selected_alpn_protocol() == "h2"

        super().flush()


class Client:
    """Sends updates to a gateway, with a certificate and with keys."""

    def __init__(self, gateway, certificates):
        self.gateway = gateway
        self.certificates = certificates

    def headers(self, key):
        """key: the name of a tenant, or a key; None: none."""

        if key is not None:
            key = f"Bearer {self.gateway.keys.get(key, key)}"

        return self.gateway.headers({"Authorization": key})

    def update(self, certificate, key=None):
        with http1.Connection(
                self.gateway.ports["tls_port"],
                self.certificates.context(certificate)) as connection:
            return connection.request("PUT", TARGET, self.headers(key),
                                      REFERENCE)

    def update_http2(self, certificate, key=None):
        headers = [(name, value) for name, value in self.headers(key)
                   if name != "Host"]

        with Http2(self.gateway.ports["tls_port"], self.certificates.context(
                certificate, "h2")) as connection:
            return connection.request("PUT", TARGET, headers, REFERENCE)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def start(module_gateway, certificates):
    def start(verify):
        return Client(module_gateway(
            http=LOG, server=SERVER, verify=verify,
            certificates=certificates.folder,
            http2_over_tls="http2" if version() < (1, 25, 1) else "",
            tenants={
                "acme": {"certificates": [certificates.digest("acme")]},
                # trusted by nobody: by its digest alone it is no tenant's
                "bolt": {"certificates": [certificates.digest("bolt"),
                                          certificates.digest("stranger")]},
                "closed": {"certificates": [certificates.digest("closed")],
                           "enabled": False},
                "bare": {"keys": [],
                         "certificates": ["sha256:" + "0" * 64]},
            }), certificates)

    return start


@pytest.fixture(scope="module")
def client(start):
    return start("optional")


@pytest.fixture(scope="module")
def lenient(start):
    """Takes certificates that nobody has verified."""

    return start("optional_no_ca")


@pytest.fixture(params=("update", "update_http2"))
def update(request, client):
    return getattr(client, request.param)


def reason(client, update, *arguments):
    answer = update(*arguments)
    check_401(answer)
    line = line_of(client.gateway, answer)

    assert (line["tenant"], line["outcome"]) == ("", "unauthenticated")
    return line["reason"]


@pytest.mark.parametrize("tenant", ("acme", "bolt"))
def test_a_certificate(client, update, sandbox, tenant):
    answer = update(tenant)

    assert answer.status == 202
    assert line_of(client.gateway, answer)["tenant"] == tenant
    assert sandbox.only_request.body == REFERENCE


def test_the_certificate_stays_here(client, sandbox):
    client.update("acme")

    assert b"CERTIFICATE" not in sandbox.only_request.bytes
    assert sandbox.only_request.header("Authorization") \
        == f"Bearer {sandbox.read_secret('access_token')}"


def test_of_a_disabled_tenant(client, update, sandbox):
    check_refusal(update("closed"), 403)
    assert sandbox.count == 0


def test_none(client, update, sandbox):
    assert reason(client, update, None) == "no_key"
    assert sandbox.count == 0
    assert update(None, "acme").status == 202


def test_one_that_nobody_knows(client, update, sandbox):
    """Verified, but in no tenant's list: it says nothing."""

    assert reason(client, update, "unknown") == "no_key"
    assert sandbox.count == 0

    answer = update("unknown", "bolt")
    assert answer.status == 202
    assert line_of(client.gateway, answer)["tenant"] == "bolt"


def test_with_a_key_of_the_same_tenant(client, update, sandbox):
    assert update("acme", "acme").status == 202
    assert client.gateway.keys["acme"].encode() \
        not in sandbox.only_request.bytes


@pytest.mark.parametrize("certificate, key", (
    ("acme", "bolt"), ("bolt", "acme"), ("acme", "closed"),
    ("closed", "acme")))
def test_with_a_key_of_another_tenant(client, update, sandbox, certificate,
                                      key):
    assert reason(client, update, certificate, key) == "two_tenants"
    assert sandbox.count == 0


def test_with_a_wrong_key(client, update, sandbox):
    assert reason(client, update, "acme", "wrong") == "unknown_key"
    assert sandbox.count == 0


def test_the_refusals_do_not_differ(client):
    answers = [client.update(*arguments) for arguments in (
        (None,), (None, "wrong"), ("unknown",), ("acme", "wrong"),
        ("acme", "bolt"))]
    documents = [check_401(answer) for answer in answers]

    for document in documents:
        del document["trackingId"]

    assert all(document == documents[0] for document in documents)


def test_one_that_nginx_refuses(client, sandbox):
    """Signed by somebody else: nginx answers, whatever the key."""

    for key in (None, "bolt"):
        document = check_refusal(client.update("stranger", key), 400)
        assert "client certificate" in document["message"]

    assert sandbox.count == 0


@pytest.mark.parametrize("form", ("update", "update_http2"))
def test_one_that_nobody_has_verified(lenient, sandbox, form):
    """Its digest stands in the tenants file, and does not count."""

    update = getattr(lenient, form)

    assert reason(lenient, update, "stranger") == "no_key"
    assert sandbox.count == 0

    # neither for somebody nor against
    assert update("stranger", "acme").status == 202
    assert update("acme").status == 202


def test_without_asking_for_one(start, sandbox):
    client = start("off")

    assert reason(client, client.update, "acme") == "no_key"
    assert sandbox.count == 0
    assert client.update("acme", "bolt").status == 202


def test_over_cleartext(client, sandbox):
    check_401(client.gateway.update({"Authorization": None}))
    assert sandbox.count == 0
