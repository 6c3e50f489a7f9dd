# Copyright (C) The wholesale gateway authors

"""Internal redirects: nginx forgets what modules know of a request."""

import time

import pytest

from gateway.gateway import CUSTOMER, CUSTOMERS, REFERENCE
from gateway.refusal import check_refusal


def test_into_the_location(module_gateway, sandbox):
    running = module_gateway(server="""
        location /other/ {
            try_files  /nothing @guarded;
        }

        location @guarded {
            wholesale   on;
            include     @wholesale_proxy.conf@;
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


AGAIN = """
    location @again {
        wholesale   on;
        include     @wholesale_proxy.conf@;
        proxy_pass  http://webex;
    }
"""


def test_counted_and_rewritten_once(module_gateway, sandbox):
    """Nothing was sent yet: there was no connection."""

    running = module_gateway(
        tenants={"acme": {"limits": [{"name": "one", "rate": "1/d"}]}},
        server=AGAIN + """
        location /dead/ {
            wholesale   on;
            include     @wholesale_proxy.conf@;
            proxy_pass  http://127.0.0.1:@other_port@;
            error_page  502 = @again;
        }
    """)

    target = f"/dead/wholesale/customers/{CUSTOMER}"

    # the sandbox's own, as its request says
    assert running.update(target=target).status == 404
    assert sandbox.only_request.body == REFERENCE


@pytest.mark.parametrize("page", ("504 502 503 500 =", "504 502 503 500"))
@pytest.mark.parametrize("intercepted", ("on", "off"))
@pytest.mark.parametrize("fault, status", (
    ({"cut": "before"}, 502), ({"cut": "head"}, 502), ({"never": True}, 504),
    ({"status": 500, "json": {}}, 500), ({"status": 502, "json": {}}, 502),
    ({"status": 503, "json": {}}, 503)))
def test_what_was_sent_is_not_sent_again(module_gateway, sandbox, page,
                                         intercepted, fault, status):
    """It may have been accepted; the client learns what became of it."""

    running = module_gateway(
        server=AGAIN, proxy={"proxy_read_timeout": "300ms"},
        location=f"error_page  {page} @again;"
                 f"proxy_intercept_errors  {intercepted};")

    sandbox.fail(times=1, method="PUT", **fault)

    assert running.update().status == status
    assert sandbox.count == 1


@pytest.mark.parametrize("equals", ("=", ""))
@pytest.mark.parametrize("headers, body", (
    ({"Content-Length": "5000"}, REFERENCE),
    ({"Content-Length": None, "Transfer-Encoding": "chunked"},
     b"%x\r\n%s\r\n" % (len(REFERENCE), REFERENCE)),
), ids=("length", "chunked"))
def test_half_a_body_is_not_sent_on(gateway, sandbox, equals, headers, body):
    """By no error page that leads back."""

    running = gateway(server=AGAIN, location=f"""
        client_body_timeout  400ms;
        error_page           408 {equals} @again;
    """)

    with running.connect() as connection:
        connection.send(running.encode_update(headers, body=b"") + body)
        check_refusal(connection.answer(), 408)

    assert sandbox.count == 0


@pytest.mark.parametrize("equals", ("=", ""))
def test_a_broken_chunk_is_not_sent_on(gateway, sandbox, equals):
    running = gateway(server=AGAIN,
                      location=f"error_page  400 {equals} @again;")

    with running.connect() as connection:
        connection.send(running.encode_update(
            {"Content-Length": None, "Transfer-Encoding": "chunked"},
            body=b"") + b"5\r\n{\"a\":\r\n")
        time.sleep(0.1)
        connection.send(b"not a size\r\n")
        check_refusal(connection.answer(), 400)

    assert sandbox.count == 0


@pytest.mark.parametrize("flag", ("last", "break"))
def test_behind_a_rewrite(module_gateway, sandbox, flag):
    running = module_gateway(server=f"""
        location /api/ {{
            rewrite     ^/api/(.*)$ /v1/wholesale/$1 {flag};
            wholesale   on;
            include     @wholesale_proxy.conf@;
            proxy_pass  http://webex;
        }}
    """)

    target = f"/api/customers/{CUSTOMER}"

    check_refusal(running.update({"Authorization": None}, target=target), 401)
    check_refusal(running.update(target=target, body=b"{}"), 400)
    check_refusal(running.update(target=target, method="POST"), 405)
    assert running.update(target=target).status == 202
    assert sandbox.only_request.target == f"{CUSTOMERS}/{CUSTOMER}"


def test_pages_of_a_server_that_is_guarded(module_gateway, sandbox):
    """Refusals are ours; what has gone to Webex may have the page."""

    running = module_gateway(server="""
        wholesale   on;
        error_page  400 401 403 404 405 413 415 429 /4xx.html;
        error_page  500 502 503 504 /50x.html;
        location = /50x.html { return 502 "the page\\n"; }
    """)

    check_refusal(running.update({"Authorization": None}), 401)
    check_refusal(running.update(body=b"{}"), 400)
    check_refusal(running.update(body=b" " * 70000), 413)
    check_refusal(running.update(target="/other"), 404)
    check_refusal(running.update({"Content-Type": "text/plain"}), 415)


@pytest.mark.parametrize("where", ("error_page", "mirror", "post_action"))
def test_the_token_goes_to_webex_alone(gateway, sandbox, where):
    running = gateway(
        location={
            "error_page": "error_page  503 = @other;"
                          "proxy_intercept_errors  on;",
            "mirror": "mirror  /other;",
            "post_action": "post_action  /other;",
        }[where],
        server="""
        location @other {
            proxy_pass        http://webex;
            proxy_set_header  X-Other yes;
        }

        location = /other {
            internal;
            proxy_pass        http://webex/other;
            proxy_set_header  X-Other yes;
        }
    """)

    if where == "error_page":
        sandbox.fail(times=1, status=503)

    running.update({"X-API-Key": running.keys["acme"], "Cookie": "a=b"})
    running.wait_for(lambda: sandbox.count == 2, "the other request")

    for request in sandbox.requests:
        assert (request.header("Authorization") is None) == \
            (request.header("X-Other") == "yes")
        assert request.header("X-API-Key") is None
        assert request.header("Cookie") is None


def test_webex_gives_no_orders(module_gateway, sandbox):
    running = module_gateway(server="""
        location = /inside { internal; return 200 "inside\\n"; }
    """)

    sandbox.fail(times=1, status=202, body="{}",
                 headers=[["X-Accel-Redirect", "/inside"],
                          ["Content-Type", "application/json"]])

    answer = running.update()
    assert (answer.status, answer.body) == (202, b"{}")
