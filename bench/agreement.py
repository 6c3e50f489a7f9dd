# Copyright (C) The wholesale gateway authors

"""Whether a peer does the same work: how it judges the cases of the contract's
own tests."""

import http.client
import json

import subjects
from setting import PATH, ROOT


CASES = ROOT / "tests/unit/cases"
STATUS = {"valid": 202, "invalid": 400}
BODY_MAX = 65536


def cases():
    """Bodies, and what is right: those that take no rules of their own."""

    for kind, status in STATUS.items():
        for folder in sorted((CASES / kind).iterdir()):
            expected = json.loads((folder / "expected.json").read_text())
            body = (folder / "input.json").read_bytes()

            if body and len(body) <= BODY_MAX and "rules" not in expected \
                    and "catalogue" not in expected:
                yield body, status


def judge(subject):
    """How many of how many it judges as it should."""

    right = total = 0

    for body, status in cases():
        connection = http.client.HTTPConnection("127.0.0.1", subject.port, 30)
        connection.request("PUT", PATH, body, {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {subjects.KEY}"})
        answer = connection.getresponse()
        answer.read()
        connection.close()

        total += 1
        right += answer.status == status

    return right, total


def report(measured):
    def sentence(subject):
        right, total = judge(subject)
        return f"{subject.name} {right} of {total}"

    return ("Of the cases of the contract's own tests are judged as they "
            "should: " + ", ".join(map(sentence, measured)) + ".")
