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
