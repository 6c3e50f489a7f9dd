# Copyright (C) The wholesale gateway authors

"""wholesale_status: how the workers stand with Redis."""

import os
import signal

import pytest

from gateway import status

MANY = {"acme": {"limits": [{"name": "many", "quota": 1000,
                             "window": "1h"}]}}


def told(running):
    return status.document(running)["redis"]


def wait_until_used(running):
    """Until every worker has a connection, and has used it."""

    running.wait_for(lambda: running.update().status == 202
                     and told(running)["up"]
                     and told(running)["breaker"] == "closed", "Redis")


def start(gateway, redis, directives=(), server=None, **options):
    return gateway(server=status.LOCATION, tenants=MANY,
                   http=redis.block(*directives, server=server), **options)


def test_it_is_up(gateway, redis):
    running = start(gateway, redis, workers=2)
    running.wait_for(lambda: told(running)["connected"] == 2, "both")
    before = told(running)

    assert before["up"] is True
    assert before["breaker"] == "closed"
    assert set(before["failures"]) == {"timeout", "connect", "closed",
                                       "protocol", "auth", "state", "command"}
    assert before["opened"] == before["reconnects"] == before["declined"] == 0

    for _ in range(10):
        assert running.update().status == 202

    status.wait_for(running, 10)
    document = status.document(running)

    assert document["redis"]["commands"] >= before["commands"] + 10
    assert document["durations"]["redis"]["count"] == 10
    assert 0 < document["durations"]["redis"]["sum"] < 2

    # that a fresh Redis does not know the script is no failure
    assert set(document["redis"]["failures"].values()) == {0}

    limit = document["tenants"]["acme"]["limits"]["many"]
    assert limit["remaining"] == 990

    samples = status.samples(running)
    assert samples["wholesale_redis_up",] == 1
    assert samples["wholesale_redis_connected_workers",] == 2
    assert samples["wholesale_redis_breaker_open",] == 0
    assert samples["wholesale_redis_commands_total",] \
        == document["redis"]["commands"]
    assert samples["wholesale_redis_failures_total",
                   ("reason", "timeout")] == 0


def test_it_goes_and_comes(gateway, redis):
    running = start(gateway, redis)
    wait_until_used(running)

    redis.stop()
    running.wait_for(lambda: not told(running)["up"], "the end of it")

    # whoever finds it out, from then on nobody asks
    for _ in range(3):
        assert running.update().status == 202

    running.wait_for(lambda: told(running)["breaker"] == "open", "the breaker")
    assert running.update().status == 202
    running.wait_for(lambda: told(running)["declined"], "one without it")

    down = told(running)
    assert down["connected"] == 0
    assert down["opened"] >= 1

    samples = status.samples(running)
    assert samples["wholesale_redis_up",] == 0
    assert samples["wholesale_redis_breaker_open",] == 1

    redis.start()
    wait_until_used(running)
    assert told(running)["reconnects"] >= 1


def test_why_it_fails(gateway, redis, redis_proxy):
    running = start(gateway, redis, server=redis_proxy.server)
    wait_until_used(running)
    before = told(running)["failures"]

    redis_proxy.black_hole = True
    assert running.update().status == 202
    after = told(running)["failures"]
    assert after["timeout"] == before["timeout"] + 1

    document = status.document(running)
    assert document["redis"]["breaker"] == "open"

    # a wait for nothing is a wait
    assert document["durations"]["redis"]["sum"] >= 0.04


def test_why_it_is_not_reached(gateway, redis):
    """Without a command that would have to wait for it."""

    running = start(gateway, redis)
    wait_until_used(running)
    before = told(running)

    redis.stop()
    running.wait_for(lambda: told(running)["failures"]["connect"]
                     >= before["failures"]["connect"] + 2, "two attempts")

    after = told(running)
    assert after["commands"] == before["commands"]
    assert after["breaker"] == "open"

    assert status.samples(running)[
        "wholesale_redis_failures_total", ("reason", "connect")] \
        >= after["failures"]["connect"]


def test_a_refused_command_is_one_failure(gateway, redis):
    running = start(gateway, redis)
    wait_until_used(running)
    before = told(running)["failures"]

    redis.command("CONFIG", "SET", "maxmemory", "1")
    assert running.update().status == 202
    running.wait_for(lambda: told(running)["failures"] != before, "the error")
    after = told(running)["failures"]
    assert after == {**before, "state": before["state"] + 1}


def test_a_worker_that_is_no_more(gateway, redis):
    """Its last word does not count for ever."""

    running = start(gateway, redis, workers=2,
                    tolerated=[r"exited on signal 9"])
    running.wait_for(lambda: told(running)["connected"] == 2, "both")

    redis.stop()
    running.wait_for(lambda: told(running)["connected"] == 0, "the news")
    redis.start()
    running.wait_for(lambda: told(running)["connected"] == 2, "both again")

    os.kill(running.workers()[0], signal.SIGKILL)
    running.wait_for(lambda: len(running.workers()) == 3, "a new worker")
    running.wait_for(lambda: told(running)["connected"] == 2, "its own")

    document = status.document(running)
    assert document["workers"] == 2

    running.reload()
    running.wait_for(lambda: told(running)["connected"] == 2, "the new ones")
    assert status.document(running)["workers"] == 2


def test_without_it(gateway, redis):
    """What was once configured is not told of any more."""

    running = start(gateway, redis)
    wait_until_used(running)
    running.change(http="")
    running.reload()

    assert told(running) is None
    assert not any("redis" in name and "duration" not in name
                   for name, *_ in status.samples(running))


@pytest.mark.parametrize("on_failure, outcome", (
    ("deny", "unavailable"), ("allow", "forwarded"), ("local", "forwarded")))
def test_on_failure(gateway, redis, on_failure, outcome):
    redis.stop()
    running = start(gateway, redis, (f"on_failure  {on_failure}",))

    running.update()
    status.wait_for(running, 1)
    document = status.document(running)

    assert status.requests(running) == {"acme": {outcome: 1}}
    assert document["redis"]["up"] is False
    assert document["tenants"]["acme"]["limits"]["many"]["remaining"] \
        == (999 if on_failure == "local" else None)
