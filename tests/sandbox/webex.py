# Copyright (C) The wholesale gateway authors

"""What webexapis.com does with a request: its customers, its tokens, the form
of its answers.  Knows nothing of connections."""

import json
import os
import re
import time
import urllib.parse
import uuid

from wire import Answer


REFERENCE_CUSTOMER = (
    "Y2lzY29zcGFyazovL3VzL0VOVEVSUFJJU0UvNTJjZjU3NmQtNjBhOC00MDdhLWIyMmMt"
    "NDY3YzUxNTkxOTA4"
)

CUSTOMERS = "/v1/wholesale/customers"
SUBSCRIBERS = "/v1/wholesale/subscribers"
REPORTS = "/v1/wholesale/billing/reports"

PAGE_SIZE = 10

CODE_MISSING = 1001


class Customer:
    """A customer is "updating" until "due", and has its old packages so long.

    There is no timer: whoever looks at it settles it first.
    """

    def __init__(self, id, packages, external_id=None, address=None):
        self.id = id
        self.packages = list(packages)
        self.external_id = external_id
        self.address = address
        self.org_id = str(uuid.uuid4())
        self.status = "provisioned"
        self.due = None
        self.update = None

    def settle(self, now):
        if self.due is None or now < self.due:
            return

        if self.status == "updating":
            self.packages = self.update["packages"]
            self.external_id = self.update.get("externalId",
                                               self.external_id)
            self.address = self.update.get("address", self.address)

        self.status = "provisioned"
        self.due = None
        self.update = None

    def as_json(self):
        document = {"id": self.id, "orgId": self.org_id,
                    "status": self.status}

        if self.external_id is not None:
            document["externalId"] = self.external_id

        if self.address is not None:
            document["address"] = self.address

        document["packages"] = [{"name": name, "status": self.status}
                                for name in self.packages]
        return document


