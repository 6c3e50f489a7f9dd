# Copyright (C) The wholesale gateway authors

"""The command that makes a key."""

import base64
import hashlib
import os
import re
import ssl
import subprocess

import pytest

from gateway import secrets
from gateway.nginx import REPOSITORY


COMMAND = REPOSITORY / "ngx_wholesale_module/tenants/wholesale-key"

LINE = re.compile('"sha256:([0-9a-f]{64})"')

PRINTED = re.compile('key:   ([A-Za-z0-9_-]{43})\n'
                     'line:  "(sha256:[0-9a-f]{64})"\n')


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "temporary"
    folder.mkdir()

    def run(*arguments, text=b""):
        done = subprocess.run(
            (COMMAND, *arguments), input=text, capture_output=True,
            env={"PATH": os.defpath, "TMPDIR": str(folder)}, cwd=tmp_path)

        # nothing stays behind, whatever the end
        assert list(folder.iterdir()) == []
        return done

    return run


@pytest.fixture
def new_key(run):
    def new_key():
        done = run()
        assert (done.returncode, done.stderr) == (0, b"")

        return PRINTED.fullmatch(done.stdout.decode()).groups()

    return new_key


def line(done):
    assert (done.returncode, done.stderr) == (0, b"")

    return LINE.fullmatch(done.stdout.decode().removesuffix("\n"))[1]


def test_a_key(new_key):
    key, digest = new_key()

    assert len(base64.urlsafe_b64decode(key + "=")) == 32
    assert digest == secrets.digest(key)


def test_another_one_each_time(new_key):
    assert len({new_key()[0] for _ in range(20)}) == 20


def test_it_opens_the_gateway(gateway, new_key, sandbox):
    keys = [new_key() for _ in range(2)]
    running = gateway(tenants={"acme": {
        "keys": [digest for _, digest in keys]}})

    for key, _ in keys:
        for headers in ({"Authorization": f"Bearer {key}"},
                        {"Authorization": None, "X-API-Key": key}):
            assert running.update(headers).status == 202

    assert sandbox.count == 4

    # and it alone
    for key, digest in keys:
        for wrong in (key[:-1], key + "=", key.swapcase(), digest):
            assert running.update(
                {"Authorization": f"Bearer {wrong}"}).status == 401


@pytest.mark.parametrize("key", (
    "key", "a" * 512, "with blanks in it ", " at both ends ", "back\\slash\\n",
    "%s%d", "-n", "$HOME`id`", "'\"", "\xe4\u20ac"))
def test_the_line_of_a_key(run, key):
    for end in (b"", b"\n"):
        assert line(run("-", text=key.encode() + end)) \
            == hashlib.sha256(key.encode()).hexdigest()


def test_the_line_of_a_key_that_it_made(run, new_key):
    key, digest = new_key()

    assert "sha256:" + line(run("-", text=key.encode())) == digest


def test_no_key_has_no_line(run):
    done = run("-")

    assert done.returncode != 0
    assert not LINE.search(done.stdout.decode())


def test_the_line_of_a_certificate(run, tmp_path):
    subprocess.run(
        ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "own.key",
         "-out", "own one.pem", "-days", "30", "-subj", "/CN=acme"),
        cwd=tmp_path, check=True, capture_output=True)
    text = (tmp_path / "own one.pem").read_text()

    assert line(run("-c", "own one.pem")) == hashlib.sha256(
        ssl.PEM_cert_to_DER_cert(text)).hexdigest()

    # openssl prints what it is before it
    (tmp_path / "told.pem").write_text(f"subject=CN = acme\n\n{text}")
    assert line(run("-c", "told.pem")) == line(run("-c", "own one.pem"))


def test_what_is_no_certificate(run, tmp_path):
    (tmp_path / "empty.pem").write_text("")
    (tmp_path / "text.pem").write_text("text")

    for arguments in (("-c",), ("-c", "nowhere.pem"), ("-c", "empty.pem"),
                      ("-c", "text.pem"), ("-c", ".")):
        done = run(*arguments)

        assert done.returncode != 0
        assert not LINE.search(done.stdout.decode())
        assert done.stderr


@pytest.mark.parametrize("argument", ("-h", "--help", "key", "-x"))
def test_how_it_is_used(run, argument):
    done = run(argument)

    assert (done.returncode, done.stdout) == (2, b"")

    for word in (b"wholesale-key -c FILE", b"rotate", b"reload"):
        assert word in done.stderr
