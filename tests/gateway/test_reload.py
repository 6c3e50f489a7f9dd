# Copyright (C) The wholesale gateway authors

"""Reloads lose no request and no counter."""

import signal
import threading
import time

from gateway.refusal import check_refusal


CLIENTS = 4
RELOADS = 10


class Load:
    """Clients that send updates, one after the other, until they are told to
    stop; each on a connection of its own."""

    def __init__(self, gateway, clients=CLIENTS):
        self.gateway = gateway
        self.statuses = []
        self.failures = []
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self.run)
                        for _ in range(clients)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()

        return self

    def __exit__(self, *_):
        self.ended.set()

        for thread in self.threads:
            thread.join()

    def run(self):
        while not self.ended.is_set():
            try:
                self.statuses.append(self.gateway.update().status)
            except Exception as e:      # whatever it is, it is a loss
                self.failures.append(repr(e))

            # the log is at debug level, and the machine small
            time.sleep(0.01)


def test_ten_reloads_under_load(gateway, sandbox):
    running = gateway(workers=2)

    with Load(running) as load:
        for _ in range(RELOADS):
            running.reload()
            time.sleep(0.1)

    assert load.failures == []
    assert set(load.statuses) == {202}
    assert len(load.statuses) > 10 * RELOADS
    assert sandbox.count == len(load.statuses)


def test_counters_go_on_under_load(gateway, sandbox):
    running = gateway(workers=2, tenants={"acme": {"limits": [
        {"name": "burst", "rate": "1/h", "burst": 100}]}})

    with Load(running) as load:
        for _ in range(RELOADS):
            running.reload()
            time.sleep(0.05)

        running.wait_for(lambda: len(load.statuses) > 120, "enough updates")

    assert load.failures == []
    assert load.statuses.count(202) == 100
    assert load.statuses.count(429) == len(load.statuses) - 100
    assert sandbox.count == 100


def test_a_request_under_way_is_finished(gateway, sandbox):
    """By the old worker, and with the old tenants."""

    running = gateway()
    sandbox.fail(times=1, delay=0.5)

    with running.connect() as connection, running.connect() as other:
        connection.send(running.encode_update())

        # and one whose body is still to come
        data = running.encode_update({"Content-Length": "855"}, body=b"")
        other.send(data)
        time.sleep(0.1)

        running.write_tenants({"bolt": {}})
        running.reload()
        assert running.update().status == 401

        body = running.encode_update()[-855:]
        other.send(body)
        assert other.answer().status == 202
        assert connection.answer().status == 202

    assert running.update(tenant="bolt").status == 202


def test_keepalive_connections(gateway):
    """Who is told that it ends comes again; nobody is cut off."""

    running = gateway()

    with running.connect() as connection:
        connection.send(running.encode_update())
        assert connection.answer().status == 202

        running.reload()
        assert connection.is_closed()

    assert running.update().status == 202


def test_a_broken_tenants_file_leaves_the_old_one(gateway):
    running = gateway(tolerated=[r"\[emerg\]"])
    workers = len(running.workers())

    for broken in ("", "{", "[]", '{"tenants": {"acme": {"keys": 5}}}'):
        before = running.log.count("[emerg]")
        (running.folder / "tenants.json").write_text(broken)
        running.process.send_signal(signal.SIGHUP)
        running.wait_for(lambda: running.log.count("[emerg]") > before,
                         "the complaint")
        assert running.update().status == 202

    assert len(running.workers()) == workers

    running.write_tenants({"bolt": {}})
    running.reload()
    running.wait_for(lambda: running.update().status == 401, "the new file")
    assert running.update(tenant="bolt").status == 202


def test_another_size_of_the_zone(gateway):
    """The counters begin anew then, and nothing else happens."""

    running = gateway(http="wholesale_zone  1m;", tenants={"acme": {
        "limits": [{"name": "tiny", "rate": "1/d"}]}})

    assert running.update().status == 202
    check_refusal(running.update(), 429)

    running.change(http="wholesale_zone  2m;")
    running.reload()
    running.wait_for(lambda: running.update().status == 202, "new counters")
    check_refusal(running.update(), 429)
