# Copyright (C) The wholesale gateway authors

"""The catalogue's file: what may be ordered is data, and a reload."""

import json
import signal

import pytest

from gateway import secrets
from gateway.gateway import CONF, REFERENCE, Gateway
from gateway.nginx import REPOSITORY
from gateway.refusal import check_refusal


EXAMPLE = json.loads((
    REPOSITORY / "ngx_wholesale_module/contract/catalogue.json").read_text())

CATALOGUE = "wholesale_catalogue  catalogue.json;"

UNKNOWN_MEMBERS = {"packages": ["webex_calling"], "addressLine": "x",
                   "adress": {"city": 1}}


class Catalogued(Gateway):
    """A gateway with a catalogue: what json.dumps() takes, or a text."""

    def __init__(self, folder, sandbox, catalogue, **options):
        super().__init__(folder, sandbox, http=CATALOGUE, **options)
        self.write_catalogue(catalogue)

    def write_catalogue(self, catalogue):
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "catalogue.json").write_text(
            catalogue if isinstance(catalogue, str)
            else json.dumps(catalogue))


@pytest.fixture
def catalogued(tmp_path, running_sandbox):
    """Makes one; started by the test, and stopped here."""

    made = []

    def make(catalogue, **options):
        made.append(Catalogued(tmp_path / f"gateway{len(made)}",
                               running_sandbox, catalogue, **options))
        return made[-1]

    yield make

    for gateway in made:
        gateway.stop()


def body(*packages, **members):
    return json.dumps({"packages": packages, **members}).encode()


def described(gateway, body):
    document = check_refusal(gateway.update(body=body), 400)
    return {error["pointer"]: error["description"]
            for error in document["errors"]}


def with_packages(**packages):
    return {"packages": {**EXAMPLE["packages"], **packages}}


def test_the_example_is_what_is_built_in(catalogued, sandbox):
    gateway = catalogued(EXAMPLE).start()

    assert gateway.update(body=REFERENCE).status == 202
    assert sandbox.only_request.body == REFERENCE
    assert described(gateway, body("webex_teams")).keys() == {"/packages/0"}


def test_each_part_replaces_what_is_built_in(catalogued, sandbox):
    gateway = catalogued({
        "packages": {"base": {}, "other": {}, "addon": {"needs": ["base"]}},
        "countries": ["US"],
        "requiredAddressMembers": {"US": ["zipOrPostalCode"]},
        "languages": ["en_us"],
        "timezones": ["Mars/Olympus"],
    }).start()

    address = {"addressLine1": "x", "city": "y", "country": "US",
               "zipOrPostalCode": "1"}
    location = {"name": "HQ", "address": address, "language": "en_us",
                "timezone": "Mars/Olympus"}
    right = body("addon", "base", provisioningParameters={
        "calling": {"location": location}})

    assert gateway.update(body=right).status == 202
    assert sandbox.only_request.body == right

    wrong = described(gateway, body(
        "addon", "other", "webex_calling",
        address={**address, "country": "DE"},
        provisioningParameters={"calling": {"location": {
            **location, "language": "en_gb", "timezone": "Europe/Berlin",
            "address": {**address, "zipOrPostalCode": None}}}}))

    place = "/provisioningParameters/calling/location"

    assert list(wrong) == [
        "/packages/0", "/packages/2", "/address/country",
        f"{place}/address/zipOrPostalCode", f"{place}/language",
        f"{place}/timezone"]
    assert "base, other, addon" in wrong["/packages/2"]
    assert sandbox.count == 1


def test_tenants_are_held_to_the_catalogue(catalogued):
    catalogue = with_packages(webex_teams={})
    tenants = {"acme": {"packages": ["webex_teams"]}}

    fine, output = catalogued(catalogue, tenants=tenants).test()
    assert fine, output

    fine, output = catalogued(EXAMPLE, tenants=tenants).test()
    assert not fine
    assert "tenants.acme.packages[0]" in output and "webex_teams" in output


