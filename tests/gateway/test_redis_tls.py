# Copyright (C) The wholesale gateway authors

"""Redis over TLS: nobody is trusted whose certificate is not right."""

import re

import pytest

from gateway.redis import LOCATION, Redis, counters, trouble, wait_until_used
from gateway.redis_proxy import RedisProxy
from sandbox import certificate

MANY = {"acme": {"limits": [{"name": "many", "quota": 100000,
                             "window": "1h"}]}}

# OpenSSL's own words are for these tests; they are no trouble of nginx's
TOLERATED = (r"SSL_(do_handshake|read)\(\) failed",)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    certificate.make(folder)

    for name in ("client", "stranger"):
        certificate.openssl(
            folder, "req", "-x509", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
            "-keyout", f"{name}.key", "-out", f"{name}.pem",
            "-subj", f"/CN={name}")

    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory, certificates):
    """Also listens with TLS, at tls_port, and wants a client's certificate
    if one is sent."""

    with RedisProxy() as free:
        port = free.port

    redis = Redis(
        tmp_path_factory.mktemp("redis"), "--tls-port", str(port),
        "--tls-cert-file", certificates / "webexapis.pem",
        "--tls-key-file", certificates / "webexapis.key",
        "--tls-ca-cert-file", certificates / "client.pem",
        "--tls-auth-clients", "optional")

    redis.tls_port = port
    redis.start()
    yield redis
    redis.stop()


@pytest.fixture
def start(gateway, server, certificates):
    def start(*directives, port=server.tls_port, ssl="ssl on",
              trusted="ca.pem"):
        return gateway(
            http=server.block(
                "timeout 500ms", ssl, *directives,
                *([f"ssl_trusted_certificate {certificates}/{trusted}"]
                  if trusted else []),
                server=f"127.0.0.1:{port}"),
            location=LOCATION, tenants=MANY, tolerated=TOLERATED)

    return start


@pytest.mark.parametrize("directives", (
    (), ("ssl_name webexapis.com",), ("ssl_name localhost",)))
def test_right(start, directives):
    wait_until_used(start(*directives))


def test_not_verified_if_told_so(start):
    wait_until_used(start("ssl_verify off", trusted=None))


@pytest.mark.parametrize("directives,trusted,said", (
    ((), "stranger.pem", "self-signed|unable to get"),
    ((), None, "self-signed|unable to get"),
    (("ssl_name wrong.test",), "ca.pem", "(?i)hostname mismatch"),
    (("ssl_name 127.0.0.2",), "ca.pem", "IP address mismatch")))
def test_wrong(start, directives, trusted, said):
    running = start(*directives, trusted=trusted)
    running.wait_for(lambda: trouble(running), "a refusal")

    assert counters(running.update()) == "local"
    assert re.search(said, trouble(running)[0]), trouble(running)


def test_plain_where_tls_is_spoken(gateway, server):
    running = gateway(
        http=server.block(server=f"127.0.0.1:{server.tls_port}"),
        location=LOCATION, tenants=MANY)

    running.wait_for(lambda: trouble(running), "a refusal")
    assert counters(running.update()) == "local"


def test_tls_where_plain_is_spoken(start, server):
    running = start(port=server.port)

    running.wait_for(lambda: trouble(running), "a refusal")
    assert counters(running.update()) == "local"


def test_a_client_certificate(start, server, certificates):
    server.command("CONFIG", "SET", "tls-auth-clients", "yes")

    try:
        running = start()
        running.wait_for(lambda: trouble(running), "a refusal")
        assert counters(running.update()) == "local"

        wait_until_used(start(
            f"ssl_certificate {certificates}/client.pem",
            f"ssl_certificate_key {certificates}/client.key"))
    finally:
        server.command("CONFIG", "SET", "tls-auth-clients", "optional")


def test_a_black_hole_in_the_handshake(gateway, server, certificates):
    with RedisProxy() as proxy:
        running = gateway(
            http=server.block(
                "timeout 80ms", "ssl on",
                f"ssl_trusted_certificate {certificates}/ca.pem",
                server=proxy.server),
            location=LOCATION, tenants=MANY)

        assert counters(running.update()) == "local"
        running.stop()


def test_cut_somewhere(start, server):
    with RedisProxy(server.tls_port) as proxy:
        running = start(port=proxy.port)
        wait_until_used(running)

        for bytes in range(1, 2400, 600):
            proxy.cut = bytes
            proxy.drop()
            running.wait_for(
                lambda: running.update().status == 202 and proxy.cut is None,
                "the cut")
            wait_until_used(running)
