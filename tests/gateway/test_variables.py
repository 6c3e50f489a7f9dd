# Copyright (C) The wholesale gateway authors

"""What a log can say of a request."""

import json

import pytest

from gateway.gateway import CUSTOMER


FORMAT = """
    log_format  variables  escape=json
        '{"tenant": "$wholesale_tenant", "customer": "$wholesale_customer",'
        ' "outcome": "$wholesale_outcome", "reason": "$wholesale_reason",'
        ' "counters": "$wholesale_counters",'
        ' "remaining": "$wholesale_remaining",'
        ' "tracking_id": "$wholesale_tracking_id", "status": $status}';
"""


@pytest.fixture(scope="module")
def logging(module_gateway):
    return module_gateway(
        http=FORMAT, server="access_log  variables.log variables;",
        tenants={
            "acme": {},
            "closed": {"enabled": False},
            "small": {"limits": [{"name": "daily", "rate": "1/d",
                                  "burst": 2}]},
        })


def logged(running, number):
    """The last so many lines; the log is written after the answer is."""

    log = running.folder / "variables.log"
    before = log.read_text().count("\n") if log.exists() else 0

    def lines():
        running.wait_for(
            lambda: log.read_text().count("\n") >= before + number,
            "the log")
        return [json.loads(line) for line
                in log.read_text().splitlines()[before:]]

    return lines


def test_forwarded(logging):
    lines = logged(logging, 1)
    logging.update({"TrackingID": "mine"})
    line, = lines()

    assert line["tenant"] == "acme"
    assert line["customer"] == CUSTOMER
    assert line["outcome"] == "forwarded"
    assert line["tracking_id"] == "mine"
    assert line["status"] == 202


@pytest.mark.parametrize("options, tenant, outcome", (
    ({"headers": {"Authorization": None}}, "", "unauthenticated"),
    ({"tenant": "closed"}, "closed", "forbidden"),
    ({"body": b"{}"}, "acme", "invalid"),
    ({"headers": {"Content-Type": "text/plain"}}, "acme", "invalid"),
    ({"target": "/v1/wholesale/x"}, "", "not_found")))
def test_refused(logging, options, tenant, outcome):
    lines = logged(logging, 1)
    logging.update(**options)
    line, = lines()

    assert line["tenant"] == tenant
    assert line["outcome"] == outcome
    assert line["reason"]
    assert line["tracking_id"].startswith("WGW_")


def test_limited(logging):
    lines = logged(logging, 3)
    for _ in range(3):
        logging.update(tenant="small")
    lines = lines()

    assert [line["outcome"] for line in lines] \
        == ["forwarded", "forwarded", "limited"]
    assert [line["remaining"] for line in lines] == ["1", "0", "0"]
    assert all(line["counters"] == "local" for line in lines)
    assert lines[2]["reason"] == "daily"
