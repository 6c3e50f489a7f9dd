# Copyright (C) The wholesale gateway authors

"""Mistakes in wholesale_credential, and several of them."""

import shutil

import pytest

from gateway.credentials import (CREDENTIAL, Refreshing, conf, refreshes,
                                 several)
from gateway.gateway import CUSTOMER, CUSTOMERS


@pytest.fixture
def configured(tmp_path, running_sandbox):
    return lambda **options: Refreshing(
        tmp_path / "gateway", running_sandbox, **options)


def test_all_of_it(configured):
    fine, output = configured(credential="""
        refresh_before  12h;
        refresh_wait    250ms;""").test()

    assert fine, output
    assert "[warn]" not in output


@pytest.mark.parametrize("line", (
    "token_endpoint      /_webex/access_token;",
    "client_id           @client_id@;",
    "client_secret_file  client_secret;",
    "refresh_token_file  refresh_token;"))
def test_one_is_missing(configured, line):
    assert line in CREDENTIAL
    fine, output = configured(conf=conf(CREDENTIAL.replace(line, ""))).test()

    assert not fine
    assert f'no "{line.split()[0]}" in wholesale_credential "webex"' in output


@pytest.mark.parametrize("member, words", (
    ("token_endpoint /x;", ("token_endpoint", "duplicate")),
    ("refresh_before 1d; refresh_before 1d;", ("duplicate",)),
    ("refresh_wait 1s; refresh_wait 1s;", ("duplicate",)),
    ("refresh_before soon;", ("invalid value", "refresh_before", "1d")),
    ("refresh_wait 0;", ("invalid value", "refresh_wait", "5s")),
    ("refresh_wait 1s 2s;", ("invalid number of arguments",)),
    ("access_token_file access_token;", ("somebody else renews",)),
    ("refresh_after 1d;", ("unknown directive", "refresh_after"))))
def test_mistakes(configured, member, words):
    fine, output = configured(credential=member).test()

    assert not fine
    for word in words:
        assert word in output


@pytest.mark.parametrize("endpoint", (
    "https://webexapis.com/v1/access_token", '""'))
def test_an_endpoint_that_is_no_path(configured, endpoint):
    fine, output = configured(conf=conf(CREDENTIAL.replace(
        "/_webex/access_token", endpoint))).test()

    assert not fine
    assert "token_endpoint" in output


def test_a_file_that_is_missing_is_told(configured):
    gateway = configured()
    (gateway.folder / "refresh_token").unlink()
    fine, output = gateway.test()

    assert fine
    assert "[warn]" in output
    assert "refresh_token_file" in output


def test_ready_without_tenants(configured):
    fine, output = configured(conf=conf()
                              .replace("wholesale_tenants  tenants.json;", "")
                              .replace("wholesale   on;", "")).test()

    assert not fine
    assert 'no "wholesale_tenants" is defined for "wholesale_ready"' in output


def test_a_zone_that_is_too_small(configured):
    fine, output = configured(http="wholesale_zone 32k;",
                              **several(("one", "two", "three"))).test()

    assert not fine
    assert "has no room for the token" in output


def test_several(refreshing, sandbox):
    """Each tenant's updates go with the token of its own."""

    running = refreshing(**several(("one", "two")), workers=2)

    for name in ("one", "two", "one", "two"):
        assert running.update(tenant=name).status == 202

    one, two, *again = [request.header("Authorization")
                        for request in sandbox.requests
                        if request.method == "PUT"]
    assert one != two
    assert again == [one, two]
    assert len(refreshes(sandbox)) == 2


def test_another_client(refreshing, sandbox):
    """A reload with another client has nothing of the one before."""

    running = refreshing(tolerated=[r"a person has to authorise anew"])
    assert running.update().status == 202

    running.change(client_id="another")
    running.reload()
    running.wait_for(lambda: running.update().status == 503, "the reload")

    running.change(client_id=sandbox.client_id)
    running.reload()
    running.wait_for(lambda: running.update().status == 202, "the reload")

    # of the first one there is nothing left if its workers are gone
    assert len(refreshes(sandbox)) in (2, 3)


def test_room_for_what_is_new(refreshing, sandbox):
    """What no configuration has any more goes; a token more would not fit."""

    running = refreshing(http="wholesale_zone 80k;")
    assert running.update().status == 202

    for i in range(8):
        running.conf = conf().replace("credential webex {",
                                      f"credential webex{i} {{")
        running.write_tenants({"acme": {"credential": f"webex{i}"}})
        running.write_conf()
        running.reload()
        running.wait_for(lambda: running.update().status == 202, "the reload")

    assert "has no room" not in running.log


def test_counters_make_room(refreshing, sandbox):
    running = refreshing(
        http="wholesale_zone 80k;",
        tenants={"acme": {"limits": [
            {"name": "one", "quota": 1, "window": "1d", "per": "customer",
             "dryRun": True}]}})

    with running.connect() as connection:
        for i in range(900):
            connection.send(running.encode_update(
                target=f"{CUSTOMERS}/{CUSTOMER[:-4]}{i:04}"))
            connection.answer("PUT")

    for name in ("one", "two"):
        shutil.copy(running.folder / "client_secret",
                    running.folder / f"{name}_secret")
        shutil.copy(running.folder / "refresh_token",
                    running.folder / f"{name}_token")

    options = several(("one", "two"))
    running.change(credentials=options["credentials"],
                   server=options["server"])
    running.reload()
    assert "has no room" not in running.log
    assert len(running.ready()[1]["credentials"]) == 3
