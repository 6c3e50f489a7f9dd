# Copyright (C) The wholesale gateway authors

"""What is shipped beside the module agrees with it."""

import hashlib
import json
import re
import subprocess

import pytest

from gateway.nginx import REPOSITORY
from gateway.redis import RIGHTS


MODULE = REPOSITORY / "ngx_wholesale_module/module"
PREPARE = REPOSITORY / "docker/prepare"

# a line may go on in the next one
MAN = (REPOSITORY / "debian/ngx_http_wholesale_module.5").read_text() \
    .replace("\\\n", "")

# a table's element: the name, and what it may stand in
ELEMENT = re.compile(r'\{ ngx_string\("(\w+)"\),\s+(NGX_CONF|NGX_HTTP)_')


def directives():
    """Of http, server, location, and of the blocks."""

    names = {match[1] for path in MODULE.glob("*.c")
             for match in ELEMENT.finditer(path.read_text())}

    assert {"wholesale", "wholesale_ready", "on_failure",
            "refresh_token_file"} <= names

    return names


def variables():
    text = (MODULE / "ngx_http_wholesale_variables.c").read_text()
    names = set(re.findall(r'\{ ngx_string\("(wholesale_\w+)"\), NULL', text))

    assert "wholesale_tenant" in names
    return names


@pytest.mark.parametrize("name", sorted(directives()))
def test_the_man_page_has_the_directive(name):
    assert re.search(rf'^\.BR? (.*[ "])?{name}\b', MAN, re.M)


@pytest.mark.parametrize("name", sorted(variables()))
def test_the_man_page_has_the_variable(name):
    assert re.search(rf"\${name}\b", MAN)


def prepare(folder, *options):
    return subprocess.run((PREPARE, "--folder", folder, *options), text=True,
                          capture_output=True, check=False)


def files(folder):
    return {str(path.relative_to(folder)): path.read_text()
            for path in folder.rglob("*") if path.is_file()}


def test_what_compose_needs_is_prepared(tmp_path):
    token = tmp_path / "token"
    token.write_text("a-token\n")
    folder = tmp_path / "docker"
    folder.mkdir()

    done = prepare(folder, "--token-file", token)
    assert done.returncode == 0, done.stderr

    made = files(folder)
    key = done.stdout.split()[-1]
    password = made["secrets/redis/password"].strip()
    tenants = json.loads(made["secrets/tenants/tenants.json"])["tenants"]

    assert tenants["acme"]["keys"] == [
        "sha256:" + hashlib.sha256(key.encode()).hexdigest()]
    assert made["secrets/webex/access_token"] == "a-token\n"
    assert made[".env"].strip() == ""

    # no more rights than the documents say, and no password beside its file

    assert made["secrets/valkey/users.acl"] == (
        "user default off\n"
        f"user gateway on #{hashlib.sha256(password.encode()).hexdigest()} "
        f"resetchannels {RIGHTS}\n")

    assert (folder / "secrets").stat().st_mode & 0o777 == 0o700

    # what is there is not lost by a second time

    again = prepare(folder, "--sandbox")
    assert again.returncode != 0 and "already" in again.stderr
    assert files(folder) == made


def test_the_sandbox_is_prepared(tmp_path):
    done = prepare(tmp_path, "--sandbox")
    assert done.returncode == 0, done.stderr

    made = files(tmp_path)

    assert "COMPOSE_PROFILES=sandbox" in made[".env"].split()
    assert (made["secrets/sandbox/access_token"]
            == made["secrets/webex/access_token"])


def test_compose_mounts_folders():
    """A file that is mounted by itself is not seen when it is replaced."""

    compose = (REPOSITORY / "docker/compose.yaml").read_text()
    conf = (REPOSITORY / "docker/nginx.conf").read_text()

    assert "file: ./secrets" not in compose

    # where what prepare makes is, and what the configuration names

    mounted = dict(re.findall(r"- \./(secrets/\w+):(\S+):ro", compose))
    named = re.findall(r"(?:_file|_tenants) +(/\S+);", conf)

    assert sorted(named) == sorted([
        mounted["secrets/redis"] + "/password",
        mounted["secrets/tenants"] + "/tenants.json",
        mounted["secrets/webex"] + "/access_token"])


def test_a_token_or_the_sandbox_is_needed(tmp_path):
    assert prepare(tmp_path).returncode == 2

    done = prepare(tmp_path, "--token-file", tmp_path / "none")
    assert done.returncode == 1
    assert done.stderr == f"{tmp_path}/none: No such file or directory\n"

    assert files(tmp_path) == {}
