# Copyright (C) The wholesale gateway authors

"""The new refresh token, from the endpoint's answer until it is in its file:
it is not lost, whatever becomes of the file meanwhile, and is no reason to
lose what somebody else has put there."""

import os
import pathlib
import shutil
import signal
import subprocess
import time

import pytest

from gateway.credentials import Refreshing, refreshes
from gateway.nginx import PRELOAD
from gateway import secrets


# a file that even root may not read
UNREADABLE = "/proc/sys/vm/compact_memory"


@pytest.fixture
def unsaved(refreshing, sandbox):
    """A gateway whose refresh token is in memory only, and what is in the
    way of its file: root may write anywhere, but over no folder."""

    def start(**options):
        sandbox.set(rotate=True)
        running = refreshing(**options)
        spare = pathlib.Path(f"{running.folder}/refresh_token.wholesale.new")
        spare.mkdir()
        running.warm()
        assert "in memory only" in running.log
        return running, spare

    return start


def test_it_is_written_later(unsaved):
    """By nobody's request."""

    running, spare = unsaved()
    old = running.read_secret("refresh_token")

    # once, however often it is tried
    time.sleep(2.2)
    assert running.log.count("in memory only") == 1

    spare.rmdir()
    running.wait_for(lambda: running.read_secret("refresh_token") != old,
                     "the new refresh token")
    running.wait_for(lambda: "at last" in running.log, "the log line")
    assert "advice" not in running.credential()


def test_the_same_one_again_is_written_later(unsaved, sandbox):
    """The endpoint need not give another one each time."""

    running, spare = unsaved()
    old = running.read_secret("refresh_token")

    sandbox.set(rotate=False)
    sandbox.expire_tokens()
    assert running.update().status == 202
    assert "memory" in running.credential()["advice"]

    spare.rmdir()
    running.wait_for(lambda: running.read_secret("refresh_token") != old,
                     "the new refresh token")


