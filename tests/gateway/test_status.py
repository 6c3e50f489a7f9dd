# Copyright (C) The wholesale gateway authors

"""wholesale_status: figures that are exact, to the request."""

import collections
import concurrent.futures
import json

import pytest

from gateway import status
from gateway.gateway import CUSTOMER, CUSTOMERS
from gateway.http1 import Connection


# two at once, and then one an hour
TWO = [{"name": "two", "rate": "1/h", "burst": 2}]


def test_nothing_has_happened(gateway):
    running = gateway(server=status.LOCATION)
    document = status.document(running)

    assert document["tenants"] == {}
    assert document["redis"] is None
    assert set(document["validation"].values()) == {0}
    assert set(document["upstream"].values()) == {0}
    assert document["tenantsConfigured"] == 3
    assert document["tenantsShown"] == 1000
    assert document["workers"] == document["generation"] == 1
    assert 0 <= document["time"] - document["started"] < 60


def test_outcomes(gateway, sandbox):
    running = gateway(server=status.LOCATION, tenants={
        "acme": {"limits": TWO}, "bolt": {"customers": ["other"]},
        "dark": {"dryRun": True, "limits": TWO},
        "closed": {"enabled": False}})

    assert [running.update().status for _ in range(3)] == [202, 202, 429]
    assert running.update(tenant="bolt").status == 403
    assert running.update(tenant="closed").status == 403
    assert [running.update(tenant="dark").status for _ in range(3)] \
        == [202] * 3
    assert running.update({"Authorization": "Bearer x" * 8}).status == 401
    assert running.update(target="/v1/wholesale/x").status == 404
    assert running.update(method="DELETE").status == 405

    with running.connect() as connection:
        connection.send(b"PUT / HTTP/1.1\r\n\r\n")
        assert connection.answer().status == 400

    status.wait_for(running, 12)

    assert status.requests(running) == {
        "acme": {"forwarded": 2, "limited": 1},
        "bolt": {"forbidden": 1},
        "closed": {"forbidden": 1},
        "dark": {"forwarded": 2, "limited_dry_run": 1},
        "": {"unauthenticated": 1, "not_found": 2, "other": 1}}

    assert sum(status.document(running)["upstream"].values()) \
        == sandbox.count == 5
