# Copyright (C) The wholesale gateway authors

"""wholesale_status: figures that are exact, to the request."""

import concurrent.futures
import json
import os
import random
import signal
import time

import pytest

from gateway import status
from gateway.credentials import TOKEN_PATH, conf, token_requests, updates
from gateway.gateway import CONF, CUSTOMERS, REFERENCE


# two at once, and then one an hour
TWO = {"name": "two", "rate": "1/h", "burst": 2}

# ten an hour
TEN = {"name": "ten", "quota": 10, "window": "1h"}

# of a gateway that refreshes its token
WITH_STATUS = conf().replace("        @server@\n",
                             "        @server@\n" + status.LOCATION, 1)


@pytest.fixture
def counting(gateway):
    """A gateway that has wholesale_status."""

    return lambda **options: gateway(
        **{**options, "server": status.LOCATION + options.get("server", "")})


def test_nothing_has_happened(counting):
    document = status.document(counting())

    assert document["tenants"] == {}
    assert document["redis"] is None
    assert set(document["validation"].values()) == {0}
    assert set(document["upstream"].values()) == {0}
    assert document["tenantsConfigured"] == 3
    assert document["tenantsShown"] == 1000
    assert document["workers"] == document["generation"] == 1
    assert 0 <= document["time"] - document["started"] < 60
    assert 0 < document["zone"]["used"] < document["zone"]["size"] == 1 << 24


def test_outcomes(counting, sandbox):
    running = counting(tenants={
        "acme": {"limits": [TWO]}, "bolt": {"customers": ["other"]},
        "dark": {"dryRun": True, "limits": [TWO]},
        "closed": {"enabled": False}, "nobody": {}})

    assert [running.update().status for _ in range(3)] == [202, 202, 429]
    assert running.update(tenant="bolt").status == 403
    assert running.update(tenant="closed").status == 403
    assert [running.update(tenant="dark").status for _ in range(3)] \
        == [202] * 3
    assert running.update(tenant="dark", body=b"{}").status == 400
    assert running.update({"Authorization": "Bearer x"}).status == 401
    assert running.update(target="/v1/wholesale/x").status == 404
    assert running.update(method="DELETE").status == 405

    with running.connect() as connection:
        connection.send(b"PUT / HTTP/1.1\r\n\r\n")
        assert connection.answer().status == 400

    # what is not the gateway's business
    assert status.fetch(running, "/nothing").status == 404

    status.wait_for(running, 13)

    assert status.requests(running) == {
        "acme": {"forwarded": 2, "limited": 1},
        "bolt": {"forbidden": 1},
        "dark": {"forwarded": 2, "limited_dry_run": 2},
        "closed": {"forbidden": 1},
        "": {"unauthenticated": 1, "not_found": 2, "other": 1}}

    document = status.document(running)
    assert sandbox.count == 6
    assert {name: number for name, number in document["upstream"].items()
            if number} == {"2xx": 5, "4xx": 1}


def test_all_formats_say_the_same(counting):
    running = counting(tenants={"acme": {"limits": [TWO, {
        **TEN, "per": "customer", "name": "each"}]}})
    assert [running.update().status for _ in range(3)] == [202, 202, 429]
    assert running.update({"Authorization": None}).status == 401
    status.wait_for(running, 4)

    document = status.document(running)
    samples = status.samples(running)

    def sample(name, **labels):
        return samples.pop((f"wholesale_{name}", *labels.items()))

    for tenant, figures in document["tenants"].items():
        assert list(figures["outcomes"]) == list(status.OUTCOMES)

        for outcome, number in figures["outcomes"].items():
            assert sample("requests_total", tenant=tenant,
                          outcome=outcome) == number

        assert sample("paused_total", tenant=tenant) == figures["paused"]

        for limit, members in figures["limits"].items():
            labels = {"tenant": tenant, "limit": limit}

            assert sample("refusals_total", **labels) == members["refused"]
            assert sample("near_limit_total", **labels) \
                == members["nearLimit"]
            assert sample("dry_run_refusals_total", **labels) \
                == members["dryRunRefused"]
            assert sample("limit_quota", **labels) == members["quota"]

            if members["remaining"] is not None:
                assert sample("limit_remaining", **labels) \
                    == members["remaining"]
                assert abs(sample("limit_reset_seconds", **labels)
                           - members["reset"]) <= 5

    for member, number in document["validation"].items():
        assert sample("validation_problems_total", member=member) == number

    for name, number in document["upstream"].items():
        assert sample("upstream_responses_total", **{"class": name}) == number

    for name, histogram in document["durations"].items():
        for bound, number in histogram["buckets"]:
            le = "+Inf" if bound is None else f"{bound:g}"
            assert sample(f"{name}_duration_seconds_bucket", le=le) == number

        assert sample(f"{name}_duration_seconds_sum") == histogram["sum"]
        assert sample(f"{name}_duration_seconds_count") == histogram["count"]

    assert sample("build_info", version=document["version"],
                  nginx=document["nginx"]) == 1
    assert sample("start_time_seconds") == document["started"]
    assert sample("workers") == document["workers"]
    assert sample("tenants") == document["tenantsConfigured"]
    assert sample("zone_size_bytes") == document["zone"]["size"]
    assert sample("zone_used_bytes") == document["zone"]["used"]
    assert sample("credential_live", credential="webex") == 1
    assert sample("credential_used", credential="webex") == 1

    assert not samples


