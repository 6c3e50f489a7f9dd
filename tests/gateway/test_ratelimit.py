# Copyright (C) The wholesale gateway authors

"""What the header fields tell of limits."""

import re

import pytest

from gateway.refusal import check_refusal

BURST = {"name": "burst", "rate": "1/m", "burst": 4}
DAILY = {"name": "daily", "quota": 100, "window": "1d"}

DRAFT = ("RateLimit-Policy", "RateLimit")
LEGACY = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")


def state(answer):
    """Of RateLimit: {"burst": (remaining, seconds)}."""

    items = answer.header("RateLimit").split(", ")
    matches = [re.fullmatch(r'"([a-z]+)";r=(\d+);t=(\d+)', item)
               for item in items]
    return {match[1]: (int(match[2]), int(match[3])) for match in matches}


def number(answer, name):
    return int(answer.header(name))


def test_what_they_look_like(gateway):
    running = gateway(tenants={"acme": {"limits": [BURST, DAILY]}})
    answer = running.update()

    assert answer.status == 202
    assert answer.header("RateLimit-Policy") \
        == '"burst";q=4;w=240, "daily";q=100;w=86400'

    seen = state(answer)
    assert seen["burst"] == (3, 60)
    assert seen["daily"][0] == 99
    assert 0 < seen["daily"][1] <= 2 * 86400

    assert number(answer, "X-RateLimit-Limit") == 4
    assert number(answer, "X-RateLimit-Remaining") == 3
    assert number(answer, "X-RateLimit-Reset") == 60


def test_on_every_answer(gateway):
    running = gateway(tenants={"acme": {"limits": [BURST, DAILY]}})

    # forwarded, by Webex refused, by us refused
    assert state(running.get())["burst"][0] == 3
    assert state(running.update(body=b"{"))["burst"][0] == 2
    assert state(running.get(method="HEAD"))["burst"][0] == 1
    assert state(running.update())["burst"][0] == 0

    answer = running.update()
    check_refusal(answer, 429)
    assert state(answer)["burst"][0] == 0

    # a refused request costs the other limit nothing
    assert state(answer)["daily"][0] == 96

    # never earlier than the limit says
    assert int(answer.header("Retry-After")) >= state(answer)["burst"][1]


POLICY = '"burst";q=4;w=240, "daily";q=100;w=86400'


def check_policy_only(answer):
    """Where nothing is known of what is left."""

    assert answer.header("RateLimit-Policy") == POLICY
    assert answer.header("X-RateLimit-Limit") == "4"

    for name in ("RateLimit", *LEGACY[1:]):
        assert answer.header(name) is None, name


def test_before_it_is_counted(gateway):
    """A tenant that is known, and may not do this; nobody else."""

    running = gateway(tenants={"acme": {"limits": [BURST, DAILY],
                                        "customers": ["Y2lzY28="]}})
    answer = running.update()
    assert answer.status == 403
    check_policy_only(answer)

    answer = running.update({"Authorization": "Bearer wrong"})
    assert answer.status == 401
    assert [answer.header(name) for name in DRAFT + LEGACY] == [None] * 5


def test_in_a_pause(gateway, sandbox):
    """The counters are here, and a request that is refused costs nothing."""

    running = gateway(tenants={"acme": {"limits": [BURST, DAILY]}})
    sandbox.fail(status=429, headers=[("Retry-After", "30")], times=1)
    assert running.update().status == 429

    for _ in range(3):
        answer = running.update()
        assert answer.json["status"] == 429
        assert answer.header("RateLimit-Policy") == POLICY
        assert {name: left for name, (left, _) in state(answer).items()} \
            == {"burst": 3, "daily": 99}
        assert number(answer, "X-RateLimit-Limit") == 4
        assert number(answer, "X-RateLimit-Remaining") == 3
        assert 0 < number(answer, "X-RateLimit-Reset") <= 60


def test_in_a_pause_with_redis(gateway, sandbox, redis):
    """As long as Redis was asked of, all is known; then it is not any more,
    unless the counters are here."""

    running = gateway(http=redis.block(),
                      tenants={"acme": {"limits": [BURST, DAILY]},
                               "bolt": {"limits": [BURST, DAILY]}})
    running.wait_for(lambda: redis.keys() or running.update(tenant="bolt")
                     .status != 202, "Redis to be used")
    sandbox.fail(status=429, headers=[("Retry-After", "30")], times=1)
    answer = running.update()
    assert answer.status == 429 and state(answer)["burst"][0] == 3

    answer = running.update()
    assert answer.json["status"] == 429
    check_policy_only(answer)

    redis.stop()
    running.wait_for(lambda: "cannot be used" in running.log, "its end")
    assert state(running.update())["burst"][0] == 3


def test_a_remembered_refusal(gateway, redis):
    running = gateway(http=redis.block(),
                      tenants={"acme": {"limits": [BURST, DAILY]}})
    answers = [running.update() for _ in range(6)]
    assert [answer.status for answer in answers] == [202] * 4 + [429] * 2

    for answer in answers:
        assert answer.header("RateLimit-Policy") == POLICY
        assert number(answer, "X-RateLimit-Limit") == 4

    assert list(state(answers[4])) == ["burst", "daily"]
    assert list(state(answers[5])) == ["burst"]
    assert number(answers[5], "X-RateLimit-Remaining") == 0


