# Copyright (C) The wholesale gateway authors

"""The sandbox's other side, on a port of its own: what tests ask of it.

  GET    /_sandbox/requests       the record: {"requests": [...]}
  GET    /_sandbox/count          how many came: {"count": N}; the record has
                                  only the last of them if they are too many
  DELETE /_sandbox/requests       forget it
  GET    /_sandbox/journal        {"answers": [[TRACKING-ID, METHOD, STATUS],
                                  ...]}: all of them since the setting
                                  "journal" is true; STATUS is null where the
                                  connection was cut
  GET    /_sandbox/settings       all settings
  POST   /_sandbox/settings       change those that are named
  POST   /_sandbox/faults         one more fault, see Fault
  DELETE /_sandbox/faults         no more faults; who waits for an answer that
                                  never comes is cut off
  POST   /_sandbox/tokens         {"access_token": T, "seconds": S or null}:
                                  T is good for S seconds from now
  DELETE /_sandbox/tokens         all access tokens are expired
  POST   /_sandbox/refresh        {"refresh_token": T}: T is good, whatever
                                  became of it
  GET    /_sandbox/customers      all customers
  POST   /_sandbox/customers      {"id": ID, "packages": [...]}: one more
  POST   /_sandbox/reset          everything as it was at the start
"""

import asyncio
import base64
import collections
import fnmatch
import json
import time

from wire import Answer


class Record:
    """The last "size" requests, in the order in which they were complete."""

    def __init__(self, size):
        self.requests = collections.deque(maxlen=size)
        self.count = 0

    def add(self, request):
        request.order = self.count
        self.count += 1
        self.requests.append(request)

    def clear(self):
        self.requests.clear()
        self.count = 0


class Fault:
    """What becomes of requests that match, instead of or beside the answer.

      method   "PUT"; absent: any
      path     shell pattern for the path without the query; absent: any
      query    shell pattern for the query; absent: any
      times    how many requests it meets; absent or null: all that come

      delay    seconds to wait first
      status   answer this; with "headers" (a list of pairs) and "body" (text)
               or "json"; absent: the usual answer
      raw      send exactly these bytes (base64) and close
      cut      close the connection "before" the answer, after half of its
               "head", or in its "body"
      bytes    with "head" and "body": how many bytes of it are sent first
      reset    with "cut": true: by a TCP reset
      never    true: no answer, until the client goes or the faults are cleared
    """

    MEMBERS = {"method", "path", "query", "times", "delay", "status", "headers",
               "body", "json", "raw", "cut", "bytes", "reset", "never"}

    def __init__(self, document):
        unknown = set(document) - self.MEMBERS

        if unknown:
            raise ValueError(f"unknown members: {sorted(unknown)}")

        self.method = document.get("method")
        self.path = document.get("path", "*")
        self.query = document.get("query", "*")
        self.times = document.get("times")
        self.delay = document.get("delay", 0)
        self.status = document.get("status")
        self.headers = [tuple(pair) for pair in document.get("headers", ())]
        self.body = document.get("body", "").encode()
        self.raw = None
        self.cut = document.get("cut")
        self.bytes = document.get("bytes")
        self.reset = document.get("reset", False)
        self.never = document.get("never", False)

        if "json" in document:
            self.body = json.dumps(document["json"]).encode()
            self.headers.insert(0, ("Content-Type", "application/json"))

        if "raw" in document:
            self.raw = base64.b64decode(document["raw"])

        if self.cut not in (None, "before", "head", "body"):
            raise ValueError(f"unknown cut: {self.cut}")

    def matches(self, request):
        return (self.method in (None, request.method)
                and fnmatch.fnmatchcase(request.path, self.path)
                and fnmatch.fnmatchcase(request.query, self.query))

    def answer(self):
        if self.status is None:
            return None

        return Answer(self.status, self.headers, self.body)


