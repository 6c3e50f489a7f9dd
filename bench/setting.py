# Copyright (C) The wholesale gateway authors

"""How and where it is measured."""

import os
import pathlib
import re


ROOT = pathlib.Path(__file__).resolve().parent.parent
HERE = ROOT / "bench"
FOLDER = ROOT / "build" / "bench"
SOURCES = ROOT / "ngx_wholesale_module"

NGINX = os.environ.get("NGINX_BIN", "/usr/sbin/nginx")
MODULE = os.environ["MODULE"]
DELAY = ROOT / "build" / "bench_delay"

# with QUICK=1: to see that it works, not how fast
QUICK = bool(os.environ.get("QUICK"))

ROUNDS = 1 if QUICK else int(os.environ.get("ROUNDS", 5))
SECONDS = 1 if QUICK else int(os.environ.get("SECONDS", 2))
CONNECTIONS = (1, 32) if QUICK else (1, 32, 256)

# where a target says nothing else
USUAL = 32

# of the parts that tell how the cost grows
GROWTH_SECONDS = 1

REDIS_DELAY = 2000                      # microseconds

REFERENCE = (ROOT / "tests/gateway/reference.json").read_bytes()

CUSTOMER = ("Y2lzY29zcGFyazovL3VzL0VOVEVSUFJJU0UvNTJjZjU3NmQtNjBhOC00MDdhLWIy"
            "MmMtNDY3YzUxNTkxOTA4")
PATH = f"/v1/wholesale/customers/{CUSTOMER}"
URL = f"https://webexapis.com{PATH}"


def timezones():
    """Those that the gateway has built in."""

    text = (SOURCES / "contract/wholesale_timezones_data.c").read_text()
    return re.findall(r'^ *"([A-Za-z0-9_+/-]+)",?$', text, re.M)