@pytest.mark.parametrize("choice,status", (("allow", 202), ("deny", 503)))
def test_nobody_counts(gateway, redis, choice, status):
    redis.stop()
    running = gateway(http=redis.block(f"on_failure {choice}"),
                      tenants={"acme": {"limits": [BURST, DAILY]}})

    for _ in range(5):
        answer = running.update()
        assert answer.status == status
        check_policy_only(answer)


def test_webex_says_something_and_we_do_not_know(gateway, sandbox, redis):
    redis.stop()
    running = gateway(http=redis.block("on_failure allow"),
                      tenants={"acme": {"limits": [BURST, DAILY]}})
    sandbox.fail(status=200, headers=[
        ("RateLimit", '"webex";r=9;t=5'),
        ("RateLimit-Policy", '"webex";q=60;w=60'),
        ("X-RateLimit-Limit", "777"), ("X-RateLimit-Remaining", "9")])
    answer = running.update()

    assert answer.header("RateLimit") == '"webex";r=9;t=5'
    assert answer.header("RateLimit-Policy") == '"webex";q=60;w=60'
    assert number(answer, "X-RateLimit-Limit") == 777
    assert number(answer, "X-RateLimit-Remaining") == 9


@pytest.mark.parametrize("value,fields", (
    ("draft", DRAFT), ("legacy", LEGACY), ("both", DRAFT + LEGACY),
    ("off", ())))
def test_the_directive(gateway, value, fields):
    running = gateway(location=f"wholesale_ratelimit_headers {value};",
                      tenants={"acme": {"limits": [BURST]}, "bolt": {}})
    answer = running.update()

    for name in DRAFT + LEGACY:
        assert (answer.header(name) is not None) is (name in fields)

    # who has no limits has nothing to be told
    answer = running.update(tenant="bolt")

    for name in DRAFT + LEGACY:
        assert answer.header(name) is None


def test_the_directive_is_checked(gateway):
    with pytest.raises(AssertionError, match="invalid value"):
        gateway(location="wholesale_ratelimit_headers maybe;")


def test_what_is_not_enforced_is_not_told(gateway):
    trial = {"name": "trial", "rate": "1/m", "dryRun": True}
    running = gateway(tenants={"acme": {"limits": [trial, BURST]},
                               "bolt": {"limits": [trial]},
                               "new": {"limits": [BURST], "dryRun": True}})

    assert list(state(running.update())) == ["burst"]
    assert running.update().header("RateLimit-Policy") == '"burst";q=4;w=240'
    assert running.update(tenant="bolt").header("RateLimit") is None
    assert running.update(tenant="new").header("RateLimit") is None


@pytest.mark.parametrize("theirs,stays", (
    ('"webex";r=1;t=7', True),
    ('"a";r=50;t=7, "b" ; r=2;t=7', True),
    ('"webex";r=3;t=7', True),              # the same
    ('"webex";r=4;t=7', False),
    ('"a";r=50;t=7, "b";t=7;r=20', False),
    ('"w;r=1";r=20;t=7', False),            # a name
    (r'"w\";r=20";r=1;t=7', True),
    ("limit=10, remaining=50", True),       # no telling
    ("", True),
))
def test_what_webex_says_stays_if_it_is_stricter(gateway, sandbox, theirs,
                                                 stays):
    running = gateway(tenants={"acme": {"limits": [BURST]}})
    sandbox.fail(status=200, headers=[
        ("RateLimit", theirs), ("RateLimit-Policy", '"webex";q=60;w=60')])
    answer = running.update()

    assert (answer.header("RateLimit") == theirs) is stays
    assert ('"webex"' in answer.header("RateLimit-Policy")) is stays
    assert number(answer, "X-RateLimit-Remaining") == 3


@pytest.mark.parametrize("theirs,stays", (
    ("0", True), ("2", True), ("3", True), ("4", False), ("1000", False),
    ("99999999999999999999", False), ("2.5", True), ("many", True)))
def test_the_same_of_the_old_fields(gateway, sandbox, theirs, stays):
    running = gateway(tenants={"acme": {"limits": [BURST]}})
    sandbox.fail(status=200, headers=[
        ("x-ratelimit-remaining", theirs), ("X-RateLimit-Limit", "777"),
        ("X-RateLimit-Reset", "9")])
    answer = running.update()

    assert answer.header("X-RateLimit-Remaining") \
        == (theirs if stays else "3")
    assert number(answer, "X-RateLimit-Limit") == (777 if stays else 4)
    assert number(answer, "X-RateLimit-Reset") == (9 if stays else 60)
    assert state(answer)["burst"][0] == 3


def test_the_variable_says_the_same(gateway):
    """Of the limits that are enforced, as the fields do."""

    trial = {"name": "trial", "rate": "1/h", "dryRun": True}
    running = gateway(
        location="add_header X-Left $wholesale_remaining always;",
        tenants={"acme": {"limits": [
                     trial, {"name": "hourly", "rate": "3/h", "burst": 3}]},
                 "bolt": {"limits": [trial]}})

    for _ in range(3):
        answer = running.update()
        assert answer.header("X-Left") == answer.header("X-RateLimit-Remaining")
        assert running.update(tenant="bolt").header("X-Left") is None

    assert answer.header("X-Left") == "0"
