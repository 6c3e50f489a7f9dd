# Copyright (C) The wholesale gateway authors

"""Webex asks for a pause: of a tenant by 429, of a customer by 423."""

import concurrent.futures
import email.utils
import time

import pytest

from gateway.gateway import CUSTOMER, CUSTOMERS
from gateway.redis import LOCATION, counters, wait_until_used
from gateway.refusal import check_refusal

OTHER = "Y2lzY29zcGFyazovL3VzL0VOVEVSUFJJU0UvMDAwMDAwMDA"

LIMITED = {"limits": [{"name": "hourly", "quota": 1000, "window": "1h"}]}


def ask_for_pause(sandbox, status, seconds="2"):
    """By one answer."""

    headers = [] if seconds is None else [("Retry-After", str(seconds))]
    sandbox.fail(status=status, headers=headers, times=1,
                 json={"message": "Slow down."})


def test_a_tenant(gateway, sandbox):
    running = gateway(workers=2)
    ask_for_pause(sandbox, 429)

    # Webex's own answer is passed on
    answer = running.update()
    started = time.monotonic()
    assert answer.status == 429
    assert answer.json == {"message": "Slow down."}
    assert answer.header("Retry-After") == "2"
    assert sandbox.count == 1

    for ask in (running.update, running.get, running.update_http2):
        refused = ask()
        check_refusal(refused, 429, reduced=True)
        assert refused.header("Retry-After") == "2"

    # other tenants go on
    assert running.update(tenant="bolt").status == 202
    assert sandbox.count == 2

    time.sleep(1.1)
    assert running.update().header("Retry-After") == "1"

    running.wait_for(lambda: running.update().status == 202, "the end")
    assert 1.9 < time.monotonic() - started < 2.5


def test_a_customer(gateway, sandbox):
    running = gateway(workers=2)
    sandbox.add_customer(OTHER)
    ask_for_pause(sandbox, 423, 5)

    answer = running.update()
    assert answer.status == 423
    assert answer.json == {"message": "Slow down."}

    for padding in ("", "=", "%3D%3D"):
        refused = running.update(target=f"{CUSTOMERS}/{CUSTOMER}{padding}")
        check_refusal(refused, 423, reduced=True)
        assert 4 <= int(refused.header("Retry-After")) <= 5

    assert sandbox.count == 1

    # it can be looked at, others can be changed, and by others it can be
    assert running.get().status == 200
    assert running.update(target=f"{CUSTOMERS}/{OTHER}").status == 202
    assert running.update(tenant="bolt").status == 202


def test_two_pauses(gateway, sandbox):
    """Who waits as long as told is let in."""

    running = gateway()
    ask_for_pause(sandbox, 423, 50)
    assert running.update().status == 423
    ask_for_pause(sandbox, 429, 3)
    assert running.get().status == 429

    refused = running.update()
    check_refusal(refused, 429, reduced=True)
    assert 48 <= int(refused.header("Retry-After")) <= 55

    # a locked customer can be looked at sooner
    assert int(running.get().header("Retry-After")) <= 3


ONE = {"limits": [{"name": "trial", "rate": "1/h", "dryRun": True},
                  {"name": "one", "rate": "1/m"}]}


def check_waits_for_the_limit(refused):
    check_refusal(refused, 429, reduced=True)
    assert 50 <= int(refused.header("Retry-After")) <= 66


def test_a_pause_and_a_limit(gateway, sandbox):
    running = gateway(tenants={"acme": ONE})
    ask_for_pause(sandbox, 429, 5)
    assert running.update().status == 429

    check_waits_for_the_limit(running.update())


def test_a_pause_and_a_limit_of_the_fleet(gateway, sandbox, redis):
    """As Redis tells them, and as they are remembered then."""

    keys = {}
    fleet = [gateway(http=redis.block(), location=LOCATION, keys=keys,
                     tenants={"acme": ONE, "bolt": LIMITED})
             for _ in range(2)]

    for running in fleet:
        wait_until_used(running, "bolt")

    ask_for_pause(sandbox, 429, 30)
    assert fleet[0].update().status == 429
    fleet[0].wait_for(lambda: redis.keys("*pause*"), "the news")

    for _ in range(3):
        check_waits_for_the_limit(fleet[1].update())


def test_two_pauses_of_the_fleet(gateway, sandbox, redis):
    keys = {}
    fleet = [gateway(http=redis.block(), location=LOCATION, keys=keys,
                     tenants={"acme": LIMITED}) for _ in range(2)]

    for running in fleet:
        wait_until_used(running)

    ask_for_pause(sandbox, 423, 50)
    assert fleet[0].update().status == 423
    ask_for_pause(sandbox, 429, 20)
    assert fleet[0].get().status == 429
    fleet[0].wait_for(lambda: len(redis.keys("*pause*")) == 2, "the news")

    for _ in range(3):
        refused = fleet[1].update()
        check_refusal(refused, 429, reduced=True)
        assert 45 <= int(refused.header("Retry-After")) <= 55


