# Copyright (C) The wholesale gateway authors

"""Step 2, where somebody else has verified who it is: wholesale_tenant."""

import base64

import pytest

from gateway.gateway import CUSTOMER, CUSTOMERS
from gateway.refusal import check_401, check_refusal
from gateway.test_dry_run import LOG, LOGGED, line_of


TENANTS = {"acme": {}, "bolt": {}, "closed": {"enabled": False}}

MAP = LOG + """
    map $http_x_partner $partner {
        default  "";
        one      acme;
        two      bolt;
        three    closed;
        four     nobody;
        five     ACME;
        six      acmeacme;
        seven    acm;
        eight    " acme";
    }
"""

PASSWORD = """
    auth_basic            "partners";
    auth_basic_user_file  users;
    wholesale_tenant      $remote_user;
"""

# the same address under other paths
LOCATIONS = LOGGED + """
    wholesale_tenant  $partner;

    location /fixed/v1/wholesale/ {
        wholesale         on;
        wholesale_tenant  bolt;
        include           @wholesale_proxy.conf@;
        proxy_pass        http://webex/v1/wholesale/;
    }

    location /joined/v1/wholesale/ {
        wholesale         on;
        wholesale_tenant  "ac$http_x_rest";
        include           @wholesale_proxy.conf@;
        proxy_pass        http://webex/v1/wholesale/;
    }
"""


@pytest.fixture(scope="module")
def passwords(module_gateway):
    running = module_gateway(
        http=LOG, location=PASSWORD, tenants=TENANTS,
        server=LOGGED)

    (running.folder / "users").write_text("".join(
        f"{name}:{{PLAIN}}word\n"
        for name in ("acme", "bolt", "closed", "nobody", "", "Acme")))
    return running


@pytest.fixture(scope="module")
def mapped(module_gateway):
    return module_gateway(http=MAP, server=LOCATIONS, tenants=TENANTS)


def basic(user, word="word"):
    return "Basic " + base64.b64encode(f"{user}:{word}".encode()).decode()


def tenant_of(gateway, *arguments, **options):
    answer = gateway.update(*arguments, **options)
    line = line_of(gateway, answer)

    return answer, line["tenant"], line["reason"]


# auth_basic's

@pytest.mark.parametrize("user", ("acme", "bolt"))
def test_a_user_is_a_tenant(passwords, sandbox, user):
    answer, tenant, _ = tenant_of(passwords, {"Authorization": basic(user)})

    assert (answer.status, tenant) == (202, user)

    request = sandbox.only_request
    assert basic(user).encode() not in request.bytes
    assert request.header("Authorization") \
        == f"Bearer {sandbox.read_secret('access_token')}"


def test_a_user_over_http2(passwords):
    assert passwords.update_http2(
        {"Authorization": basic("acme")}).status == 202


def test_a_user_of_a_disabled_tenant(passwords, sandbox):
    answer, tenant, reason = tenant_of(passwords,
                                       {"Authorization": basic("closed")})

    check_refusal(answer, 403)
    assert (tenant, reason) == ("closed", "disabled")
    assert sandbox.count == 0


@pytest.mark.parametrize("user", ("nobody", "Acme"))
def test_a_user_who_is_no_tenant(passwords, sandbox, user):
    answer, tenant, reason = tenant_of(passwords,
                                       {"Authorization": basic(user)})

    check_401(answer)
    assert (tenant, reason) == ("", "unknown_tenant")
    assert sandbox.count == 0


def test_a_wrong_password(passwords, sandbox):
    """That is for nginx to refuse, in our form."""

    for header in (None, basic("acme", "wrong"), basic("", "word"), "Basic",
                   f"Bearer {passwords.keys['acme']}"):
        answer = passwords.update({"Authorization": header})

        check_refusal(answer, 401)
        assert answer.header("WWW-Authenticate").startswith("Basic")

    assert sandbox.count == 0


def test_a_key_beside_the_password_says_nothing(passwords, sandbox):
    for key in (passwords.keys["bolt"], "wrong"):
        sandbox.clear()
        answer, tenant, _ = tenant_of(
            passwords, {"Authorization": basic("acme"), "X-API-Key": key})

        assert (answer.status, tenant) == (202, "acme")
        assert sandbox.only_request.header("X-API-Key") is None


# a map's

@pytest.mark.parametrize("partner, tenant", (("one", "acme"), ("two", "bolt")))
def test_a_map(mapped, partner, tenant):
    answer, known_as, _ = tenant_of(mapped, {"Authorization": None,
                                             "X-Partner": partner})
    assert (answer.status, known_as) == (202, tenant)


def test_a_map_to_a_disabled_tenant(mapped, sandbox):
    check_refusal(mapped.update({"X-Partner": "three"}), 403)
    assert sandbox.count == 0


@pytest.mark.parametrize("partner", (
    None, "", "four", "five", "six", "seven", "eight", "nine"))
def test_empty_or_unknown(mapped, sandbox, partner):
    for key in (None, f"Bearer {mapped.keys['acme']}"):
        answer, tenant, reason = tenant_of(
            mapped, {"Authorization": key, "X-Partner": partner})

        check_401(answer)
        assert (tenant, reason) == ("", "unknown_tenant")

    assert sandbox.count == 0


def test_empty_and_unknown_look_the_same(mapped):
    documents = [check_401(mapped.update({"X-Partner": partner}))
                 for partner in (None, "four", "eight")]

    for document in documents:
        del document["trackingId"]

    assert all(document == documents[0] for document in documents)


def test_nothing_unauthenticated_is_read(mapped):
    with mapped.connect() as connection:
        connection.send(mapped.encode_update(
            {"X-Partner": "four", "Content-Length": "1000"}, body=b""))
        check_401(connection.answer())


# the directive itself

def test_the_location_has_the_last_word(mapped, sandbox):
    answer, tenant, _ = tenant_of(
        mapped, {"X-Partner": "one"},
        target=f"/fixed{CUSTOMERS}/{CUSTOMER}")

    assert (answer.status, tenant) == (202, "bolt")
    assert sandbox.only_request.target == f"{CUSTOMERS}/{CUSTOMER}"


@pytest.mark.parametrize("rest, status", (
    ("me", 202), ("mex", 401), ("", 401), ("ME", 401), ("a" * 4000, 401)))
def test_several_parts(mapped, rest, status):
    assert mapped.update({"X-Rest": rest},
                         target=f"/joined{CUSTOMERS}/{CUSTOMER}"
                         ).status == status
