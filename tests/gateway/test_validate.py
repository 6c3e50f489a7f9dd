# Copyright (C) The wholesale gateway authors

"""Step 6: what is wrong with an update is said here, and not by Webex."""

import copy
import json

import pytest

from gateway.gateway import REFERENCE
from gateway.refusal import check_refusal


UPDATE = json.loads(REFERENCE)


def pointers(document):
    return [error.get("pointer") for error in document["errors"]]


def changed(pointer, value):
    """The reference update with another value at one place."""

    update = copy.deepcopy(UPDATE)
    *path, last = pointer[1:].split("/")
    place = update

    for name in path:
        place = place[name]

    place[int(last) if isinstance(place, list) else last] = value
    return json.dumps(update).encode()


def check_invalid(gateway, sandbox, body):
    document = check_refusal(gateway.update(body=body), 400)

    assert sandbox.count == 0
    assert document["errors"]
    return document


@pytest.mark.parametrize("body", (
    b"nonsense", b"{", b"}", b'{"packages":["webex_calling"]',
    b'{"packages":["webex_calling"]}}', b'{"packages":["webex_calling"]} x',
    b"{'packages':['webex_calling']}", b'{"packages":["webex_calling",]}',
    b'{"packages":["webex_calling"]} {}',
    b'\xef\xbb\xbf{"packages":["webex_calling"]}',
    b'{"packages":["webex_calling"],"externalId":"\xff"}',
    b'{"packages":["webex_calling"],"externalId":"\xc0\xaf"}',
    b'{"packages":["webex_calling"],"externalId":"\\ud800"}',
    b'{"packages":["webex_calling"],"externalId":"a\nb"}',
    b'{"packages":["webex_calling"]}\0',
    b"[" * 65536,
), ids=lambda body: repr(body[:40]))
def test_what_is_not_json(the_gateway, sandbox, body):
    check_invalid(the_gateway, sandbox, body)


@pytest.mark.parametrize("body", (
    b"[]", b'"text"', b"1", b"null", b"true", b'[{"packages":[]}]'))
def test_what_is_not_an_object(the_gateway, sandbox, body):
    check_invalid(the_gateway, sandbox, body)


@pytest.mark.parametrize("body", (
    b'{"packages":["webex_calling"],"packages":["webex_meetings"]}',
    b'{"packages":["webex_calling"],"x":{"a":[{"b":1,"b":2}]}}'))
def test_doubled_members(the_gateway, sandbox, body):
    check_invalid(the_gateway, sandbox, body)


def test_too_deep(the_gateway, sandbox):
    body = b'{"packages":["webex_calling"],"x":%b%b}'

    check_invalid(the_gateway, sandbox, body % (b"[" * 16, b"]" * 16))
    assert the_gateway.update(
        body=body % (b"[" * 15, b"]" * 15)).status == 202


@pytest.mark.parametrize("body", (b"{}", b'{"packages":null}'))
def test_packages_are_required(the_gateway, sandbox, body):
    document = check_invalid(the_gateway, sandbox, body)
    assert pointers(document) == ["/packages"]


@pytest.mark.parametrize("value", ({}, "webex_calling", 1, True, []))
def test_packages_are_a_list(the_gateway, sandbox, value):
    document = check_invalid(the_gateway, sandbox,
                             changed("/packages", value))
    assert pointers(document) == ["/packages"]


@pytest.mark.parametrize("value", (
    "webex_caling", "WEBEX_CALLING", "", 1, None, ["webex_calling"]))
def test_a_wrong_package(the_gateway, sandbox, value):
    document = check_invalid(the_gateway, sandbox,
                             changed("/packages/1", value))
    assert pointers(document) == ["/packages/1"]


def test_a_near_miss_is_met_with_a_suggestion(the_gateway, sandbox):
    document = check_invalid(the_gateway, sandbox,
                             changed("/packages/1", "webex_caling"))
    description, = (error["description"] for error in document["errors"])

    assert "packages[1]" in description
    assert "webex_caling" in description
    assert "webex_calling" in description


STRINGS = [
    "/externalId", "/subPartnerAdminEmail",
    "/provisioningParameters/meetings/timezone",
    *(f"/provisioningParameters/calling/location/{name}" for name in (
        "name", "timezone", "language", "emergencyLocationIdentifier")),
    *(f"{address}/{name}"
      for address in ("/address",
                      "/provisioningParameters/calling/location/address")
      for name in ("addressLine1", "addressLine2", "city", "stateOrProvince",
                   "zipOrPostalCode", "country")),
]

OBJECTS = [
    "/address", "/provisioningParameters", "/provisioningParameters/calling",
    "/provisioningParameters/meetings",
    "/provisioningParameters/calling/location",
    "/provisioningParameters/calling/location/address",
]