def test_limits(counting):
    running = counting(tenants={
        "acme": {"limits": [
            TEN, {"name": "trial", "rate": "1/h", "burst": 3, "dryRun": True},
            {**TEN, "name": "each", "per": "customer"}]},
        "dark": {"dryRun": True, "limits": [TWO]}})

    assert [running.update().status for _ in range(12)] \
        == [202] * 10 + [429] * 2
    assert [running.update(tenant="dark").status for _ in range(5)] \
        == [202] * 5
    status.wait_for(running, 17)

    tenants = status.document(running)["tenants"]
    limits = tenants["acme"]["limits"]
    assert list(limits) == ["ten", "trial", "each"]

    reset = limits["ten"].pop("reset")
    assert 3500 <= reset <= 7200

    # 8, 9 and 10 left two, one and none of it
    assert limits["ten"] == {
        "per": "tenant", "dryRun": False, "quota": 10, "remaining": 0,
        "refused": 2, "nearLimit": 3, "dryRunRefused": 0}

    # three were within it; the third left none, and seven were over it
    assert limits["trial"]["nearLimit"] == 1
    assert limits["trial"]["refused"] == 0
    assert limits["trial"]["dryRunRefused"] == 7
    assert limits["trial"]["dryRun"] is True

    assert limits["each"]["per"] == "customer"
    assert limits["each"]["remaining"] is limits["each"]["reset"] is None

    assert sum(limit["refused"] for limit in limits.values()) \
        == tenants["acme"]["outcomes"]["limited"]

    two = tenants["dark"]["limits"]["two"]
    assert (two["refused"], two["dryRunRefused"], two["nearLimit"]) \
        == (0, 3, 1)
    assert two["remaining"] == 0
    assert 7000 <= two["reset"] <= 7201


def test_what_is_left_is_not_of_the_past(counting, sandbox):
    """A request that takes long was counted long ago."""

    running = counting(tenants={"acme": {"limits": [TEN]}})
    sandbox.fail(delay=1.5, times=1)

    with running.connect() as connection:
        connection.send(running.encode_update())
        running.wait_for(lambda: sandbox.count == 1, "the slow one")

        assert [running.update().status for _ in range(3)] == [202] * 3
        assert connection.answer().status == 202

    status.wait_for(running, 4)
    limits = status.document(running)["tenants"]["acme"]["limits"]
    assert limits["ten"]["remaining"] == 6


def test_a_limit_that_is_whole_again(counting):
    running = counting(tenants={"acme": {"limits": [
        {"name": "short", "rate": "2/s", "burst": 3}]}})

    def short():
        return status.document(running)["tenants"]["acme"]["limits"]["short"]

    assert running.update().status == 202
    status.wait_for(running, 1)
    assert short()["remaining"] in (2, 3)

    running.wait_for(lambda: short()["reset"] == 0, "all of it")
    assert short()["remaining"] == 3


def test_a_pause(counting, sandbox):
    running = counting(tenants={"acme": {"limits": [TEN]}})
    sandbox.fail(status=429, headers=[("Retry-After", "30")], times=1)

    assert [running.update().status for _ in range(3)] == [429] * 3
    status.wait_for(running, 3)

    acme = status.document(running)["tenants"]["acme"]
    assert acme["outcomes"]["forwarded"] == 1
    assert acme["outcomes"]["limited"] == acme["paused"] == 2
    assert acme["limits"]["ten"]["refused"] == 0
    assert acme["limits"]["ten"]["nearLimit"] == 0
    assert sandbox.count == 1


