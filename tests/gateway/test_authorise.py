# Copyright (C) The wholesale gateway authors

"""Step 3: whether this tenant may."""

import pytest

from gateway.refusal import check_refusal


def test_a_disabled_tenant(the_gateway, sandbox):
    check_refusal(the_gateway.update(tenant="closed"), 403)
    assert sandbox.count == 0


def test_a_disabled_tenant_may_not_look_either(the_gateway, sandbox):
    check_refusal(the_gateway.get(tenant="closed"), 403)
    assert sandbox.count == 0


def test_the_refusal_does_not_wait_for_the_body(the_gateway):
    with the_gateway.connect() as connection:
        connection.send(the_gateway.encode_update(
            {"Content-Length": "1000"}, body=b"", tenant="closed"))
        check_refusal(connection.answer(), 403)


@pytest.mark.parametrize("tenant", ("acme", "bolt"))
def test_enabled_tenants(the_gateway, tenant):
    assert the_gateway.update(tenant=tenant).status == 202


def test_a_reload_disables_and_enables(gateway):
    running = gateway()
    before = running.update().status

    running.write_tenants({"acme": {"enabled": False}, "closed": {}})
    running.reload()
    running.wait_for(lambda: running.update().status == 403, "a refusal")

    assert before == 202
    assert running.update(tenant="closed").status == 202
    assert running.update(tenant="bolt").status == 401
