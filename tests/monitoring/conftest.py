# Copyright (C) The wholesale gateway authors

"""Fixtures of the monitoring's tests, beside those of the gateway's."""

from gateway.conftest import (no_secret_in_any_log, pytest_configure,  # noqa
                              redis, refreshing, running_sandbox, sandbox)