@pytest.mark.parametrize("catalogue, words", (
    ("", ("the catalogue is empty",)),
    ("{\n  \"packages\": nonsense\n}", ("line 2", "nonsense")),
    ("[]", ("has to be a JSON object",)),
    ({"package": {}}, ("\"package\"", "did you mean \"packages\"?",
                       "requiredAddressMembers")),
    (with_packages(addon={"needs": ["webex_teams"]}),
     ("packages.addon.needs[0]: \"webex_teams\"",)),
    (with_packages(addon={"needs": ["webex_calling", "webex_calling"]}),
     ("packages.addon.needs[1]: \"webex_calling\" is here twice",)),
    (with_packages(addon={"need": []}), ("packages.addon.need:",)),
    ({"countries": ["US", "USA"]}, ("countries[1]: \"USA\"",)),
    ({"requiredAddressMembers": {"US": ["city"]}},
     ("requiredAddressMembers.US[0]: \"city\"",)),
    ({"languages": ["en us"]}, ("languages[0]: \"en us\"",)),
    ({"timezones": ["Los Angeles"]}, ("timezones[0]: \"Los Angeles\"",)),
), ids=lambda value: "" if isinstance(value, tuple) else repr(value)[-40:])
def test_a_bad_one_is_found_before_it_is_used(catalogued, catalogue, words):
    fine, output = catalogued(catalogue).test()

    assert not fine
    assert "[emerg]" in output and "catalogue.json" in output
    for word in words:
        assert word in output, output


def test_each_mistake_is_told(catalogued):
    fine, output = catalogued({
        "countries": ["x"] * 60, "languages": ["a b"], "zones": []}).test()
    lines = [line for line in output.splitlines()
             if "catalogue.json\":" in line]

    assert not fine
    assert len(lines) == 62
    for i in range(60):
        assert f"countries[{i}]: \"x\" is not two letters" in output


def test_one_that_is_not_there(catalogued):
    gateway = catalogued(EXAMPLE)
    (gateway.folder / "catalogue.json").unlink()
    fine, output = gateway.test()

    assert not fine
    assert "catalogue.json" in output and "No such file" in output


def test_only_one(catalogued):
    gateway = catalogued(EXAMPLE, conf=CONF.replace(
        "@http@", f"@http@\n{CATALOGUE}"))
    fine, output = gateway.test()

    assert not fine
    assert "wholesale_catalogue" in output and "duplicate" in output


def test_a_new_package_is_a_line_and_a_reload(catalogued, sandbox):
    gateway = catalogued(EXAMPLE).start()
    ordered = body("webex_calling", "webex_teams")

    assert "/packages/1" in described(gateway, ordered)
    assert sandbox.count == 0

    gateway.write_catalogue(with_packages(webex_teams={}))
    gateway.reload()

    assert gateway.update(body=ordered).status == 202
    assert sandbox.only_request.body == ordered


@pytest.mark.parametrize("broken", (
    "", "{", {"packages": {}}, {"packages": {"a": {"needs": ["b"]}}},
    {"countries": ["USA"]}), ids=repr)
def test_a_broken_one_leaves_the_old_one(catalogued, broken):
    gateway = catalogued(with_packages(webex_teams={}),
                         tolerated=[r"\[emerg\]"]).start()
    workers = len(gateway.workers())

    gateway.write_catalogue(broken)
    gateway.process.send_signal(signal.SIGHUP)
    gateway.wait_for(lambda: "[emerg]" in gateway.log, "the complaint")

    assert gateway.update(body=body("webex_teams")).status == 202
    assert "/packages/0" in described(gateway, body("webex_caling"))
    assert len(gateway.workers()) == workers

    gateway.write_catalogue(EXAMPLE)
    gateway.reload()
    assert "/packages/0" in described(gateway, body("webex_teams"))


def test_unknown_members_pass(the_gateway, sandbox):
    update = json.dumps(UNKNOWN_MEMBERS).encode()

    assert the_gateway.update(body=update).status == 202
    assert sandbox.only_request.body == update


def test_unknown_members_may_be_refused(gateway, sandbox):
    strict = gateway(location="wholesale_unknown_fields  reject;")
    problems = described(strict, json.dumps(UNKNOWN_MEMBERS).encode())

    assert list(problems) == ["/addressLine", "/adress"]
    assert problems["/adress"].endswith("did you mean \"address\"?")
    assert "did you mean" not in problems["/addressLine"]
    assert sandbox.count == 0

    assert strict.update(body=REFERENCE).status == 202


@pytest.mark.parametrize("directive", ("wholesale_catalogue",
                                       "wholesale_tenants"))
def test_a_secret_that_was_named_by_mistake_is_not_repeated(
        tmp_path, running_sandbox, directive):
    conf = CONF.replace("wholesale_tenants  tenants.json;", "") \
        if directive == "wholesale_tenants" else CONF

    running = Gateway(tmp_path / "gateway", running_sandbox, conf=conf,
                      http=f"{directive}  access_token;")
    fine, output = running.test()

    assert not fine
    assert 'access_token": ' in output
    assert secrets.MARK not in output
