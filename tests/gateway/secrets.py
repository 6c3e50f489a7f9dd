# Copyright (C) The wholesale gateway authors

"""Keys, tokens and other secrets that tests hand out, none of which may ever
be found in a log."""

import hashlib
import mmap
import secrets


# a log line may be cut short, so that a part of a secret is one too
TELLING = 16


class Vault:
    def __init__(self):
        self.secrets = set()

    def make(self):
        """A new key or token."""

        return self.keep(secrets.token_urlsafe(32))

    def keep(self, secret):
        assert len(secret) >= 2 * TELLING
        self.secrets.add(secret)
        return secret

    def find(self, path):
        """The lines of a file that hold a secret, or one of its halves."""

        if path.stat().st_size == 0:
            return []

        parts = {part.encode() for secret in self.secrets
                 for part in (secret[:TELLING], secret[-TELLING:])}
        lines = []

        with path.open("rb") as file, \
                mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:

            for part in parts:
                at = text.find(part)

                if at >= 0:
                    start = text.rfind(b"\n", 0, at) + 1
                    text.seek(start)
                    lines.append(text.readline().decode("latin-1"))

        return lines


def digest(key):
    """A key as the tenants file has it."""

    return "sha256:" + hashlib.sha256(key.encode()).hexdigest()
