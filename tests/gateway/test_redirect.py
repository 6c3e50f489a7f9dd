# Copyright (C) The wholesale gateway authors

"""Internal redirects: nginx forgets what modules know of a request."""

from gateway.gateway import CUSTOMER, CUSTOMERS
from gateway.refusal import check_refusal


def test_into_the_location(module_gateway, sandbox):
    running = module_gateway(server="""
        location /other/ {
            try_files  /nothing @guarded;
        }

        location @guarded {
            wholesale   on;
            proxy_pass  http://webex;
        }
    """)

    target = f"/other/wholesale/customers/{CUSTOMER}"

    check_refusal(running.update({"Authorization": None}, target=target), 401)
    assert running.update(target=target).status == 404    # the sandbox's
    assert sandbox.only_request.target == target


def test_an_error_page_of_the_operator(module_gateway, sandbox):
    running = module_gateway(server="""
        error_page  401 /denied;

        location = /denied {
            internal;
            return  401 "ask the help desk\\n";
        }
    """)

    answer = running.update({"Authorization": None})

    assert (answer.status, answer.body) == (401, b"ask the help desk\n")
    check_refusal(running.update(body=b"{}"), 400)
    assert running.update().status == 202


def test_an_error_page_that_is_guarded_itself(module_gateway, sandbox):
    """The refusal stands, and the redirect ends."""

    running = module_gateway(location="error_page  401 /v1/wholesale/denied;")

    check_refusal(running.update({"Authorization": None}), 401)


def test_counted_and_rewritten_once(module_gateway, sandbox):
    running = module_gateway(
        tenants={"acme": {"limits": [{"name": "one", "rate": "1/d"}]}},
        location="error_page  503 = @again; proxy_intercept_errors  on;",
        server="""
        location @again {
            wholesale   on;
            proxy_pass  http://webex;
        }
    """)

    sandbox.fail(times=1, status=503)

    assert running.update().status == 202
    assert len(sandbox.requests) == 2
    assert all(request.body == sandbox.requests[0].body
               for request in sandbox.requests)
