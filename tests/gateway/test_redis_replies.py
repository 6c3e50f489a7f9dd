# Copyright (C) The wholesale gateway authors

"""Redis, or whatever has taken its place, answers something else.

A reply of a wrong type, and an error that anyone would get, are the end of
the connection; an error about one command is not.
"""

import pytest

from gateway.redis import LOCATION, counters, trouble, wait_until_used
from gateway.redis_proxy import RedisProxy

MANY = {"acme": {"limits": [{"name": "many", "quota": 100000,
                             "window": "1h"}]}}

TIME = b"$16\r\n1795432909616319\r\n"

# two pauses, which there are not
NONE = b"$0\r\n\r\n$0\r\n\r\n"

WRONG = (
    b"+OK\r\n", b":1\r\n", b"$3\r\nabc\r\n", b"*-1\r\n", b"$-1\r\n",
    b"*0\r\n", b"*-5\r\n", b"$-7\r\n", b"\0\0\0\0\r\n", b"%1\r\n+a\r\n+b\r\n",
    b"*1000000000\r\n", b"*4294967295\r\n", b"*1\r\n" * 8, b"*1\r\n" * 100,
    b"$536870912\r\n" + b"x" * 100000, b"HTTP/1.1 400 Bad Request\r\n\r\n",

    # an answer, almost
    b"*5\r\n:1\r\n" + TIME + b":5\r\n" + NONE,
    b"*5\r\n:2\r\n" + TIME + b"$0\r\n\r\n" + NONE,
    b"*5\r\n$1\r\n1\r\n" + TIME + b"$0\r\n\r\n" + NONE,
    b"*5\r\n:1\r\n$1\r\n0\r\n$0\r\n\r\n" + NONE,
    b"*5\r\n:1\r\n$17\r\n17954329096163190\r\n$0\r\n\r\n" + NONE,
    b"*5\r\n:1\r\n$-1\r\n$0\r\n\r\n" + NONE,
    b"*3\r\n:1\r\n" + TIME + b"$0\r\n\r\n",
    b"*6\r\n:1\r\n" + TIME + b"$0\r\n\r\n$0\r\n\r\n" + NONE,

    # one, and something more
    b"*5\r\n:1\r\n" + TIME + b"$0\r\n\r\n" + NONE + b"+OK\r\n",
)

ANYONE = (
    b"-LOADING Redis is loading the dataset in memory\r\n",
    b"-READONLY You can't write against a read only replica.\r\n",
    b"-OOM command not allowed when used memory > 'maxmemory'.\r\n",
    b"-NOAUTH Authentication required.\r\n",
    b"-WRONGPASS invalid username-password pair or user is disabled.\r\n",
    b"-NOPERM this user has no permissions to run the command\r\n",
    b"-MISCONF Redis is configured to save RDB snapshots\r\n",
    b"-BUSY Redis is busy running a script.\r\n",
    b"-MASTERDOWN Link with MASTER is down\r\n",
    b"-CLUSTERDOWN The cluster is down\r\n",
    b"-ERR Error running script (call to f_0): @user_script:41: "
    b"@user_script: 41: -READONLY You can't write against a read only "
    b"replica. \r\n",

    # a script that may not do what it does, by 6.2, 7.0 and later ones
    b"-ERR Error running script (call to f_0): @user_script:1: "
    b"@user_script: 1: The user executing the script can't run this command "
    b"or subcommand\r\n",
    b"-ERR The user executing the script can't run this command or "
    b"subcommand script: 0, on @user_script:1.\r\n",
    b"-ERR ACL failure in script: User gateway has no permissions to run the "
    b"'set' command script: 0, on @user_script:1.\r\n",
)