def test_what_pauses_nobody(gateway, sandbox):
    running = gateway()

    for status, seconds in ((503, 5), (429, "0"), (423, None), (423, "soon")):
        ask_for_pause(sandbox, status, seconds)
        assert running.update().status == status
        assert running.update().status == 202


@pytest.mark.parametrize("seconds", (None, "soon", "-1", "1.5"))
def test_a_429_says_when_to_come_back(gateway, sandbox, seconds):
    running = gateway()
    ask_for_pause(sandbox, 429, seconds)

    answer = running.update()
    assert answer.status == 429
    assert answer.header("Retry-After") == "5"
    assert running.update().status == 202


def test_a_date(gateway, sandbox):
    running = gateway()
    ask_for_pause(sandbox, 429, email.utils.formatdate(time.time() + 30,
                                                       usegmt=True))
    answer = running.update()
    assert 28 <= int(answer.header("Retry-After")) <= 30
    check_refusal(running.update(), 429, reduced=True)


@pytest.mark.parametrize("seconds", (
    "86400", "4294967297", "99999999999999999999999"))
def test_the_longest(gateway, sandbox, seconds):
    running = gateway(location="wholesale_pause_max 2s;")
    ask_for_pause(sandbox, 429, seconds)

    assert running.update().header("Retry-After") == seconds
    assert running.update().header("Retry-After") == "2"


def test_sixty_seconds_at_most_by_default(gateway, sandbox):
    running = gateway()
    ask_for_pause(sandbox, 423, 3600)

    assert running.update().status == 423
    assert 60 <= int(running.update().header("Retry-After")) <= 66


def test_none_at_all(gateway, sandbox):
    running = gateway(location="wholesale_pause_max 0;")
    ask_for_pause(sandbox, 429, 5)

    assert running.update().header("Retry-After") == "5"
    assert running.update().status == 202


def test_dry_run(gateway, sandbox):
    running = gateway(location="wholesale_dry_run on;",
                      tenants={"acme": LIMITED})
    ask_for_pause(sandbox, 429, 5)

    assert running.update().status == 429
    assert running.update().status == 202
    assert "would be refused with 429, paused" in running.log


PAGES = {
    "file": ("/slow.html", "location = /slow.html { root html; }"),
    "changed": ("=503 /slow.html", "location = /slow.html { root html; }"),
    "named": ("@slow", "location @slow { return 429 slow; }"),
    "redirect": ("https://example.org/slow", ""),
    "proxied": ("/page", "location = /page { proxy_pass http://webex; }"),
    "guarded": ("/v1/wholesale/slow", ""),
}


@pytest.mark.parametrize("status", (429, 423))
@pytest.mark.parametrize("page", PAGES)
def test_an_error_page_hides_nothing_from_us(gateway, sandbox, page, status):
    to, location = PAGES[page]
    running = gateway(server=location, tenants={"acme": LIMITED},
                      location="proxy_intercept_errors on;"
                               "wholesale_pause_max 30s;"
                               f"error_page {status} {to};")
    (running.folder / "html").mkdir()
    (running.folder / "html/slow.html").write_text("slow")

    ask_for_pause(sandbox, status, 40)
    assert running.update().status != 202
    asked = sandbox.count

    # once, for as long as the location says, where it was asked for
    lines = [line for line in running.log.splitlines()
             if "paused for 30 s" in line]
    assert len(lines) == 1 and "[notice]" in lines[0]

    assert running.update().status != 202
    assert len([request for request in sandbox.requests
                if request.method == "PUT"]) == 1
    assert sandbox.count == asked + (page == "proxied")


def test_it_survives_a_reload(gateway, sandbox):
    running = gateway()
    ask_for_pause(sandbox, 429, 30)

    assert running.update().status == 429
    running.reload()
    check_refusal(running.update(), 429, reduced=True)
    assert sandbox.count == 1


@pytest.mark.parametrize("status", (429, 423))
def test_the_fleet(gateway, sandbox, redis, status):
    keys = {}
    fleet = [gateway(http=redis.block(), keys=keys,
                     tenants={"acme": LIMITED, "bolt": LIMITED})
             for _ in range(3)]

    # they have Redis, and Redis has the script
    assert [running.update().status for running in fleet] == [202] * 3

    ask_for_pause(sandbox, status, 3)
    monitor = redis.monitor()
    assert fleet[0].update().status == status
    started = time.monotonic()
    fleet[0].wait_for(lambda: redis.keys("*pause*"), "the news")

    key, = redis.keys("*pause*")
    assert key == "wholesale:{4:acme}:pause" + (
        "" if status == 429 else f":{len(CUSTOMER)}:{CUSTOMER}")
    assert 2500 < redis.command("PTTL", key) <= 3000
    assert monitor.commands() == ["EVALSHA", "EVAL"]

    before = sandbox.count

    for running in fleet:
        for _ in range(3):
            refused = running.update()
            check_refusal(refused, status, reduced=True)
            assert 1 <= int(refused.header("Retry-After")) <= 3

            # asked or not, it costs nothing: four have been counted
            assert refused.header("X-RateLimit-Remaining") in (None, "996")

        assert running.update(tenant="bolt").status == 202

    assert sandbox.count == before + 3

    # each of the others has asked once; then it knows
    assert monitor.commands() == ["EVALSHA"] * 5
    monitor.close()

    for running in fleet:
        running.wait_for(lambda: running.update().status == 202, "the end")

    assert 2.9 < time.monotonic() - started < 3.6
    assert redis.keys("*pause*") == []


