# Copyright (C) The wholesale gateway authors

"""Mistakes in wholesale_credential, and several of them."""

import shutil

import pytest

from gateway.credentials import (CREDENTIAL, STATIC, Refreshing, conf,
                                 refreshes, several)
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


TWICE = '"refresh_token_file" of wholesale_credential "two" is a file of'


def test_two_with_one_refresh_token(configured):
    """Each would kill the other's."""

    fine, output = configured(credentials=CREDENTIAL
                              .replace("credential webex", "credential two")
                              .replace("@credential@", "")).test()

    assert not fine
    assert TWICE in output


@pytest.mark.parametrize("link", ("symlink_to", "hardlink_to"))
def test_two_with_one_refresh_token_by_a_link(configured, link):
    gateway = configured(credentials=CREDENTIAL
                         .replace("credential webex", "credential two")
                         .replace("refresh_token;", "other_token;")
                         .replace("@credential@", ""))
    getattr(gateway.folder / "other_token", link)(
        gateway.folder / "refresh_token")
    fine, output = gateway.test()

    assert not fine
    assert TWICE in output


def test_two_with_one_refresh_token_that_is_missing(configured):
    """It comes later, and then it is the same one."""

    gateway = configured(credentials=CREDENTIAL
                         .replace("credential webex", "credential two")
                         .replace("  refresh_token;",
                                  "  ../gateway/refresh_token;")
                         .replace("@credential@", ""))
    (gateway.folder / "refresh_token").unlink()
    fine, output = gateway.test()

    assert not fine
    assert TWICE in output


@pytest.mark.parametrize("name", ("webex", "two"))
@pytest.mark.parametrize("old, new", (
    ("client_secret;", "refresh_token;"),
    ("refresh_token;", "client_secret;")))
def test_a_refresh_token_over_a_secret(configured, name, old, new):
    """A new one would be written there."""

    if name == "webex":
        options = {"conf": conf(CREDENTIAL.replace(f"  {old}", f"  {new}"))}
    else:
        other = {"client_secret;": "refresh_token_file  other;",
                 "refresh_token;": "client_secret_file  other;"}[old]
        options = {"credentials": CREDENTIAL
                   .replace("credential webex", "credential two")
                   .replace(f"{other.split()[0]}  {new}", other)
                   .replace(f"  {old}", f"  {new}")
                   .replace("@credential@", "")}

    fine, output = configured(**options).test()

    assert not fine
    assert '"refresh_token_file" is for itself alone' in output


# the location of the token endpoint

ENDPOINT = "location = /_webex/access_token {"


@pytest.mark.parametrize("old, new, words", (
    (ENDPOINT, "location = /_webex/other {", "is not the path"),
    (ENDPOINT, "location ~ /_webex/access_token {", "is not the path"),
    (ENDPOINT, "location @endpoint {", "is not the path"),
    ("internal;", "", 'is a location that is not "internal"'),
    ("proxy_pass  @token_pass@;", "", 'is a location without a "proxy_pass"'),
    ("internal;", "internal; wholesale on;", 'with "wholesale on"')))
@pytest.mark.parametrize("page", (True, False))
def test_the_endpoints_location(configured, old, new, words, page):
    """Of each server that is guarded or has a readiness page."""

    text = conf()
    assert text.count(old) == 1
    text = text.replace(old, new)

    if page:
        text = text.replace("wholesale   on;", "")
    else:
        text = text.replace("wholesale_ready;", "return 200;")

    fine, output = configured(conf=text, token_pass="http://webex").test()

    assert not fine
    assert words in output
    assert "location = /_webex/access_token { internal;" in output
    assert "nginx.conf:" in output


@pytest.mark.parametrize("location", (
    ENDPOINT, "location /_webex/access_token {",
    "location ^~ /_webex/access_token {",
    "location /_webex/ { " + ENDPOINT))
def test_other_locations_of_the_endpoint(configured, location):
    text = conf().replace(ENDPOINT, location)

    if location.count("{") == 2:
        text = text.replace("@token_pass@;", "@token_pass@; }")

    fine, output = configured(conf=text).test()
    assert fine, output


def test_a_server_that_needs_no_endpoint(configured):
    fine, output = configured(http="""
        server {
            listen  127.0.0.1:@other_port@;

            location / {
                proxy_pass  http://webex;
            }
        }
    """).test()

    assert fine, output


def test_a_server_without_the_endpoint(configured):
    """Each server needs it: an internal location is of one only."""

    fine, output = configured(http="""
        server {
            listen  127.0.0.1:@other_port@;

            location / {
                proxy_pass  http://webex;
            }

            location = /ready {
                wholesale_ready;
            }
        }
    """).test()

    assert not fine
    assert "is not the path of any location" in output


INTERCEPTED = "error_page 401 404 /page; proxy_intercept_errors on;"


@pytest.mark.parametrize("where", ("http", "server", "location"))
def test_an_error_page_instead_of_the_rejection(configured, where):
    """nginx would not let anybody see that Webex rejects the token."""

    fine, output = configured(**{where: INTERCEPTED}).test()

    assert not fine
    assert 'with "proxy_intercept_errors on" in the guarded location' \
        in output


@pytest.mark.parametrize("location", (
    "error_page 404 /page; proxy_intercept_errors on;",
    "error_page 401 404 /page;",
    "proxy_intercept_errors on;"))
def test_other_error_pages(configured, location):
    fine, output = configured(location=location).test()
    assert fine, output


def test_an_error_page_with_a_static_token(configured):
    """It is nobody's to refresh."""

    fine, output = configured(conf=conf(STATIC), location=INTERCEPTED).test()
    assert fine, output


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
        http="wholesale_zone 112k;",
        tenants={"acme": {"limits": [
            {"name": "one", "quota": 1, "window": "1d", "per": "customer",
             "dryRun": True}]}})

    for i in range(3):
        with running.connect() as connection:
            for k in range(500):
                connection.send(running.encode_update(
                    target=f"{CUSTOMERS}/{CUSTOMER[:-4]}{i}{k:03}"))
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