@pytest.mark.parametrize("pointer", STRINGS)
def test_strings(the_gateway, sandbox, pointer):
    for value in (1, True, {}, ["x"]):
        document = check_invalid(the_gateway, sandbox,
                                 changed(pointer, value))
        assert pointers(document) == [pointer]


@pytest.mark.parametrize("pointer", OBJECTS)
def test_objects(the_gateway, sandbox, pointer):
    for value in (1, True, "x", ["x"]):
        document = check_invalid(the_gateway, sandbox,
                                 changed(pointer, value))
        assert pointers(document) == [pointer]


@pytest.mark.parametrize("limits", (
    1, [], {"webex_calling": "5"}, {"webex_calling": -1},
    {"webex_calling": 1.5}))
def test_package_limits(the_gateway, sandbox, limits):
    update = {**UPDATE, "provisioningParameters": {
        "packages": {"limits": limits}}}
    document = check_invalid(the_gateway, sandbox,
                             json.dumps(update).encode())
    assert pointers(document)[0].startswith(
        "/provisioningParameters/packages/limits")


def test_all_problems_at_once_in_document_order(the_gateway, sandbox):
    document = check_invalid(the_gateway, sandbox, json.dumps({
        "subPartnerAdminEmail": 1,
        "packages": ["webex_calling", 5, "nonsense"],
        "externalId": {},
        "address": {"city": 1, "addressLine1": "x", "country": "US"},
    }).encode())

    assert pointers(document) == [
        "/subPartnerAdminEmail", "/packages/1", "/packages/2", "/externalId",
        "/address/city"]
    assert "5" in document["message"]


def test_the_five_problems(the_gateway, sandbox):
    document = check_invalid(the_gateway, sandbox, b"""\
{"packages":["webex_meetings","webex_caling","cisco_calling_plan"],\
"address":{"addressLine1":"1 Main St","city":"","country":"USA"},\
"provisioningParameters":{"calling":{"location":{"name":"HQ",\
"address":{"addressLine1":"1 Main St","city":"Milpitas","country":"US"},\
"timezone":"Mars/Olympus","language":"en_us"}}}}""")

    assert pointers(document) == [
        "/packages/1", "/packages/2", "/address/city", "/address/country",
        "/provisioningParameters/calling/location/timezone"]


@pytest.mark.parametrize("letter", ("A", "ä", '"', "\x7f"))
def test_little_of_the_input_comes_back(the_gateway, letter):
    answer = the_gateway.update(body=json.dumps(
        {"packages": [letter * 1000]}).encode())
    document = check_refusal(answer, 400)

    assert all(error["description"].count(letter) <= 64 + 4
               for error in document["errors"])
    assert len(answer.body) < 2000


def test_many_problems_are_told_in_part(the_gateway, sandbox):
    document = check_invalid(the_gateway, sandbox, json.dumps(
        {"packages": ["x"] * 5000}).encode())

    assert document["message"] == "The update is not valid: 5000 problems."
    assert len(document["errors"]) == 33
    assert document["errors"][31]["pointer"] == "/packages/31"
    assert document["errors"][32]["description"] == "and 4968 more"


@pytest.mark.parametrize("update", (
    {"packages": ["webex_calling"]},
    {"packages": ["webex_calling", "webex_calling"]},
    {"packages": ["webex_calling"], "externalId": None, "address": None,
     "provisioningParameters": None, "subPartnerAdminEmail": None},
    {"packages": ["webex_calling"], "undocumented": {"x": [1, None]}},
    {"packages": ["webex_calling"], "externalId": "12"},
    {**UPDATE, "address": {**UPDATE["address"], "addressLine2": ""}},
    {**UPDATE, "address": {**UPDATE["address"], "city": "Zürich"}},
    {**UPDATE, "provisioningParameters": {
        "packages": {"limits": {"webex_calling": 5}}}},
), ids=lambda update: ",".join(update))
@pytest.mark.parametrize("ascii", (True, False))
def test_what_is_fine(the_gateway, sandbox, update, ascii):
    body = json.dumps(update, ensure_ascii=ascii, indent=1).encode()

    assert the_gateway.update(body=body).status == 202
    assert sandbox.only_request.body == body


def test_nothing_invisible_comes_back(the_gateway, sandbox):
    """Not even in a pointer, which is the client's own name."""

    answer = the_gateway.update(body=json.dumps({
        "packages": ["webex_calling"], "provisioningParameters": {
            "packages": {"limits": {"a\u202eb\u200b\ufeff\u00e4": 1}}}},
        ensure_ascii=False).encode())

    assert answer.status == 400
    text = answer.body.decode()
    assert not set("\u202e\u200b\ufeff") & set(text)
    assert "\\u202e" in text and "\\u200b" in text and "\u00e4" in text
    assert answer.json["errors"][0]["pointer"].endswith("\u00e4")