def test_validation(counting):
    running = counting(tenants={"acme": {}, "dark": {"dryRun": True}})

    def add(update):
        update["packages"] = ["x", "y"]
        update["address"]["country"] = "USA"
        update["provisioningParameters"]["calling"]["location"]["address"][
            "city"] = 1
        update["provisioningParameters"]["packages"] = {
            "limits": {"webex_calling": "many", "a": {"b": "c"}}}
        update["wrong"] = update["address"]["wrong"] = 1

    update = json.loads(REFERENCE)
    add(update)

    assert running.update(body=json.dumps(update).encode()).status == 400
    answer = running.update(body=json.dumps(update).encode())
    assert running.update(body=b"{").status == 400
    assert running.update(body=b"[]").status == 400
    running.update(body=b"{", tenant="dark")
    status.wait_for(running, 5)

    validation = status.document(running)["validation"]
    found = {member: number for member, number in validation.items()
             if number}

    assert found["body"] == 3
    assert found["packages"] == 4
    assert found["address.country"] == 2
    assert found["provisioningParameters.calling.location.address.city"] == 2
    assert found["provisioningParameters.packages.limits"] >= 2

    # as many as were told of
    assert sum(found.values()) - 3 == 2 * len(answer.json["errors"])


def test_nobody_can_make_a_series(gateway):
    running = gateway(server=status.LOCATION,
                      location="wholesale_unknown_fields reject;")
    before = set(status.samples(running))

    for name in ("x", "address.country", 'a"b', "a/b", "~", "a\nb", "",
                 "packages/1", "body", "other", "ü", "x" * 100):
        for update in ({name: 1}, {"address": {name: {name: [1]}}},
                       {"packages": [{name: 1}]}):
            update = {"packages": ["webex_calling"], **update}
            assert running.update(
                body=json.dumps(update).encode(),
                headers={"TrackingID": "x", "User-Agent": name.replace(
                    "\n", " ").encode().decode("latin-1")}).status == 400

    for i in range(20):
        assert running.update({"Authorization": f"Bearer k{i}"}).status == 401
        assert running.update(target=f"/v1/wholesale/{i}").status == 404
        running.update(target=f"{CUSTOMERS}/c{i}")

    status.wait_for(running, 96)
    after = set(status.samples(running))

    assert len({key for key in after - before
                if ("tenant", "acme") not in key
                and ("tenant", "") not in key}) == 0
    assert len(after - before) == 2 * (len(status.OUTCOMES) + 1)
    assert status.document(running)["validation"]["other"] > 0


def test_many_problems(gateway):
    """Those beyond what an answer tells have no place, but are counted."""

    running = gateway(server=status.LOCATION)
    packages = [f"p{i}" for i in range(100)]
    running.update(body=json.dumps({"packages": packages}).encode())
    status.wait_for(running, 1)

    validation = status.document(running)["validation"]
    assert (validation["packages"], validation["other"]) == (32, 68)


@pytest.mark.parametrize("fault, name, answer", (
    ({"status": 200}, "2xx", 200), ({"status": 302}, "3xx", 302),
    ({"status": 404}, "4xx", 404), ({"status": 429}, "4xx", 429),
    ({"status": 502}, "5xx", 502), ({"status": 500}, "5xx", 500),
    ({"cut": "before"}, "failed", 502), ({"cut": "head"}, "failed", 502),
    ({"raw": b"nonsense\r\n\r\n"}, "failed", 502),
    ({"never": True}, "failed", 504),
), ids=str)
def test_upstream(counting, sandbox, fault, name, answer):
    running = counting(proxy={"proxy_read_timeout": "200ms"})
    sandbox.fail(**fault)

    assert running.update().status == answer
    status.wait_for(running, 1)

    document = status.document(running)
    assert {name: number for name, number in document["upstream"].items()
            if number} == {name: 1}
    assert document["durations"]["upstream"]["count"] == 1
    assert status.requests(running) == {"acme": {"forwarded": 1}}


def test_no_upstream(counting, sandbox):
    running = counting()
    running.change(webex_port=running.free_port())
    running.reload()

    assert running.update().status == 502
    status.wait_for(running, 1)
    assert status.document(running)["upstream"]["failed"] == 1
    assert sandbox.count == 0