COMMAND = (
    b"-ERR unknown\r\n", b"-\r\n", b"-NOSCRIPT No matching script.\r\n",
    b"-ERR \x1b[31mevil\x00\xff" + b"A" * 500 + b"\r\n",
    b"-WRONGTYPE Operation against a key\r\n",

    # counters and pauses that cannot be
    b"*5\r\n:1\r\n" + TIME + b"$5\r\n1 2 x\r\n" + NONE,
    b"*5\r\n:0\r\n" + TIME + b"$0\r\n\r\n" + NONE,
    b"*5\r\n:1\r\n" + TIME + b"$3\r\nabc\r\n" + NONE,
    b"*5\r\n:1\r\n" + TIME + b"$19\r\n9999999999999 1 200\r\n" + NONE,
    b"*5\r\n:0\r\n" + TIME + b"$0\r\n\r\n$3\r\nabc\r\n$0\r\n\r\n",
    b"*5\r\n:1\r\n" + TIME + b"$0\r\n\r\n$16\r\n1795432909616320\r\n"
    b"$0\r\n\r\n",
    b"*5\r\n:0\r\n" + TIME + b"$0\r\n\r\n$0\r\n\r\n$16\r\n1795432909616319\r\n",
)


def names(replies):
    return [repr(reply)[2:40] for reply in replies]


@pytest.fixture(scope="module")
def proxy(module_redis):
    proxy = RedisProxy(module_redis.port)
    yield proxy
    proxy.close()


@pytest.fixture(scope="module")
def running(module_gateway, module_redis, proxy):
    return module_gateway(
        http=module_redis.block("timeout 500ms", server=proxy.server),
        location=LOCATION, tenants=MANY)


def answer_instead(running, proxy, reply):
    """Returns what the log says of it, when all is well again."""

    wait_until_used(running)
    before = len(trouble(running))
    replaced = []

    def replace(data):
        if b"EVAL" in data:
            replaced.append(data)
            return reply

    proxy.replace = replace
    answer = running.update()
    proxy.heal()

    assert answer.status == 202 and counters(answer) == "local", answer
    assert replaced

    wait_until_used(running)
    return trouble(running)[before:]


@pytest.mark.parametrize("reply", WRONG[:-1], ids=names(WRONG[:-1]))
def test_a_wrong_type(running, proxy, reply):
    gone, back = answer_instead(running, proxy, reply)
    assert "cannot be used" in gone and "is used again" in back


def test_an_extra_reply(running, proxy):
    """The first is taken, and the connection dropped: it is out of step."""

    wait_until_used(running)
    connections = proxy.connections
    proxy.replace = lambda data: WRONG[-1] if b"EVAL" in data else None
    assert running.update().status == 202
    proxy.heal()

    running.wait_for(lambda: proxy.connections > connections,
                     "a new connection")
    wait_until_used(running)


@pytest.mark.parametrize("reply", ANYONE, ids=names(ANYONE))
def test_an_error_for_anyone(running, proxy, reply):
    gone, back = answer_instead(running, proxy, reply)
    assert "cannot be used" in gone and "is used again" in back

    # with what Redis said
    assert any(word in gone for word in (
        "LOADING", "READONLY", "OOM", "NOAUTH", "WRONGPASS", "NOPERM",
        "MISCONF", "BUSY", "MASTERDOWN", "CLUSTERDOWN",
        "The user executing the script", "ACL failure in script")), gone


@pytest.mark.parametrize("reply", COMMAND, ids=names(COMMAND))
def test_an_error_for_one_command(running, proxy, reply):
    connections = proxy.connections
    lines = answer_instead(running, proxy, reply)

    # such lines come once a second at most
    assert len(lines) <= 1
    assert all("for the limits of tenant" in line for line in lines)
    assert proxy.connections == connections


def test_nothing_of_it_is_logged_raw(running, proxy):
    wait_until_used(running)

    for line in running.log.splitlines():
        assert line.isprintable()


@pytest.mark.parametrize("reply", (
    b"+OK\r\n", b"-ERR unknown\r\n", b":1\r\n", b"-LOADING x\r\n",
    b"+PONG\r\n" * 3, b"garbage"))
def test_a_wrong_greeting(running, proxy, reply):
    wait_until_used(running)
    proxy.replace = lambda data: reply
    proxy.drop()

    for _ in range(5):
        assert running.update().status == 202

    proxy.heal()
    wait_until_used(running)
