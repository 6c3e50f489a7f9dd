# Copyright (C) The wholesale gateway authors

"""nginx -t tells of every mistake, and where it is."""

import pytest

from gateway.gateway import CONF, Gateway


@pytest.fixture
def configured(tmp_path, running_sandbox):
    return lambda conf=CONF, **options: Gateway(
        tmp_path / "gateway", running_sandbox, conf=conf, **options)


def without(*lines):
    conf = CONF

    for line in lines:
        assert line in conf
        conf = conf.replace(line, "")

    return conf


def check_mistake(gateway, *words):
    fine, output = gateway.test()

    assert not fine
    for word in words:
        assert word in output, output


def test_the_usual_one(configured):
    fine, output = configured().test()

    assert fine, output
    assert "test is successful" in output


def test_guarded_without_tenants(configured):
    check_mistake(configured(without("wholesale_tenants  tenants.json;")),
                  "[emerg]", "wholesale_tenants")


def test_a_file_of_tenants_that_is_not_there(configured):
    gateway = configured()
    (gateway.folder / "tenants.json").unlink()
    check_mistake(gateway, "[emerg]", "tenants.json", "No such file")


def test_a_file_of_tenants_that_is_no_json(configured):
    gateway = configured()
    (gateway.folder / "tenants.json").write_text('{\n  "tenants": nonsense\n}')
    check_mistake(gateway, "[emerg]", "tenants.json", "line 2")


def test_mistakes_in_the_tenants(configured):
    check_mistake(
        configured(tenants={
            "acme": {"limits": [{"name": "a", "rate": "10/x"}]},
            "bolt": {"plan": "nowhere"}}),
        "[emerg]", "tenants.json", "tenants.acme.limits[0].rate", "10/x",
        "tenants.bolt.plan", "nowhere")


def test_a_credential_that_is_not_there(configured):
    check_mistake(configured(tenants={"acme": {"credential": "other"}}),
                  "[emerg]", "acme", "other")


@pytest.mark.parametrize("directive", (
    "wholesale_max_body  x;", "wholesale_max_body  1k 2k;",
    "wholesale  maybe;"))
def test_directives_of_a_location(configured, directive):
    conf = CONF

    if directive.startswith("wholesale "):
        conf = without("wholesale   on;")

    check_mistake(configured(conf, location=directive), "[emerg]",
                  directive.split()[0], "nginx.conf:")


@pytest.mark.parametrize("directive", (
    "wholesale_zone  x;", "wholesale_zone  1;",
    "wholesale_tenants  again.json;",
    "wholesale_credential  webex { access_token_file  other; }",
    "wholesale_credential  other { }",
    "wholesale_credential  other { nonsense  x; }",
    "wholesale_credential  other { access_token_file  a b; }"))
def test_directives_of_http(configured, directive):
    check_mistake(configured(http=directive), "[emerg]", "nginx.conf:")


def test_directives_in_the_wrong_place(configured):
    check_mistake(configured(location="wholesale_tenants  tenants.json;"),
                  "[emerg]", "wholesale_tenants", "not allowed here")


def test_a_token_that_is_not_there_yet(configured):
    """It may come later."""

    gateway = configured()
    (gateway.folder / "access_token").unlink()
    fine, output = gateway.test()

    assert fine, output
    assert "[warn]" in output and "access_token" in output


# an update may be sent to one peer only, and once

GUARDED = """
    location /other/v1/wholesale/ {{
        wholesale   on;
        {}
    }}
"""

ELSEWHERE = "set $where webex; proxy_pass http://$where;"


@pytest.mark.parametrize("lines", (
    "proxy_pass http://webex;", ELSEWHERE,
    "proxy_pass http://webex; proxy_next_upstream error;",
    "if ($arg_x) { proxy_pass http://webex; }"))
def test_an_update_that_may_be_sent_twice(configured, lines):
    check_mistake(
        configured(server=GUARDED.format(lines)), "[emerg]",
        'may send an update twice: it needs "proxy_next_upstream off"',
        '"/other/v1/wholesale/"', "nginx.conf:")


@pytest.mark.parametrize("where", ("http", "server", "location"))
@pytest.mark.parametrize("lines", ("proxy_pass http://webex;", ELSEWHERE))
def test_an_update_that_is_sent_once(configured, where, lines):
    options = {"http": "", "server": "", "location": "",
               where: "proxy_next_upstream off;"}
    options["server"] += GUARDED.format(lines)

    if where == "location":
        options["server"] = GUARDED.format(options["location"] + lines)
        options["location"] = ""

    fine, output = configured(**options).test()
    assert fine, output


def test_guarded_locations_without_an_upstream(configured):
    fine, output = configured(server="""
        wholesale   on;

        location /page/ { return 204; }
        location /files/ { root html; }
        location /not-guarded/ { wholesale off; proxy_pass http://webex; }
    """).test()

    assert fine, output