def test_durations(counting, sandbox):
    running = counting()
    sandbox.fail(delay=0.3, times=1)

    assert running.update().status == 202
    assert running.update({"Authorization": None}).status == 401
    status.wait_for(running, 2)

    durations = status.document(running)["durations"]

    for name, count in (("request", 2), ("upstream", 1), ("redis", 0)):
        bounds, numbers = zip(*durations[name]["buckets"])

        assert bounds == (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                          0.1, 0.25, 0.5, 1, 2.5, 5, 10, None)
        assert list(numbers) == sorted(numbers)
        assert numbers[-1] == durations[name]["count"] == count

    # nothing of the slow one is in what is faster than it was
    assert dict(map(tuple, durations["upstream"]["buckets"]))[0.25] == 0
    assert dict(map(tuple, durations["request"]["buckets"]))[0.25] == 1
    assert 0.3 <= durations["upstream"]["sum"] < 5
    assert durations["upstream"]["sum"] <= durations["request"]["sum"] + 0.002


def test_a_slow_client_is_part_of_it(counting):
    running = counting()
    request = running.encode_update()

    with running.connect() as connection:
        connection.send(request[:50])
        time.sleep(0.2)
        connection.send(request[50:-10])
        time.sleep(0.2)
        connection.send(request[-10:])
        assert connection.answer().status == 202

    status.wait_for(running, 1)
    durations = status.document(running)["durations"]
    assert 0.38 < durations["request"]["sum"] < 5


def mixed_load(running, number):
    """So many requests of every kind from 8 clients; what was answered."""

    wrong = json.dumps({"packages": ["x"]}).encode()
    kinds = (
        (lambda: running.update(), 6),
        (lambda: running.update(tenant="bolt"), 6),
        (lambda: running.update_http2(tenant="bolt"), 3),
        (lambda: running.get(tenant="bolt"), 3),
        (lambda: running.update(tenant="bolt", body=wrong), 2),
        (lambda: running.update(tenant="dark", body=wrong), 2),
        (lambda: running.update({"Authorization": "Bearer x"}), 1),
        (lambda: running.update(method="DELETE"), 1))

    chosen = random.Random(1).choices(
        [send for send, _ in kinds], [weight for _, weight in kinds],
        k=number)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda send: send().status, chosen))


LOADED = {"acme": {"limits": [{"name": "some", "rate": "1/h", "burst": 40}]},
          "bolt": {}, "dark": {"dryRun": True}}


def test_to_the_request(counting, sandbox):
    """After the load, the figures are the sandbox's record, and the
    clients'."""

    running = counting(workers=2, tenants=LOADED)
    answers = mixed_load(running, 400)
    status.wait_for(running, 400)

    document = status.document(running)
    outcomes = [tenant["outcomes"] for tenant in document["tenants"].values()]

    def total(*names):
        return sum(outcome[name] for outcome in outcomes for name in names)

    assert sum(document["upstream"].values()) == sandbox.count \
        == total("forwarded", "invalid_dry_run")
    assert document["tenants"]["acme"]["outcomes"]["forwarded"] == 40
    assert total("limited") == answers.count(429) \
        == document["tenants"]["acme"]["limits"]["some"]["refused"]
    assert total("invalid") + document["upstream"]["4xx"] \
        == answers.count(400)
    assert total("unauthenticated") == answers.count(401)
    assert total("not_found") == answers.count(405)
    assert document["upstream"]["2xx"] \
        == answers.count(202) + answers.count(200)
    assert document["durations"]["request"]["count"] == 400
    assert document["durations"]["upstream"]["count"] == sandbox.count
    assert document["workers"] == 2


def test_a_replay_is_two_of_webex(refreshing, sandbox):
    running = refreshing(conf=WITH_STATUS)
    assert running.update().status == 202
    sandbox.expire_tokens()
    assert running.update().status == 202
    status.wait_for(running, 2)

    document = status.document(running)
    assert len(updates(sandbox)) == 3
    assert {name: number for name, number in document["upstream"].items()
            if number} == {"2xx": 2, "4xx": 1}

    # refreshes are not updates
    assert len(token_requests(sandbox)) == 2
    assert status.requests(running) == {"acme": {"forwarded": 2}}
    assert document["credentials"]["webex"]["refreshes"] \
        == {"succeeded": 2, "failed": 0, "final": 0}


def test_a_scrape_fetches_the_first_token(refreshing, sandbox):
    running = refreshing(conf=WITH_STATUS)

    def live():
        return status.samples(running)["wholesale_credential_live",
                                       ("credential", "webex")]

    assert live() == 0
    running.wait_for(live, "the token")
    assert len(token_requests(sandbox)) == 1