class Webex:
    """The whole state; "settings" may be changed at any time.

    settings:
      update_seconds               how long a customer is "updating"
      any_customer                 unknown customers come to be by a PUT
      check_tokens                 False: any bearer token will do
      access_token_seconds         lifetime of tokens from the token endpoint
      refresh_token_seconds
      rotate                       each refresh kills the refresh token used
      trackingid                   "echo", or "double": "X, X"
    """

    DEFAULTS = {
        "update_seconds": 1.0,
        "any_customer": False,
        "check_tokens": True,
        "access_token_seconds": 14 * 86400,
        "refresh_token_seconds": 90 * 86400,
        "rotate": False,
        "trackingid": "echo",
    }

    def __init__(self, origin, access_token, client_id, client_secret,
                 refresh_token, customers=(), **settings):
        self.origin = origin
        self.client_id = client_id
        self.client_secret = client_secret
        self.start = (access_token, refresh_token, tuple(customers),
                      {**self.DEFAULTS, **settings})
        self.reset()

    def reset(self):
        """Everything as it was at the start."""

        access_token, refresh_token, customers, settings = self.start

        self.settings = dict(settings)
        self.customers = {}
        self.subscribers = {}
        self.reports = {}

        # each token's end, in seconds of the monotonic clock; None: never
        self.access_tokens = {access_token: None}
        self.refresh_tokens = {refresh_token: None}

        for id in (REFERENCE_CUSTOMER, *customers):
            self.add_customer(id)

    def add_customer(self, id, packages=("webex_meetings",)):
        self.customers[id] = Customer(id, packages)

    # the requests

    def answer(self, request):
        tracking_id = request.header("TrackingID") \
            or f"ROUTERGW_{uuid.uuid4()}"

        try:
            answer = self.route(request)
        except Refusal as refusal:
            answer = refusal.answer(tracking_id)

        if self.settings["trackingid"] == "double":
            tracking_id = f"{tracking_id}, {tracking_id}"

        answer.headers.append(("trackingid", tracking_id))
        return answer

    def route(self, request):
        if request.path == "/v1/access_token":
            return self.on_method(request, {"POST": self.refresh})

        self.authenticate(request)

        for pattern, methods in self.ROUTES:
            match = pattern.fullmatch(request.path)

            if match:
                methods = {name: getattr(self, handler)
                           for name, handler in methods.items()}
                return self.on_method(request, methods, *map(
                    urllib.parse.unquote, match.groups()))

        raise Refusal(404, "The requested resource could not be found.")

    def on_method(self, request, methods, *arguments):
        method = "GET" if request.method == "HEAD" else request.method

        if method not in methods:
            raise Refusal(405, "The method is not allowed here.",
                          headers=[("Allow", ", ".join(methods))])

        return methods[method](request, *arguments)

    def authenticate(self, request):
        scheme, _, token = (request.header("Authorization") or "").partition(
            " ")

        if scheme.lower() == "bearer" and self.live(self.access_tokens,
                                                    token):
            return

        raise Refusal(401, "The request requires a valid access token set in "
                           "the Authorization request header.")

    def live(self, tokens, token):
        if tokens is self.access_tokens and not self.settings["check_tokens"]:
            return token != ""

        if token not in tokens:
            return False

        return tokens[token] is None or time.monotonic() < tokens[token]

    # customers

    def customer(self, id):
        if id not in self.customers:
            raise Refusal(404, "The customer could not be found.")

        customer = self.customers[id]
        customer.settle(time.monotonic())
        return customer

    def list_customers(self, request):
        query = urllib.parse.parse_qs(request.query)
        offset = whole_number(query, "offset", 0)
        size = max(1, whole_number(query, "max", PAGE_SIZE))

        customers = [self.customer(id) for id in self.customers]

        if "status" in query:
            customers = [customer for customer in customers
                         if customer.status == query["status"][0]]

        if "externalId" in query:
            customers = [customer for customer in customers
                         if customer.external_id == query["externalId"][0]]

        headers = []

        if offset + size < len(customers):
            query = {**query, "offset": [offset + size], "max": [size]}
            headers = [("Link", f"<{self.origin}{CUSTOMERS}?"
                        + urllib.parse.urlencode(query, doseq=True)
                        + '>; rel="next"')]

        return Answer.of_json(
            200, {"items": [customer.as_json() for customer
                            in customers[offset:offset + size]]}, headers)

    def create_customer(self, request):
        update = self.read_update(request)
        id = str(uuid.uuid4())

        self.add_customer(id, [])
        return self.accept(self.customers[id], update, "provisioning")

    def validate_customer(self, request):
        self.read_update(request)
        return Answer.of_json(200, {"info": [
            {"code": 100, "description": "Precheck is good."}]})

    def get_customer(self, request, id):
        return Answer.of_json(200, self.customer(id).as_json())

    def update_customer(self, request, id):
        update = self.read_update(request)

        if self.settings["any_customer"] and id not in self.customers:
            self.add_customer(id)

        return self.accept(self.customer(id), update, "updating")

    def delete_customer(self, request, id):
        self.customer(id)
        del self.customers[id]
        return Answer(204)

    def read_update(self, request):
        """Lenient: what the gateway lets through is for the tests to say."""

        update = read_object(request)

        if not isinstance(update.get("packages"), list):
            raise Refusal(400, "A mandatory parameter is missing: packages",
                          code=CODE_MISSING)

        return update

    def accept(self, customer, update, status):
        customer.settle(time.monotonic())
        customer.status = status
        customer.update = update
        customer.due = time.monotonic() + self.settings["update_seconds"]

        if status == "provisioning":
            customer.packages = update["packages"]

        url = f"{self.origin}{CUSTOMERS}/{customer.id}"
        return Answer.of_json(202, {"url": url}, [("Location", url)])

    # the calls beside it, as much of them as a gateway needs to be tested

    def list_sub_partners(self, request):
        return Answer.of_json(200, {"items": []})

    def list_subscribers(self, request):
        return Answer.of_json(200, {"items": list(self.subscribers.values())})

    def create_subscriber(self, request):
        return self.keep(self.subscribers, SUBSCRIBERS, read_object(request))

    def validate_subscriber(self, request):
        read_object(request)
        return Answer.of_json(200, {"info": [
            {"code": 100, "description": "Precheck is good."}]})

    def get_subscriber(self, request, id):
        return Answer.of_json(200, found(self.subscribers, id))

    def update_subscriber(self, request, id):
        found(self.subscribers, id).update(read_object(request))
        return Answer.of_json(200, self.subscribers[id])

    def delete_subscriber(self, request, id):
        found(self.subscribers, id)
        del self.subscribers[id]
        return Answer(204)

    def list_reports(self, request):
        return Answer.of_json(200, {"items": list(self.reports.values())})

    def create_report(self, request):
        return self.keep(self.reports, REPORTS, {
            **read_object(request), "status": "COMPLETED",
            "tempDownloadURL":
                "https://reports.example.com/download?signature=0123456789"})

    def get_report(self, request, id):
        return Answer.of_json(200, found(self.reports, id))

    def delete_report(self, request, id):
        found(self.reports, id)
        del self.reports[id]
        return Answer(204)

    def keep(self, documents, path, document):
        id = str(uuid.uuid4())
        documents[id] = {**document, "id": id}
        url = f"{self.origin}{path}/{id}"
        return Answer.of_json(201, documents[id], [("Location", url)])

    # tokens

    def refresh(self, request):
        type = (request.header("Content-Type") or "").partition(";")[0]

        if type.strip().lower() != "application/x-www-form-urlencoded":
            raise Refusal(415, "The media type is not supported.")

        form = urllib.parse.parse_qs(request.body.decode("latin-1"),
                                     keep_blank_values=True)
        values = {name: value[0] for name, value in form.items()}
        token = values.get("refresh_token", "")

        if values.get("grant_type") != "refresh_token":
            raise Refusal(400, "The grant type provided is not supported.")

        if values.get("client_id") != self.client_id \
                or values.get("client_secret") != self.client_secret:
            raise Refusal(401, "The client is not authorized.")

        if not self.live(self.refresh_tokens, token):
            raise Refusal(400, "The refresh token provided is expired, "
                               "revoked, malformed or invalid.")

        settings = self.settings
        now = time.monotonic()

        if settings["rotate"]:
            del self.refresh_tokens[token]
            token = new_token()

        access_token = new_token()

        self.access_tokens[access_token] = \
            now + settings["access_token_seconds"]
        self.refresh_tokens[token] = now + settings["refresh_token_seconds"]

        return Answer.of_json(200, {
            "access_token": access_token,
            "expires_in": settings["access_token_seconds"],
            "refresh_token": token,
            "refresh_token_expires_in": settings["refresh_token_seconds"],
            "token_type": "Bearer",
            "scope": "spark-admin:wholesale_customers_read "
                     "spark-admin:wholesale_customers_write",
        })

    ROUTES = [(re.compile(pattern), methods) for pattern, methods in (
        (CUSTOMERS, {"GET": "list_customers", "POST": "create_customer"}),
        (CUSTOMERS + "/validate", {"POST": "validate_customer"}),
        (CUSTOMERS + "/([^/]+)", {"GET": "get_customer",
                                  "PUT": "update_customer",
                                  "DELETE": "delete_customer"}),
        ("/v1/wholesale/subPartners", {"GET": "list_sub_partners"}),
        (SUBSCRIBERS, {"GET": "list_subscribers",
                       "POST": "create_subscriber"}),
        (SUBSCRIBERS + "/validate", {"POST": "validate_subscriber"}),
        (SUBSCRIBERS + "/([^/]+)", {"GET": "get_subscriber",
                                    "PUT": "update_subscriber",
                                    "DELETE": "delete_subscriber"}),
        (REPORTS, {"GET": "list_reports", "POST": "create_report"}),
        (REPORTS + "/([^/]+)", {"GET": "get_report",
                                "DELETE": "delete_report"}),
    )]


class Refusal(Exception):
    """An answer in the form of Webex's errors."""

    def __init__(self, status, message, code=None, headers=()):
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.headers = headers

    def answer(self, tracking_id):
        error = {"description": self.message}

        if self.code is not None:
            error["errorCode"] = self.code

        return Answer.of_json(self.status, {
            "message": self.message,
            "errors": [error],
            "trackingId": tracking_id,
        }, self.headers)


def new_token():
    return os.urandom(32).hex()


def read_object(request):
    type = (request.header("Content-Type") or "").partition(";")[0]

    if type.strip().lower() != "application/json":
        raise Refusal(415, "The media type is not supported.")

    try:
        document = json.loads(request.body)
    except (ValueError, RecursionError):
        raise Refusal(400, "The request body is not valid JSON.") from None

    if not isinstance(document, dict):
        raise Refusal(400, "The request body is not a JSON object.")

    return document


def found(documents, id):
    if id not in documents:
        raise Refusal(404, "The requested resource could not be found.")

    return documents[id]


def whole_number(query, name, default):
    try:
        return max(0, int(query[name][0]))
    except (KeyError, ValueError):
        return default
