# Copyright (C) The wholesale gateway authors

"""The file of those who may call: its mistakes, and how it changes under
load."""

import json
import os
import signal
import subprocess
import threading
import time

import pytest

from gateway import secrets
from gateway.gateway import Gateway


KEY = secrets.digest("key")

RATE = {"name": "burst", "rate": "10/s"}
QUOTA = {"name": "daily", "quota": 5, "window": "1d"}

# too large by far, and nearly nothing on the disk
LARGE = 200 * 1024 * 1024

MISTAKES_TOLD = 100

CLIENTS = 3
ROTATIONS = 8


@pytest.fixture
def configured(tmp_path, running_sandbox):
    return Gateway(tmp_path / "gateway", running_sandbox)


def file_of(gateway):
    return gateway.folder / "tenants.json"


def check(gateway, text):
    """What nginx -t says of the file; "text" or a document."""

    if not isinstance(text, (str, bytes)):
        text = json.dumps(text)

    file_of(gateway).write_bytes(
        text.encode() if isinstance(text, str) else text)
    return gateway.test()


def told(output):
    """The lines of mistakes as (path, sentence), in their order."""

    mistakes = []

    for line in output.splitlines():
        _, found, mistake = line.partition('tenants.json": ')

        if found and "[emerg]" in line:
            path, _, sentence = mistake.partition(": ")
            mistakes.append((path, sentence))

    return mistakes


# every member, and what it must not be: the value of the member (or several,
# as an object), where the mistake is, and what of it is repeated

def limit(*wrong, **members):
    """A limit with these members, wrong at "wrong"."""

    where = f".limits[0].{wrong[0]}" if wrong else ".limits[0]"
    return {"limits": [members]}, where


WRONG_MEMBERS = [
    ({}, ""),
    ({"limits": [], "plan": "standard"}, ""),
    ({"plan": 1}, ".plan"),
    ({"plan": ""}, ".plan"),
    ({"plan": None}, ".plan"),
    ({"plan": "nowhere"}, ".plan"),
    ({"limits": {}}, ".limits"),
    ({"limits": "10/s"}, ".limits"),
    ({"limits": None}, ".limits"),
    ({"limits": ["10/s"]}, ".limits[0]"),
    ({"limits": [{**RATE, "name": f"l{n}"} for n in range(9)]}, ".limits"),
    ({"limits": [RATE, {**QUOTA, "name": "burst"}]}, ".limits[1].name"),
    ({"limits": [RATE, {**QUOTA, "window": "1y"}]}, ".limits[1].window"),
    limit(rate="10/s"),
    limit("name", rate="10/s", name=1),
    limit("name", rate="10/s", name=""),
    limit("name", rate="10/s", name="a b"),
    limit("name", rate="10/s", name="a" * 33),
    limit("name", rate="10/s", name=None),
    *(limit("rate", name="a", rate=rate) for rate in (
        10, "", "10", "10/x", "/s", "0/s", "-1/s", "1.5/s", "10/s ", "1e3/s",
        "99999999999999999999/s", None, ["10/s"])),
    *(limit("burst", name="a", rate="10/s", burst=burst) for burst in (
        0, -1, 1.5, "20", True, None, 10 ** 15)),
    *(limit("quota", name="a", quota=quota, window="1d") for quota in (
        0, -1, 1.5, "20", None, False)),
    *(limit("window", name="a", quota=5, window=window) for window in (
        "", "1", "d", "1y", "0s", "-1d", "1.5h", 86400, None)),
    limit(name="a"),
    limit(name="a", burst=5),
    limit(name="a", quota=5),
    limit(name="a", window="1d"),
    limit(name="a", rate="1/s", quota=5, window="1d"),
    limit("per", per="user", **RATE),
    limit("per", per=None, **RATE),
    limit("dryRun", dryRun="yes", **RATE),
    limit("dryRun", dryRun=1, **RATE),
    limit("Rate", Rate="1/s", **RATE),
]

