# Copyright (C) The wholesale gateway authors

"""An endpoint that kills each refresh token that is used, and a gateway that
is killed at any moment: it comes back with a refresh token that is good, or
says that there is none.
REFRESHES=200 in the environment makes it as many.
"""

import os
import random
import signal
import time

from gateway.credentials import refreshes


LOUD = [r"a person has to authorise anew"]

REFRESHES = 12


def kill(running):
    """All at once, as when a container is; nobody may clean up."""

    pids = [running.process.pid, *running.workers()]
    running.process.kill()

    for pid in pids[1:]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    running.process.wait()
    running.worker_pids.clear()


def test_killed_at_any_moment(refreshing, sandbox):
    number = int(os.environ.get("REFRESHES", REFRESHES))
    sandbox.set(rotate=True)

    running = refreshing(tolerated=LOUD)
    first = running.read_secret("refresh_token")
    random.seed(number)
    lost = good = 0

    for _ in range(number):
        sandbox.expire_tokens()
        assert running.update(body=b"{}").status == 400

        before = running.read_secret("refresh_token")

        # all of it, with the refresh, takes some five milliseconds
        with running.connect() as connection:
            connection.send(running.encode_update())
            time.sleep(random.uniform(0, 0.008))
            kill(running)

        running.start()
        status = running.update().status

        if status == 202:
            good += 1
            continue

        # the endpoint has given a token, and nobody could write it down
        assert running.read_secret("refresh_token") == before
        assert status == 503
        state = running.credential()
        assert state["state"] == "refused"
        assert "authorise anew" in state["advice"]
        lost += 1

        sandbox.add_refresh_token(first)
        running.write_secret("refresh_token", first)
        running.wait_for(lambda: running.update().status == 202,
                         "the new refresh token")

    print(f"{good} came back by themselves, {lost} had to be authorised anew, "
          f"after {len(refreshes(sandbox))} refreshes")
    assert good
    assert len(refreshes(sandbox)) > number
