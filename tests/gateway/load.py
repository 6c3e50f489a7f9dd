# Copyright (C) The wholesale gateway authors

"""Many updates, and what they leave behind in a worker."""

import concurrent.futures
import contextlib
import os
import re
import threading
import time


def timed_update(running):
    started = time.monotonic()
    answer = running.update()
    return answer, time.monotonic() - started


def updates_at_once(running, number):
    with concurrent.futures.ThreadPoolExecutor(number) as pool:
        return list(pool.map(lambda _: timed_update(running), range(number)))


def descriptors(running):
    """Of the worker, but for connections to Webex, which are kept."""

    webex = f":{running.values['webex_port']:04X}"

    with open("/proc/net/tcp") as table:
        rows = [line.split() for line in table]

    kept = {f"socket:[{row[9]}]" for row in rows if row[2].endswith(webex)}
    folder = f"/proc/{running.workers()[-1]}/fd"
    number = 0

    for name in os.listdir(folder):
        try:
            number += os.readlink(f"{folder}/{name}") not in kept
        except FileNotFoundError:
            pass

    return number


def memory(running):
    """Of the worker that was started last, in kilobytes: what it does not
    share with anybody."""

    with open(f"/proc/{running.workers()[-1]}/smaps_rollup") as usage:
        return int(re.search(r"Private_Dirty:\s+(\d+)", usage.read())[1])


@contextlib.contextmanager
def load(running, clients=6):
    """Updates meanwhile, over and over; yields the list of their answers."""

    answers = []
    ended = threading.Event()

    def client():
        while not ended.is_set():
            answers.append(timed_update(running))

    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        futures = [pool.submit(client) for _ in range(clients)]

        try:
            yield answers
        finally:
            ended.set()

        for future in futures:
            future.result()