WRONG_MORE_MEMBERS = [
    *(({name: value, "limits": []}, f".{name}")
      for name in ("keys", "certificates")
      for value in ("key", {}, None, 1)),
    *(({name: [value], "limits": []}, f".{name}[0]")
      for name in ("keys", "certificates")
      for value in (1, None, "", "sha256:", "sha256:" + "0" * 63,
                    "sha256:" + "0" * 65, "sha256:" + "g" * 64,
                    "sha1:" + "0" * 40, "0" * 64)),
    ({"keys": ["sha256:" + "1" * 64, "x"], "limits": []}, ".keys[1]"),
    *(({"credential": value, "limits": []}, ".credential")
      for value in (1, "", None, "a b", ["webex"])),
    *(({name: value, "limits": []}, f".{name}")
      for name in ("subPartnerOrgIds", "customers", "packages")
      for value in ([], "YQ", {}, None)),
    *(({name: [value], "limits": []}, f".{name}[0]")
      for name in ("subPartnerOrgIds", "customers")
      for value in (1, "", "a b", "a" * 513, "a===", "=", "a%3D", "a.b")),
    ({"packages": [1], "limits": []}, ".packages[0]"),
    ({"packages": ["a b"], "limits": []}, ".packages[0]"),
    ({"customers": ["*"], "limits": []}, ".customers[0]"),
    ({"packages": ["*"], "limits": []}, ".packages[0]"),
    ({"subPartnerOrgIds": ["YQ", "*"], "limits": []}, ".subPartnerOrgIds[1]"),
    ({"subPartnerOrgIds": ["YQ", "YQ=="], "limits": []}, ".subPartnerOrgIds"),
    ({"customers": ["YQ", "YQ"], "limits": []}, ".customers"),
    *(({"emptyPackages": value, "limits": []}, ".emptyPackages")
      for value in (True, None, "", "maybe", "Allow")),
    *(({name: value, "limits": []}, f".{name}")
      for name in ("dryRun", "enabled")
      for value in ("yes", 1, None, "true", [])),
    ({"Enabled": True, "limits": []}, ".Enabled"),
    ({"key": "x", "limits": []}, ".key"),
]


@pytest.mark.parametrize("wrong", (
    WRONG_MEMBERS, WRONG_MORE_MEMBERS[:50], WRONG_MORE_MEMBERS[50:]),
    ids=("limits", "keys", "lists"))
def test_every_mistake_is_told(configured, wrong):
    """All at once, in the order of the file, and where each is."""

    fine, output = check(configured, {
        "plans": {"standard": {"limits": []}},
        "tenants": {f"t{n}": {"credential": "webex", **members}
                    for n, (members, _) in enumerate(wrong)}})

    assert not fine
    paths = [path for path, _ in told(output)]

    for n, (members, where) in enumerate(wrong):
        assert f"tenants.t{n}{where}" in paths, \
            f"{members} at {where}\n{output}"

    numbers = [int(path.split(".")[1].lstrip("t")) for path in paths
               if path.startswith("tenants.t")]

    # which plan is meant is known at the end of the file only
    late = {n for n, (members, _) in enumerate(wrong)
            if members.get("plan") == "nowhere"}
    numbers = [n for n in numbers if n not in late]
    assert numbers == sorted(numbers)


def test_what_is_right_is_said(configured):
    fine, output = check(configured, {"tenants": {"acme": {"limits": [
        RATE, {"name": "a", "rate": "10/x"}]}}})

    (path, sentence), = told(output)
    assert path == "tenants.acme.limits[1].rate"
    assert '"10/x"' in sentence
    assert "/s" in sentence


