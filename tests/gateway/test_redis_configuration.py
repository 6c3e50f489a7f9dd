# Copyright (C) The wholesale gateway authors

"""nginx -t tells of every mistake in a wholesale_redis block."""

import pytest

from gateway.gateway import Gateway


@pytest.fixture
def configured(tmp_path, running_sandbox):
    return lambda block, **options: Gateway(
        tmp_path / "gateway", running_sandbox,
        http=f"wholesale_redis {{ {block} }}", **options)


@pytest.mark.parametrize("block,said", (
    ("", 'no "server" in wholesale_redis'),
    ("server;", "invalid number of arguments"),
    ("server a b;", "invalid number of arguments"),
    ("server redis://x;", 'in "redis://x" of "server"'),
    ("server x:0;", "invalid port"),
    ("server x:66666;", "invalid port"),
    ("server unix:;", "no path"),
    ('server "";', "no host"),
    ("server no-such-host.invalid:6379;",
     'host not found in "no-such-host.invalid:6379" of "server"'),
    ("server h:1; server h:2;", "is duplicate"),
    ("server 127.0.0.1; timeout 0;", "it must be from 1ms to 10s"),
    ("server 127.0.0.1; timeout 11s;", "it must be from 1ms to 10s"),
    ("server 127.0.0.1; timeout x;", 'timeout" directive of wholesale_redis'),
    ("server 127.0.0.1; database -1;", "database"),
    ("server 127.0.0.1; database 65536;", "must be"),
    ('server 127.0.0.1; key_prefix "a{b";', "braces"),
    ('server 127.0.0.1; key_prefix "a b";', "blanks"),
    (f"server 127.0.0.1; key_prefix {'x' * 65};", "64 characters"),
    ("server 127.0.0.1; on_failure open;", '"local", "allow" or "deny"'),
    ("server 127.0.0.1; on_failure deny; on_failure deny;", "duplicate"),
    ("server 127.0.0.1; username u;", 'without "password_file"'),
    ("server 127.0.0.1; password_file /nonexistent;", "No such file"),
    ("server 127.0.0.1; password_file /dev/null;", "is empty"),
    ("server 127.0.0.1; password_file /tmp;", "Is a directory"),
    ('server 127.0.0.1; password_file "";', "must be a file"),
    ("server 127.0.0.1; foo bar;", 'unknown directive "foo"'),
    ("server 127.0.0.1; foo { }", 'unexpected "{"'),
    ("server 127.0.0.1; ssl yes;", 'it must be "on" or "off"'),
    ("server 127.0.0.1; ssl_name x;", 'without "ssl on"'),
    ("server 127.0.0.1; ssl_verify on;", 'without "ssl on"'),
    ("server 127.0.0.1; ssl on; ssl_certificate /x;", "used together"),
    ("server 127.0.0.1; ssl on; ssl_trusted_certificate /nonexistent;",
     "/nonexistent"),
    ("server 127.0.0.1; ssl on; ssl_verify off; ssl_trusted_certificate /x;",
     "ssl_verify off"),
    ("server unix:/x; ssl on;", 'no "ssl_name"'),
    ("server 127.0.0.1; } wholesale_redis { server 127.0.0.1;",
     "is duplicate"),
))
def test_a_mistake(configured, block, said):
    fine, output = configured(block).test()

    assert not fine
    assert "[emerg]" in output and said in output, output


@pytest.mark.parametrize("block", (
    "server 127.0.0.1;",
    'server 127.0.0.1:1; database 5; key_prefix ""; timeout 10s; '
    "on_failure deny;",
    "server [::1]:6379; ssl on; ssl_verify off;",
    "server [::1]; ssl on;",
    "server localhost;",
    "server unix:/tmp/x; ssl on; ssl_name a;",
    # looked up when it is needed
    "server no-such-host.invalid; } resolver 127.0.0.1; geo $x {",
))
def test_no_mistake(configured, block):
    fine, output = configured(block).test()
    assert fine, output