TROUBLES = {
    "missing": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "large": lambda path: path.write_bytes(b"x" * 1_000_000),
    "unreadable": lambda path: (path.unlink(), path.symlink_to(UNREADABLE)),
    "dangling": lambda path: (path.unlink(), path.symlink_to("nowhere")),
    "folder": lambda path: (path.unlink(), path.mkdir()),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_while_the_file_cannot_be_read(unsaved, sandbox, trouble):
    """And after that: the file is the old one again."""

    running, spare = unsaved()
    path = running.folder / "refresh_token"
    old = path.read_bytes()

    TROUBLES[trouble](path)

    for _ in range(2):
        sandbox.expire_tokens()
        assert running.update().status == 202

    assert "memory" in running.credential()["advice"]

    if trouble == "folder":
        path.rmdir()

    running.write_secret("refresh_token", old)
    sandbox.expire_tokens()
    assert running.update().status == 202

    spare.rmdir()
    running.wait_for(lambda: path.read_bytes() != old,
                     "the new refresh token")
    sandbox.expire_tokens()
    assert running.update().status == 202


@pytest.mark.parametrize("trouble", ("missing", "unreadable", "dangling"))
def test_it_is_refused_while_the_file_cannot_be_read(unsaved, sandbox,
                                                     trouble):
    """That is no change of the file, for which it would be tried again."""

    running, _ = unsaved(tolerated=[r"a person has to authorise anew"])
    TROUBLES[trouble](running.folder / "refresh_token")

    sandbox.fail(path="/v1/access_token", status=400, json={})
    sandbox.expire_tokens()
    assert running.update().status == 503
    count = len(refreshes(sandbox))

    end = time.monotonic() + 2.5

    while time.monotonic() < end:
        assert running.update().status == 503
        time.sleep(0.1)

    assert len(refreshes(sandbox)) == count
    assert running.log.count("[crit]") == 1

    sandbox.heal()
    theirs = secrets.make()
    sandbox.add_refresh_token(theirs)
    running.write_secret("refresh_token", theirs)
    running.wait_for(lambda: running.update().status == 202, "the recovery")


def test_a_file_that_is_only_touched(unsaved, sandbox):
    """It is still the old one."""

    running, _ = unsaved()

    running.write_secret("refresh_token",
                         running.read_secret("refresh_token") + "\n")
    sandbox.expire_tokens()
    assert running.update().status == 202


@pytest.mark.parametrize("what", ("name", "endpoint", "secret"))
def test_another_configuration(unsaved, sandbox, what):
    """The refresh token is that of its file."""

    running, spare = unsaved()
    old = running.read_secret("refresh_token")

    shutil.copy(running.folder / "client_secret",
                running.folder / "other_secret")

    running.conf = {
        "name": running.conf.replace("credential webex", "credential other"),
        "endpoint": running.conf.replace("/_webex/access_token", "/_other"),
        "secret": running.conf.replace("client_secret;", "other_secret;"),
    }[what]

    running.write_tenants({"acme": {"credential": "other"
                                    if what == "name" else "webex"}})
    running.write_conf()
    running.reload()

    assert running.update().status == 202
    assert len(refreshes(sandbox)) == 2

    spare.rmdir()
    running.wait_for(lambda: running.read_secret("refresh_token") != old,
                     "the new refresh token")


def test_a_zone_of_another_size(unsaved, sandbox):
    """It would begin empty: not before the refresh token is in its file."""

    running, spare = unsaved(http="wholesale_zone 16m;",
                             tolerated=[r"\[emerg\]"])
    old = running.read_secret("refresh_token")

    running.change(http="wholesale_zone 17m;")
    running.process.send_signal(signal.SIGHUP)
    running.wait_for(lambda: '"wholesale_zone" cannot have another size now'
                     in running.log, "the refusal")

    sandbox.expire_tokens()
    assert running.update().status == 202

    spare.rmdir()
    running.wait_for(lambda: running.read_secret("refresh_token") != old
                     and "advice" not in running.credential(),
                     "the new refresh token")

    running.reload()
    assert running.update().status == 202


def test_a_file_that_is_moved(unsaved, sandbox):
    """The way out where its folder cannot be mended: a copy of it elsewhere,
    under which the kept one is found again."""

    running, _ = unsaved()
    folder = running.folder / "writable"
    folder.mkdir()
    shutil.copy(running.folder / "refresh_token", folder)
    old = running.read_secret("refresh_token")

    running.conf = running.conf.replace("  refresh_token;",
                                        "  writable/refresh_token;")
    running.write_conf()
    running.reload()

    assert running.update().status == 202
    assert "was copied" in running.log
    assert "advice" not in running.credential()
    assert running.read_secret("writable/refresh_token") != old
    assert refreshes(sandbox)[-1]["refresh_token"] != old


def test_an_operators_file_wins(refreshing, sandbox):
    """It was put in place in the middle of a refresh."""

    sandbox.set(rotate=True)
    running = refreshing()
    theirs = secrets.make()
    sandbox.add_refresh_token(theirs)
    sandbox.fail(path="/v1/access_token", delay=0.5, times=1)

    with running.connect() as connection:
        connection.send(running.encode_update())
        running.wait_for(lambda: sandbox.count == 1, "the refresh")
        running.write_secret("refresh_token", theirs)
        assert connection.answer("PUT").status == 202

    assert running.read_secret("refresh_token") == theirs
    assert "has been replaced meanwhile" in running.log
    assert "advice" not in running.credential()

    sandbox.expire_tokens()
    assert running.update().status == 202
    assert refreshes(sandbox)[-1]["refresh_token"] == theirs


def test_an_operators_file_wins_later(unsaved, sandbox):
    running, spare = unsaved()
    theirs = secrets.make()
    sandbox.add_refresh_token(theirs)

    running.write_secret("refresh_token", theirs)
    spare.rmdir()
    running.wait_for(lambda: "advice" not in running.credential(),
                     "the end of it")
    assert running.read_secret("refresh_token") == theirs

    sandbox.expire_tokens()
    assert running.update().status == 202
    assert refreshes(sandbox)[-1]["refresh_token"] == theirs


@pytest.mark.parametrize("trouble", ("missing", "empty", "blank"))
@pytest.mark.parametrize("linked", (False, True))
def test_a_file_that_has_nobodys_token(refreshing, sandbox, trouble, linked):
    """It is made anew."""

    sandbox.set(rotate=True)
    running = refreshing()
    running.warm()
    path = running.folder / "refresh_token"

    if linked:
        (running.folder / "folder").mkdir()
        path.rename(running.folder / "folder/refresh_token")
        shutil.move(running.folder / "folder", running.folder / "place")
        (running.folder / "folder").symlink_to("place")
        running.conf = running.conf.replace("  refresh_token;",
                                            "  folder/refresh_token;")
        running.write_conf()
        running.reload()
        path = running.folder / "folder/refresh_token"

    sandbox.expire_tokens()
    sandbox.clear()
    sandbox.fail(path="/v1/access_token", delay=0.5, times=1)

    with running.connect() as connection:
        connection.send(running.encode_update())
        running.wait_for(lambda: len(refreshes(sandbox)) == 1, "the refresh")

        if trouble == "missing":
            path.unlink()
        else:
            path.write_text("" if trouble == "empty" else "\n")

        assert connection.answer("PUT").status == 202

    assert len(path.read_text()) >= 40
    assert path.stat().st_mode & 0o7777 == 0o600
    assert "in memory only" not in running.log

    sandbox.expire_tokens()
    assert running.update().status == 202


def test_a_link_that_leads_nowhere(unsaved):
    """It is somebody's, and the advice says what is wrong."""

    running, spare = unsaved()
    assert "no file can be made beside it" in running.credential()["advice"]

    path = running.folder / "refresh_token"
    path.unlink()
    path.symlink_to("nowhere")
    spare.rmdir()

    running.wait_for(lambda: "refresh_token_file cannot be found:"
                     in running.credential()["advice"], "the advice")
    assert path.is_symlink()


def test_a_worker_that_dies_with_it(unsaved, sandbox):
    """What is in the zone is there for the next one."""

    running, spare = unsaved(tolerated=[r"exited on signal 9"])
    old = running.read_secret("refresh_token")

    running.kill_workers()
    spare.rmdir()
    running.wait_for(lambda: running.read_secret("refresh_token") != old,
                     "the new refresh token")


# what a gateway that was killed has left

@pytest.fixture
def left(tmp_path, sandbox):
    """A gateway beside whose refresh token there is another one, which is
    good, too; "text" is how it stands in its file."""

    started = []

    def start(text="{}\n", later=False):
        sandbox.set(rotate=True)
        running = Refreshing(tmp_path / "gateway", sandbox)
        started.append(running)
        token = secrets.make()

        sandbox.add_refresh_token(token)
        (running.folder / "refresh_token.wholesale.new").write_text(
            text.format(token))

        if later:
            time.sleep(0.02)
            running.write_secret("refresh_token",
                                 running.read_secret("refresh_token"))

        return running.start(), token

    yield start

    for running in started:
        running.stop()


def test_one_that_was_about_to_be_written(left, sandbox):
    running, token = left()

    assert running.update().status == 202
    assert refreshes(sandbox)[0]["refresh_token"] == token
    assert "took up the refresh token" in running.log
    assert running.read_secret("refresh_token") != token
    assert not list(running.folder.glob("refresh_token.*"))


@pytest.mark.parametrize("text, later", (
    ("{}", False), ("", False), ("\0" * 50 + "\n", False), ("{}\n", True)))
def test_one_that_is_of_no_use(left, sandbox, text, later):
    """Torn, or older than the file that somebody has put in place since."""

    running, token = left(text, later)
    old = sandbox.read_secret("refresh_token")

    assert running.update().status == 202
    assert refreshes(sandbox)[0]["refresh_token"] == old
    assert not list(running.folder.glob("refresh_token.*"))


# a disk that does not answer

SHIM = r"""
#include <unistd.h>

int
fsync(int fd)
{
    while (access("%s", F_OK) == 0) {
        usleep(10000);
    }

    return fdatasync(fd);
}
"""


class Hanging(Refreshing):
    """Its disk does not answer while there is a file "hang"."""

    def environment(self):
        source = self.folder / "shim.c"
        source.write_text(SHIM % (self.folder / "hang"))
        library = self.folder / "shim.so"
        subprocess.run(("cc", "-shared", "-fPIC", "-o", library, source),
                       check=True)

        environment = super().environment()
        environment["LD_PRELOAD"] = f"{PRELOAD} {library}".strip()
        return environment


def test_a_disk_that_hangs(tmp_path, sandbox):
    """No request waits for it for ever, and no other refresh does."""

    sandbox.set(rotate=True)
    running = Hanging(tmp_path / "gateway", sandbox,
                      credential="refresh_wait 20s;")
    running.start()

    try:
        old = running.read_secret("refresh_token")
        hang = running.folder / "hang"
        hang.touch()

        start = time.monotonic()
        assert running.update().status == 202
        assert 4 < time.monotonic() - start < 8
        assert "takes too long" in running.log
        assert "memory" in running.credential()["advice"]

        # with what is in memory; the file is not waited for again
        sandbox.expire_tokens()
        start = time.monotonic()
        assert running.update().status == 202
        assert time.monotonic() - start < 3
        assert running.read_secret("refresh_token") == old

        hang.unlink()
        running.wait_for(lambda: "advice" not in running.credential(),
                         "the file")

        running.process.kill()
        for pid in running.workers():
            os.kill(pid, 9)
        running.process.wait()
        running.worker_pids.clear()

        # what is in the file is the last one
        running.start()
        assert running.update().status == 202

    finally:
        running.stop()
