# Copyright (C) The wholesale gateway authors

"""A certificate for webexapis.com, signed by a small authority of our own."""

import pathlib
import subprocess


NAMES = "DNS:webexapis.com,DNS:localhost,IP:127.0.0.1"

EXTENSIONS = """\
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = {names}
"""


FILES = ("ca.pem", "webexapis.pem", "webexapis.key")


def find(folder):
    """Returns the paths of FILES in "folder", None where they are not."""

    paths = [pathlib.Path(folder) / name for name in FILES]

    return paths if all(path.exists() for path in paths) else None


def make(folder, names=NAMES):
    """Writes FILES into "folder"; "names" are those that the certificate is
    for.

    The authority's own key is thrown away: nothing else can be signed by it.
    Returns the three paths.
    """

    folder = pathlib.Path(folder)
    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
               "-nodes")

    (folder / "extensions").write_text(EXTENSIONS.format(names=names))

    openssl(folder, "req", "-x509", *new_key, "-keyout", "ca.key",
            "-out", "ca.pem", "-days", "30", "-subj", "/CN=Webex sandbox CA",
            "-addext", "basicConstraints=critical,CA:TRUE",
            "-addext", "keyUsage=critical,keyCertSign")

    openssl(folder, "req", "-new", *new_key, "-keyout", "webexapis.key",
            "-out", "webexapis.csr", "-subj", "/CN=webexapis.com")

    openssl(folder, "x509", "-req", "-in", "webexapis.csr", "-CA", "ca.pem",
            "-CAkey", "ca.key", "-set_serial", "1", "-days", "30",
            "-extfile", "extensions", "-out", "webexapis.pem")

    for name in ("ca.key", "webexapis.csr", "extensions"):
        (folder / name).unlink()

    return find(folder)


def openssl(folder, *arguments):
    subprocess.run(("openssl", *arguments), cwd=folder, check=True,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.PIPE)