@pytest.mark.parametrize("document, path", (
    ([], "the file"), (b'"x"', "the file"), (1, "the file"),
    (None, "the file"),
    ({}, "the file"), ({"plans": {}}, "the file"),
    ({"tenants": {}}, "tenants"), ({"tenants": []}, "tenants"),
    ({"tenants": None}, "tenants"), ({"tenants": {"acme": []}},
                                     "tenants.acme"),
    ({"plans": [], "tenants": {"acme": {"limits": []}}}, "plans"),
    ({"plans": {"a": []}, "tenants": {"acme": {"limits": []}}}, "plans.a"),
    ({"plans": {"a": {}}, "tenants": {"acme": {"limits": []}}}, "plans.a"),
    ({"plans": {"a": {"limits": [], "x": 1}},
      "tenants": {"acme": {"limits": []}}}, "plans.a.x"),
    ({"plans": {"a": {"limits": [{"name": "a", "rate": "1/x"}]}},
      "tenants": {"acme": {"plan": "a"}}}, "plans.a.limits[0].rate"),
    ({"tenant": {"acme": {}}, "tenants": {"acme": {"limits": []}}},
     "tenant")))
def test_the_frame_of_it(configured, document, path):
    fine, output = check(configured, document)

    assert not fine
    assert path in [path for path, _ in told(output)]


@pytest.mark.parametrize("name", ("", "a b", "a/b", "ä", "a" * 65, "a\n"))
def test_names_of_tenants(configured, name):
    fine, output = check(configured, {"tenants": {name: {"limits": []}}})

    assert not fine
    (path, _), = told(output)
    assert path.startswith("tenants")


def test_mistakes_of_two_kinds(configured):
    """What the rest of the configuration makes wrong is told as well."""

    fine, output = check(configured, {"tenants": {
        "acme": {"limits": [{"name": "a", "rate": "10/x"}]},
        "bolt": {"limits": [], "credential": "nowhere"},
        "cord": {"limits": [], "packages": ["webex_calling",
                                            "webex_caling"]}}})

    assert not fine
    paths = [path for path, _ in told(output)]
    assert paths[0] == "tenants.acme.limits[0].rate"
    assert "tenants.bolt.credential" in paths
    assert any(path.startswith("tenants.cord.packages") for path in paths)


def test_what_the_rest_of_the_configuration_lacks(configured):
    fine, output = check(configured, {"tenants": {
        "bolt": {"limits": [], "credential": "nowhere"},
        "cord": {"limits": [], "packages": ["webex_calling",
                                            "webex_caling"]}}})

    assert not fine
    mistakes = dict(told(output))
    assert '"nowhere"' in mistakes["tenants.bolt.credential"]
    assert '"webex_caling"' in mistakes["tenants.cord.packages[1]"]


def test_too_many_mistakes(configured):
    fine, output = check(configured, {"tenants": {
        f"t{n}": {} for n in range(MISTAKES_TOLD + 50)}})

    assert not fine
    assert sum(path.startswith("tenants.t") for path, _ in told(output)) \
        == MISTAKES_TOLD
    assert "and 50 more" in output


# digests

@pytest.mark.parametrize("list", ("keys", "certificates"))
def test_one_of_two_tenants(configured, list):
    fine, output = check(configured, {"tenants": {
        "acme": {"limits": [], list: ["sha256:" + "1" * 64, KEY]},
        "bolt": {"limits": [], list: [KEY.upper().replace("SHA", "sha")]},
        "cord": {"limits": [], list: ["sha256:" + "2" * 64, KEY]}}})

    assert not fine
    mistakes = told(output)
    assert [path for path, _ in mistakes] \
        == [f"tenants.bolt.{list}[0]", f"tenants.cord.{list}[1]"]
    assert all("acme" in sentence for _, sentence in mistakes)
    assert KEY[7:] not in output


def test_one_that_is_twice_in_a_list(configured):
    fine, output = check(configured, {"tenants": {
        "acme": {"limits": [], "keys": [KEY, KEY]}}})

    assert not fine
    assert [path for path, _ in told(output)] == ["tenants.acme.keys[1]"]