class Control:
    """The state that tests change, and the answers to them.

    settings beside those of Webex:
      gzip      "never", "asked" (by Accept-Encoding), "always"
      chunked   true: every answer goes out chunked
      journal   true: a line about every answer is kept
    """

    DEFAULTS = {"gzip": "never", "chunked": False, "journal": False}

    def __init__(self, webex, record_size):
        self.webex = webex
        self.record = Record(record_size)
        self.journal = []
        self.released = asyncio.Event()
        self.faults = []
        self.settings = dict(self.DEFAULTS)

    def take_fault(self, request):
        """The first fault that matches, or None; it has one time less then."""

        for fault in self.faults:
            if fault.matches(request):
                if fault.times is not None:
                    fault.times -= 1

                    if fault.times == 0:
                        self.faults.remove(fault)

                return fault

        return None

    def answered(self, request, status):
        if self.settings["journal"]:
            self.journal.append((request.header("TrackingID"), request.method,
                                 status))

    def answer(self, request):
        handler = self.CALLS.get((request.method, request.path))

        if handler is None:
            return Answer.of_json(404, {"error": "no such control call"})

        try:
            document = json.loads(request.body) if request.body else {}
            return Answer.of_json(200, handler(self, document))
        except (ValueError, KeyError, TypeError) as e:
            return Answer.of_json(400, {"error": repr(e)})

    def get_requests(self, document):
        return {"requests": [request.as_json()
                             for request in self.record.requests]}

    def get_count(self, document):
        return {"count": self.record.count}

    def clear_requests(self, document):
        self.record.clear()
        return {}

    def get_journal(self, document):
        return {"answers": self.journal}

    def get_settings(self, document):
        return {**self.settings, **self.webex.settings}

    def change_settings(self, document):
        for name, value in document.items():
            if name in self.settings:
                self.settings[name] = value
            elif name in self.webex.settings:
                self.webex.settings[name] = value
            else:
                raise ValueError(f"unknown setting: {name}")

        return self.get_settings({})

    def add_fault(self, document):
        self.faults.append(Fault(document))
        return {}

    def clear_faults(self, document):
        self.faults.clear()
        self.released.set()
        self.released = asyncio.Event()
        return {}

    def add_token(self, document):
        seconds = document.get("seconds")

        self.webex.access_tokens[document["access_token"]] = \
            None if seconds is None else time.monotonic() + seconds
        return {}

    def add_refresh_token(self, document):
        self.webex.refresh_tokens[document["refresh_token"]] = None
        return {}

    def expire_tokens(self, document):
        now = time.monotonic()
        tokens = self.webex.access_tokens

        for token in tokens:
            tokens[token] = now

        return {}

    def get_customers(self, document):
        return {"customers": [self.webex.customer(id).as_json()
                              for id in self.webex.customers]}

    def add_customer(self, document):
        self.webex.add_customer(document["id"],
                                document.get("packages", ["webex_meetings"]))
        return {}

    def reset(self, document):
        self.webex.reset()
        self.settings = dict(self.DEFAULTS)
        self.clear_faults({})
        self.clear_requests({})
        self.journal = []
        return {}

    CALLS = {
        ("GET", "/_sandbox/requests"): get_requests,
        ("GET", "/_sandbox/count"): get_count,
        ("DELETE", "/_sandbox/requests"): clear_requests,
        ("GET", "/_sandbox/journal"): get_journal,
        ("GET", "/_sandbox/settings"): get_settings,
        ("POST", "/_sandbox/settings"): change_settings,
        ("POST", "/_sandbox/faults"): add_fault,
        ("DELETE", "/_sandbox/faults"): clear_faults,
        ("POST", "/_sandbox/tokens"): add_token,
        ("DELETE", "/_sandbox/tokens"): expire_tokens,
        ("POST", "/_sandbox/refresh"): add_refresh_token,
        ("GET", "/_sandbox/customers"): get_customers,
        ("POST", "/_sandbox/customers"): add_customer,
        ("POST", "/_sandbox/reset"): reset,
    }
