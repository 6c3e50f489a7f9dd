# Copyright (C) The wholesale gateway authors

"""Keys, tokens and other secrets that tests hand out, none of which may ever
be found in a log."""

import hashlib
import mmap
import secrets


# Every few characters of every secret are these, which nothing else holds: a
# log is searched for them, and finds secrets that were cut short as well.

MARK = "~s~"


def make():
    """A new key or token of 128 random bits."""

    return "".join(MARK + secrets.token_hex(2) for _ in range(8))


def leaks(path):
    """The lines of a file that hold a secret, or a part of one."""

    if path.stat().st_size == 0:
        return []

    lines = []

    with path.open("rb") as file, \
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:

        while (at := text.find(MARK.encode(), text.tell())) >= 0:
            text.seek(text.rfind(b"\n", 0, at) + 1)
            lines.append(text.readline().decode("latin-1"))

    return lines


def digest(key):
    """A key as the tenants file has it."""

    return "sha256:" + hashlib.sha256(key.encode()).hexdigest()