def test_a_digest_is_of_a_key_or_of_a_certificate(configured):
    """The same one in both lists is no double: they are not of one kind."""

    fine, output = check(configured, {"tenants": {
        "acme": {"limits": [], "keys": [KEY]},
        "bolt": {"limits": [], "certificates": [KEY]}}})

    assert fine, output


def test_a_key_in_place_of_its_digest_is_not_repeated(configured):
    key = secrets.make()

    for keys in ([key], key, {key: 1}, [{"key": key}], ["sha256:" + key]):
        fine, output = check(configured, {"tenants": {
            "acme": {"limits": [], "keys": keys}}})

        assert not fine
        assert "tenants.acme.keys" in output
        assert secrets.MARK not in output


# the text

@pytest.mark.parametrize("text, words", (
    ('{\n  "tenants": nonsense\n}', ("line 2",)),
    ('{\n  "tenants": {}\n', ("line 3",)),
    ('{"tenants": {"acme": {"limits": []}}} {}', ("line 1",)),
    ('{"tenants": {"acme": {"limits": [],}}}', ("line 1",)),
    ('{"tenants": {"acme": {"limits": [], "limits": []}}}',
     ("tenants.acme", "twice", "line 1")),
    ('{"tenants": {"acme": {"limits": []}, "acme": {"limits": []}}}',
     ("tenants.acme",)),
    ('{"tenants": {"acme": {"limits": []}}, "tenants": {}}', ("tenants",)),
    (b'{"tenants": {"acme": {"limits": []}}}\0', ("line 1",)),
    (b'{"tenants": {"\xff": {"limits": []}}}', ("line 1",)),
    (b'\xef\xbb\xbf{"tenants": {"acme": {"limits": []}}}', ("mark",)),
    (b'{"tenants": {"acme": {"x": ' + b"[" * 100000, ("line 1",)),
))
def test_what_is_no_json_or_not_clear(configured, text, words):
    fine, output = check(configured, text)

    assert not fine
    assert told(output)
    for word in words:
        assert word in output, output


def test_no_bytes_at_all(configured):
    fine, output = check(configured, b"")

    assert not fine
    assert "is empty" in output


def test_too_large(configured):
    with file_of(configured).open("r+b") as file:
        file.truncate(LARGE)

    started = time.monotonic()
    fine, output = configured.test()

    assert not fine
    assert "larger than" in output and "tenants.json" in output
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("make, words", (
    (lambda path: None, "No such file"),
    (lambda path: path.mkdir(), "not a regular file"),
    (lambda path: os.mkfifo(path), "not a regular file"),
    (lambda path: path.symlink_to(path), "symbolic links"),
    (lambda path: path.symlink_to("/dev/zero"), "not a regular file")),
    ids=("nothing", "directory", "pipe", "loop", "device"))
def test_what_is_no_file(configured, make, words):
    file_of(configured).unlink()
    make(file_of(configured))
    fine, output = configured.test()

    assert not fine
    assert "tenants.json" in output
    assert words in output


def test_unreadable(configured):
    """Without the privilege to read everything, which root has."""

    configured.test()
    file_of(configured).chmod(0)

    unprivileged = () if os.getuid() else (
        "setpriv", "--bounding-set=-all", "--inh-caps=-all")
    done = subprocess.run(
        (*unprivileged, *configured.command("-t")), cwd="/",
        env=configured.environment(), capture_output=True, text=True)

    assert done.returncode != 0
    assert "tenants.json" in done.stderr
    assert "Permission denied" in done.stderr


# its life

