# Copyright (C) The wholesale gateway authors

"""What every answer that the gateway makes itself looks like."""

import http
import re


OUR_TRACKING_ID = re.compile(
    "WGW_[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

QUOTA_EXCEEDED = \
    "https://iana.org/assignments/http-problem-types#quota-exceeded"

TEMPORARY_REDUCED_CAPACITY = "https://iana.org/assignments/" \
    "http-problem-types#temporary-reduced-capacity"

# RFC 9110 renamed these; both names are in use
TITLES = {
    413: {"Request Entity Too Large", "Content Too Large",
          "Payload Too Large"},
    414: {"Request-URI Too Large", "Request-URI Too Long", "URI Too Long"},
    423: {"Locked"},
    429: None,              # the title belongs to the type there
}

MEMBERS = {"message", "errors", "trackingId", "type", "title", "status"}

# of the client's own input in one sentence, and what else may be there
QUOTED_MAX = 64


def check_refusal(answer, status, tracking_id=None, problem=False,
                  reduced=False):
    """Asserts that this is a refusal by the gateway itself.

    tracking_id: the client's, None: it is ours; problem: the media type;
    reduced: refused for a reduced capacity.  Returns the document.
    """

    assert answer.status == status, answer
    assert answer.complete

    content_type = "application/problem+json" if problem \
        else "application/json"
    assert answer.header("Content-Type").split(";")[0] == content_type

    document = answer.json
    assert set(document) - {"violated-policies"} == MEMBERS

    assert document["status"] == status
    assert document["message"] and isinstance(document["message"], str)

    for error in document["errors"]:
        assert set(error) - {"pointer", "errorCode"} == {"description"}
        assert error["description"] and isinstance(error["description"], str)

    if tracking_id is None:
        assert OUR_TRACKING_ID.fullmatch(document["trackingId"])
    else:
        assert document["trackingId"] == tracking_id

    titles = TITLES.get(status, {http.HTTPStatus(status).phrase})
    assert document["title"] if titles is None \
        else document["title"] in titles

    if reduced:
        assert document["type"] == TEMPORARY_REDUCED_CAPACITY
        assert "violated-policies" not in document
    elif status == 429:
        assert document["type"] == QUOTA_EXCEEDED
        assert document["violated-policies"]
    else:
        assert document["type"] == "about:blank"
        assert "violated-policies" not in document

    retry_after = answer.header("Retry-After")

    if status in (423, 429, 503):
        assert re.fullmatch("[1-9][0-9]*", retry_after)
    else:
        assert retry_after is None

    return document


def check_401(answer, **options):
    challenge = answer.header("WWW-Authenticate")
    assert challenge == "Bearer" or challenge.startswith("Bearer ")

    return check_refusal(answer, 401, **options)