def test_a_pause_while_redis_is_away(gateway, sandbox, redis):
    """The fleet is told when Redis is back."""

    keys = {}
    fleet = [gateway(http=redis.block("timeout 100ms"), location=LOCATION,
                     keys=keys, tenants={"acme": LIMITED, "bolt": LIMITED})
             for _ in range(2)]

    for running in fleet:
        wait_until_used(running, "bolt")

    redis.freeze()
    fleet[0].wait_for(
        lambda: counters(fleet[0].update(tenant="bolt")) == "local",
        "its end to be noticed")
    ask_for_pause(sandbox, 429, 30)
    assert fleet[0].update().status == 429
    redis.thaw()

    for running in fleet:
        wait_until_used(running, "bolt")

    monitor = redis.monitor()
    check_refusal(fleet[0].update(), 429, reduced=True)
    fleet[0].wait_for(lambda: redis.keys("*pause*"), "the news")

    key, = redis.keys("*pause*")
    assert 15000 < redis.command("PTTL", key) < 30000
    check_refusal(fleet[1].update(), 429, reduced=True)

    # once
    check_refusal(fleet[0].update(), 429, reduced=True)
    assert monitor.commands() == ["EVAL", "EVALSHA"]
    monitor.close()


def test_of_two_pauses_the_fleet_keeps_the_longer(gateway, sandbox, redis):
    """The shorter one is asked for while another gateway learns of the
    longer."""

    keys = {}
    fleet = [gateway(http=redis.block(), location=LOCATION, keys=keys,
                     tenants={"acme": LIMITED}) for _ in range(3)]

    for running in fleet:
        wait_until_used(running)

    for seconds, delay in ((40, 0.2), (3, 0.6), (30, 0.9)):
        sandbox.fail(status=429, headers=[("Retry-After", str(seconds))],
                     times=1, delay=delay)

    monitor = redis.monitor()
    told = []

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        answers = []

        for running in fleet:
            answers.append(pool.submit(running.update))
            time.sleep(0.05)

        assert [answer.result().header("Retry-After") for answer in answers] \
            == ["40", "3", "30"]

    # each has asked, and told, in one command
    fleet[0].wait_for(lambda: told.extend(monitor.commands())
                      or len(told) == 6, "all to be told")
    monitor.close()

    key, = redis.keys("*pause*")
    assert 35000 < redis.command("PTTL", key) <= 40000
    until = int(redis.command("GET", key)) / 1e6
    assert 35 < until - time.time() <= 40


@pytest.mark.parametrize("value", ("x", "", "nan", "inf", "-1", "9" * 17))
def test_what_is_no_pause_is_replaced(gateway, sandbox, redis, value):
    """By whoever has been counted before it came there."""

    running = gateway(http=redis.block(), location=LOCATION,
                      tenants={"acme": LIMITED})
    wait_until_used(running)
    sandbox.clear()
    sandbox.fail(status=429, headers=[("Retry-After", "30")], times=1,
                 delay=0.3)

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        answer = pool.submit(running.update)
        running.wait_for(lambda: sandbox.count, "it to be sent")
        redis.command("SET", "wholesale:{4:acme}:pause", value)
        assert answer.result().status == 429

    running.wait_for(
        lambda: redis.command("PTTL", "wholesale:{4:acme}:pause") > 25000,
        "the pause")


def test_a_pause_of_the_fleet_does_not_end_too_early(gateway, redis,
                                                     redis_proxy):
    running = gateway(
        http=redis.block("timeout 2s", server=redis_proxy.server),
        location=LOCATION, tenants={"acme": LIMITED})
    wait_until_used(running)

    ends = set_pause(redis, 3)
    redis_proxy.delay_asking = 0.4
    asked = 0

    while (answer := running.update()).status == 429:
        assert time.time() + int(answer.header("Retry-After")) >= ends
        asked += 1

    assert asked > 30
    assert time.time() >= ends


def set_pause(redis, seconds):
    """As another gateway does it; returns when it ends."""

    ends = time.time() + seconds
    redis.command("SET", "wholesale:{4:acme}:pause", int(ends * 1e6),
                  "PX", seconds * 1000)
    return ends


def test_the_longest_is_for_those_who_make_a_pause(gateway, sandbox, redis):
    """Another gateway, or another location, may allow for longer ones."""

    running = gateway(http=redis.block(), tenants={"acme": LIMITED},
                      location=LOCATION + "wholesale_pause_max 2s;")
    wait_until_used(running)
    set_pause(redis, 40)

    for _ in range(2):
        refused = running.update()
        check_refusal(refused, 429, reduced=True)
        assert 39 <= int(refused.header("Retry-After")) <= 44