def test_a_broken_one_leaves_the_old_one(gateway):
    running = gateway(tolerated=[r"\[emerg\]"])
    old, new = running.keys["acme"], secrets.make()

    def try_to_reload(text):
        told_before = len(running.log)
        running.write_tenants({"acme": {"keys": [secrets.digest(new)]}})

        if text is None:
            file_of(running).unlink()
        elif text is os.mkdir:
            file_of(running).unlink()
            file_of(running).mkdir()
        else:
            file_of(running).write_text(text)

        running.process.send_signal(signal.SIGHUP)
        running.wait_for(lambda: "[emerg]" in running.log[told_before:],
                         "the complaint")

        assert running.update({"Authorization": f"Bearer {old}"}
                              ).status == 202
        assert running.update({"Authorization": f"Bearer {new}"}
                              ).status == 401

        if text is os.mkdir:
            file_of(running).rmdir()

        return running.log[told_before:]

    log = try_to_reload(json.dumps({"tenants": {
        "acme": {"limits": [RATE, {"name": "a", "rate": "10/x"}],
                 "keys": [secrets.digest(new)]},
        "bolt": {"plan": "nowhere", "keys": [secrets.digest(new)]},
        "cord": {"limits": [], "enable": False}}}))

    for path in ("tenants.acme.limits[1].rate", "tenants.bolt.plan",
                 "tenants.bolt.keys[0]", "tenants.cord.enable"):
        assert f"{path}: " in log

    for text in ("", "{", None, os.mkdir):
        assert "tenants.json" in try_to_reload(text)

    running.write_tenants({"acme": {"keys": [secrets.digest(new)]}})
    running.reload()

    assert running.update({"Authorization": f"Bearer {new}"}).status == 202
    assert running.update({"Authorization": f"Bearer {old}"}).status == 401


def test_what_a_reload_takes_up(gateway, sandbox):
    running = gateway(tenants={"acme": {}, "bolt": {}})

    running.write_tenants({
        "acme": {"subPartnerOrgIds": ["YQ"], "packages": ["webex_calling"],
                 "limits": [{"name": "daily", "rate": "1/d", "burst": 2}]},
        "cord": {}})
    running.reload()

    body = b'{"packages": ["webex_calling"]}'
    statuses = [running.update(tenant=tenant, body=body).status
                for tenant in ("acme", "bolt", "cord")]
    assert statuses == [202, 401, 202]
    assert sandbox.requests[0].target.endswith("?onBehalfOfSubPartnerOrgId=YQ")

    assert [running.update().status for _ in range(2)] == [403, 429]


class Partner(threading.Thread):
    """Calls with the key that it is told to use, one time after the other."""

    def __init__(self, gateway, key):
        super().__init__()
        self.gateway = gateway
        self.key = key
        self.used = None
        self.statuses = []
        self.failures = []
        self.ended = threading.Event()

    def run(self):
        while not self.ended.is_set():
            key = self.key

            try:
                self.statuses.append(self.gateway.get(
                    {"Authorization": f"Bearer {key}"}).status)
            except Exception as e:      # whatever it is, it is a loss
                self.failures.append(repr(e))

            self.used = key
            time.sleep(0.005)


def test_keys_rotate_under_load(gateway, sandbox):
    """A new key beside the old one, reload; all use it; the old one goes,
    reload: nobody is refused who has a key that is in the file."""

    running = gateway(workers=2)
    old = running.keys["acme"]
    partners = [Partner(running, old) for _ in range(CLIENTS)]

    def reload(*keys):
        running.write_tenants({"acme": {
            "keys": [secrets.digest(key) for key in keys]}})
        running.reload()

    for partner in partners:
        partner.start()

    try:
        for _ in range(ROTATIONS):
            new = secrets.make()
            reload(old, new)

            for partner in partners:
                partner.key = new

            running.wait_for(
                lambda: all(partner.used == new for partner in partners),
                "the new key to be used")

            reload(new)
            assert running.get({"Authorization": f"Bearer {old}"}
                               ).status == 401
            old = new

    finally:
        for partner in partners:
            partner.ended.set()

        for partner in partners:
            partner.join()

    statuses = [status for partner in partners for status in partner.statuses]

    assert [partner.failures for partner in partners] == [[]] * CLIENTS
    assert set(statuses) == {200}
    assert len(statuses) > CLIENTS * ROTATIONS * 4
    assert sandbox.count == len(statuses)