def test_a_scrape_where_there_is_no_endpoint(refreshing, sandbox):
    """In a server of its own it only looks."""

    running = refreshing(conf=conf().replace("    server {\n", """
    server {
        listen       127.0.0.1:@port@;
        server_name  figures;
        %s
    }

    server {
""" % status.LOCATION, 1))

    for _ in range(3):
        answer = status.fetch(running, "/status?format=json",
                              {"Host": "figures"})
        webex = json.loads(answer.body)["credentials"]["webex"]
        assert webex["state"] == "missing"
        assert webex["lastError"] is None
        assert webex["refreshing"] is False


def test_credentials(refreshing, sandbox):
    running = refreshing(tolerated=["a person has to authorise anew"],
                         conf=WITH_STATUS)
    running.warm()

    ready = running.credential()
    webex = status.document(running)["credentials"]["webex"]

    assert abs(webex.pop("expires") - ready["expires_in"]) <= 5
    assert abs(webex.pop("refreshTokenExpires")
               - ready["refresh_token_expires_in"]) <= 5
    assert webex == {"state": "live", "used": True, "refreshing": False,
                     "refreshes": {"succeeded": 1, "failed": 0, "final": 0},
                     "lastError": None}

    # the refresh token is revoked
    sandbox.fail(path=TOKEN_PATH, status=400)
    sandbox.expire_tokens()
    assert running.update().status in (401, 503)

    running.wait_for(lambda: status.document(running)["credentials"]["webex"][
        "refreshes"]["final"] == 1, "the refresh")

    webex = status.document(running)["credentials"]["webex"]
    assert webex["state"] == running.credential()["state"] == "refused"
    assert webex["lastError"] == running.credential()["last_error"]
    assert status.samples(running)[
        "wholesale_credential_live", ("credential", "webex")] == 0


@pytest.mark.parametrize("name, json_name, label", (
    (r'a\"b', 'a"b', r'a\"b'),
    (r"a\\b", "a\\b", r"a\\b"),
    (r"a\nb", "a\nb", r"a\nb"),
    ("grüße", "grüße", "grüße"),
))
def test_escapes(gateway, name, json_name, label):
    running = gateway(server=status.LOCATION, http=f"""
        wholesale_credential "{name}" {{
            access_token_file  access_token;
        }}
    """)

    assert json_name in status.document(running)["credentials"]
    assert ("wholesale_credential_live", ("credential", label)) \
        in status.samples(running)


def test_no_secret(refreshing, sandbox):
    running = refreshing(conf=WITH_STATUS)
    assert running.update().status == 202
    running.write_secret("refresh_token", "")
    sandbox.expire_tokens()
    running.update()

    secrets = running.secrets() | set(running.keys.values())
    assert len(secrets) >= 4

    for answer in (status.fetch(running),
                   status.fetch(running, "/status?format=json")):
        text = (repr(answer.headers) + answer.body.decode())
        assert not any(secret in text for secret in secrets)


def test_a_reload_keeps_all(counting, sandbox):
    tenants = {"acme": {"limits": [TWO]}, "bolt": {"limits": [TEN]}}
    running = counting(workers=2, tenants=tenants)

    assert [running.update().status for _ in range(3)] == [202, 202, 429]
    assert running.update(tenant="bolt").status == 202
    status.wait_for(running, 4)
    before = status.document(running)

    running.reload()
    after = status.document(running)

    assert after["generation"] == before["generation"] + 1
    assert after["workers"] == 2

    for name in ("started", "validation", "upstream", "durations"):
        assert after[name] == before[name]

    for tenant in before["tenants"]:
        for limits in (before, after):
            limits["tenants"][tenant]["limits"].popitem()[1].pop("reset")

        assert after["tenants"][tenant] == before["tenants"][tenant]

    # another order, one that is new and one that is gone, limits renamed
    running.write_tenants({"new": {"limits": [TWO]},
                           "bolt": {"limits": [{**TWO, "name": "extra"}, TEN]}})
    running.reload()
    assert running.update(tenant="new").status == 202
    assert running.update(tenant="bolt").status == 202
    status.wait_for(running, 3)

    tenants = status.document(running)["tenants"]
    assert list(tenants) == ["new", "bolt"]
    assert tenants["new"]["outcomes"]["forwarded"] == 1
    assert tenants["bolt"]["outcomes"]["forwarded"] == 2
    assert tenants["bolt"]["limits"]["ten"]["remaining"] == 8
    assert tenants["bolt"]["limits"]["extra"]["remaining"] == 1

    # and who comes back finds what was theirs
    running.write_tenants({"acme": {"limits": [TWO]}})
    running.reload()
    acme = status.document(running)["tenants"]["acme"]
    assert acme["outcomes"]["forwarded"] == 2
    assert acme["limits"]["two"]["refused"] == 1


