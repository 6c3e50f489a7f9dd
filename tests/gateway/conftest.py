# Copyright (C) The wholesale gateway authors

"""Fixtures of the gateway's tests.

  sandbox         the stand-in for Webex, as new for each test
  gateway         starts a gateway for this test
  refreshing      starts one that refreshes its token by itself
  module_gateway  starts a gateway for all tests of the file
  the_gateway     one that is started with no options, for all of the file
  start_nginx     starts an nginx without our module
  redis           a redis-server for this test
  redis_proxy     a proxy before it
  module_redis    a redis-server for all tests of the file

REDIS_SERVER in the environment is the server that is started as Redis, with
redis-server's options: /usr/bin/valkey-server, for one.

Whatever was started is stopped, and the stop fails if there was a serious line
in the error log or a sanitizer's report.  At the end of the session no log may
hold a secret.
"""

import pytest

from gateway import secrets
from gateway.credentials import Refreshing
from gateway.gateway import Gateway
from gateway.nginx import REPOSITORY, Nginx
from gateway.redis import Redis
from gateway.redis_proxy import RedisProxy
from sandbox.client import Sandbox


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    # nothing is written outside of the build folder

    if config.option.basetemp is None:
        (REPOSITORY / "build").mkdir(exist_ok=True)
        config.option.basetemp = str(REPOSITORY / "build/tests")


@pytest.fixture(scope="session")
def no_secret_in_any_log(tmp_path_factory):
    yield

    leaks = [f"{path}: {line}" for name in ("*.log", "output")
             for path in sorted(tmp_path_factory.getbasetemp().rglob(name))
             if path.is_file() and not path.parent.is_symlink()
             for line in secrets.leaks(path)]

    assert not leaks, f"{len(leaks)} secrets in logs:\n" \
        + "\n".join(leaks[:20])


@pytest.fixture(scope="session")
def running_sandbox(tmp_path_factory, no_secret_in_any_log):
    sandbox = Sandbox.start(
        tmp_path_factory.mktemp("sandbox"),
        "--access-token", secrets.make(),
        "--client-secret", secrets.make(),
        "--refresh-token", secrets.make())

    yield sandbox
    assert sandbox.stop() == 0


@pytest.fixture(autouse=True)
def sandbox(running_sandbox):
    running_sandbox.reset()
    return running_sandbox


class Starter:
    """Starts, and stops all that it started."""

    def __init__(self, tmp_path_factory, name):
        self.tmp_path_factory = tmp_path_factory
        self.name = name
        self.started = []

    def start(self, kind, *arguments, **options):
        nginx = kind(self.tmp_path_factory.mktemp(self.name), *arguments,
                     **options)
        self.started.append(nginx)
        return nginx.start()

    def stop(self):
        failures = []

        for nginx in self.started:
            try:
                nginx.stop()
            except AssertionError as e:
                failures.append(str(e))

        assert not failures, "\n".join(failures)


def name_of(node):
    return "".join(c if c.isalnum() else "-" for c in node.name)[:60]


@pytest.fixture
def gateway(request, tmp_path_factory, running_sandbox):
    starter = Starter(tmp_path_factory, name_of(request.node))
    yield lambda **options: starter.start(Gateway, running_sandbox, **options)
    starter.stop()


@pytest.fixture
def refreshing(request, tmp_path_factory, running_sandbox):
    starter = Starter(tmp_path_factory, name_of(request.node))
    yield lambda **options: starter.start(Refreshing, running_sandbox,
                                          **options)
    starter.stop()


@pytest.fixture(scope="module")
def module_gateway(request, tmp_path_factory, running_sandbox):
    starter = Starter(tmp_path_factory, name_of(request.node))
    yield lambda **options: starter.start(Gateway, running_sandbox, **options)
    starter.stop()


@pytest.fixture(scope="module")
def the_gateway(module_gateway):
    return module_gateway()


@pytest.fixture
def start_nginx(request, tmp_path_factory):
    starter = Starter(tmp_path_factory, name_of(request.node))
    yield lambda conf, **values: starter.start(Nginx, conf, values,
                                               module=False)
    starter.stop()


@pytest.fixture
def redis(tmp_path_factory):
    redis = Redis(tmp_path_factory.mktemp("redis")).start()
    yield redis
    redis.stop()


@pytest.fixture(scope="module")
def module_redis(tmp_path_factory):
    redis = Redis(tmp_path_factory.mktemp("redis")).start()
    yield redis
    redis.stop()


@pytest.fixture
def redis_proxy(redis):
    proxy = RedisProxy(redis.port)
    yield proxy
    proxy.close()