def test_a_request_that_outlives_a_reload(counting, sandbox):
    running = counting()
    sandbox.fail(delay=1, times=1)

    with running.connect() as connection:
        connection.send(running.encode_update())
        running.wait_for(lambda: sandbox.count == 1, "the request")
        running.reload()
        assert status.requests(running) == {}
        assert status.document(running)["workers"] == 1
        assert connection.answer().status == 202

    status.wait_for(running, 1)


def test_a_worker_that_is_killed(gateway):
    running = gateway(server=status.LOCATION, workers=2,
                      tolerated=[r"exited on signal 9"])

    for _ in range(10):
        assert running.update().status == 202

    status.wait_for(running, 10)
    os.kill(running.workers()[0], signal.SIGKILL)
    running.wait_for(lambda: len(running.workers()) == 3, "a new worker")
    running.wait_for(lambda: status.document(running)["workers"] == 2,
                     "its place")

    assert status.requests(running) == {"acme": {"forwarded": 10}}


# more tenants than have figures of their own

SEVERAL = {f"t{i}": {"limits": [TWO]} for i in range(5)}


def test_more_tenants_than_are_shown(counting, sandbox):
    running = counting(http="wholesale_status_tenants  2;", tenants=SEVERAL)

    for name in SEVERAL:
        assert [running.update(tenant=name).status for _ in range(3)] \
            == [202, 202, 429]

    status.wait_for(running, 15)
    document = status.document(running)

    assert document["tenantsShown"] == 2
    assert document["tenantsConfigured"] == 5
    assert status.requests(running) == {
        "t0": {"forwarded": 2, "limited": 1},
        "t1": {"forwarded": 2, "limited": 1},
        "*": {"forwarded": 6, "limited": 3}}
    assert document["tenants"]["*"]["limits"] == {
        "*": {"refused": 3, "nearLimit": 3, "dryRunRefused": 0}}

    samples = status.samples(running)
    assert samples["wholesale_refusals_total", ("tenant", "*"),
                   ("limit", "*")] == 3
    assert ("wholesale_limit_quota", ("tenant", "*"), ("limit", "*")) \
        not in samples


def test_a_place_is_free_after_two_reloads(counting):
    """The workers of the configuration before may still count for it."""

    running = counting(http="wholesale_status_tenants  1;",
                       tenants={"old": {}})
    assert running.update(tenant="old").status == 202
    status.wait_for(running, 1)

    running.write_tenants({"new": {}})

    for place, number in (("*", 1), ("new", 1), ("new", 2)):
        running.reload()
        assert running.update(tenant="new").status == 202
        running.wait_for(
            lambda: status.requests(running).get(place)
            == {"forwarded": number}, "the count")


def test_where_all_is_guarded(gateway):
    """The page is none of what is guarded."""

    running = gateway(conf=CONF.replace(
        "        @server@\n",
        "        wholesale  on;\n" + status.LOCATION + """
        location = /ready { wholesale_ready; }
        """, 1))

    assert status.document(running)["tenants"] == {}
    assert status.fetch(running, "/ready").status == 200
    assert status.fetch(running, "/other").status == 404
    status.wait_for(running, 1)


def test_none_is_shown(counting):
    running = counting(http="wholesale_status_tenants  0;")
    assert running.update().status == 202
    status.wait_for(running, 1)
    assert status.requests(running) == {"*": {"forwarded": 1}}


def test_more_after_a_reload(counting):
    running = counting(http="wholesale_status_tenants  1;", tenants=SEVERAL)
    running.change(http="wholesale_status_tenants  5;")
    running.reload()

    assert "\"wholesale_status_tenants\" stays at 1 until" in running.log
    assert status.document(running)["tenantsShown"] == 1

    running.change(http="wholesale_status_tenants  5; wholesale_zone  8m;")
    running.reload()
    assert status.document(running)["tenantsShown"] == 5


@pytest.mark.parametrize("zone, shown", (("32k", 3), ("1m", 111),
                                         ("32m", 1000)))
def test_a_small_zone_shows_fewer(counting, zone, shown):
    running = counting(http=f"wholesale_zone  {zone};")
    assert running.update().status == 202
    status.wait_for(running, 1)
    assert abs(status.document(running)["tenantsShown"] - shown) \
        <= shown * 0.2
