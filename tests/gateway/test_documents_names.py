# Copyright (C) The wholesale gateway authors

"""The documents name what the code knows, and nothing else: directives,
variables, reasons, states and lines of the log."""

import http
import re

import pytest

from gateway.documents import (definitions, entries, literal, page, pages,
                               rows, sources)
from gateway.gateway import Gateway


CODE = sources()
DEFINED = definitions(CODE)

COMMANDS = re.compile(r"^static ngx_command_t  (\w+)\[\] = \{\n(.*?)^\};",
                      re.M | re.S)
COMMAND = re.compile(r'\{ ngx_string\("(\w+)"\),\s*((?:NGX_\w+\|?\s*)+),')

CONTEXTS = {"NGX_HTTP_MAIN_CONF": "http", "NGX_HTTP_SRV_CONF": "server",
            "NGX_HTTP_LOC_CONF": "location"}

# where a default has a number of its own in the code
NUMBERS = {
    "wholesale_zone": "NGX_HTTP_WHOLESALE_ZONE_SIZE",
    "wholesale_max_body": "NGX_HTTP_WHOLESALE_MAX_BODY",
    "wholesale_pause_max": "NGX_HTTP_WHOLESALE_PAUSE_MAX",
    "timeout": "NGX_HTTP_WHOLESALE_REDIS_TIMEOUT",
    "refresh_before": "NGX_HTTP_WHOLESALE_REFRESH_BEFORE",
    "refresh_wait": "NGX_HTTP_WHOLESALE_REFRESH_WAIT",
}

UNITS = {"k": 1024, "m": 1024 * 1024, "ms": 1, "s": 1000, "d": 86400000}

SECONDS = {"wholesale_pause_max", "refresh_before"}

REFUSAL = re.compile(r"""
    ngx_http_wholesale_refusal_t \s+ \w+ \s = \s \{ \s*
    (\w+), \s* NGX_HTTP_WHOLESALE_(\w+), \s*
    ngx_string\("(\w+)"\), \s*
    (ngx_null_string | NGX_HTTP_WHOLESALE_\w+ | ngx_string\(.*?\)) \s* \};
    """, re.X | re.S)

# the wildcard of the documents, and what becomes of a number or a name
CONVERSION = re.compile(r"%\*?[a-zA-Z]{1,2}")


# directives

def known_directives():
    """Of each name, the contexts."""

    known = {}

    for table, text in COMMANDS.findall(CODE):
        for name, flags in COMMAND.findall(text):
            known[name] = {CONTEXTS[flag] for flag in re.findall(r"\w+", flags)
                           if flag in CONTEXTS} or {"wholesale_redis"}

    members = re.search(r"^static const ngx_http_wholesale_member_t  .*?^\};",
                        CODE, re.M | re.S)[0]

    for name in re.findall(r'ngx_string\("(\w+)"\)', members):
        known[name] = {"wholesale_credential"}

    return known


def test_directives():
    known = known_directives()
    assert len(known) > 30

    assert {name: contexts for name, _, _, contexts in entries()} == known


def test_directives_stand_once_and_under_their_names():
    names = [name for name, _, _, _ in entries()]
    assert len(names) == len(set(names))

    headed = [heading for each in pages() for _, heading, text in each.headings
              if "    Syntax:   " in text]
    assert headed == names


def test_the_contents_name_all_directives_of_nginx_blocks():
    contents = page("docs/directives.md").section("Directives")

    for name, _, _, contexts in entries():
        if not contexts & {"wholesale_redis", "wholesale_credential"}:
            assert f"[{name}](#{name})" in contents


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_of_defaults(name):
    default = next(default for found, _, default, _ in entries()
                   if found == name)
    number, unit = re.fullmatch(rf"{name} (\d+)([a-z]+);", default).groups()

    value = eval(DEFINED[NUMBERS[name]])        # "16 * 1024 * 1024"

    assert int(number) * UNITS[unit] \
        == value * (1000 if name in SECONDS else 1)


def test_all_defaults_can_be_written(tmp_path, running_sandbox):
    """Each in the innermost of its contexts."""

    lines = {}

    for name, syntax, default, contexts in entries():
        if default == "—":
            continue

        assert default.startswith(f"{name} ") and default.endswith(";")
        assert re.match(rf"{name} ", syntax)

        where = next(context for context in (
            "location", "server", "http", "wholesale_redis",
            "wholesale_credential") if context in contexts)
        lines.setdefault(where, []).append(default)

    # the location has "wholesale on" already

    lines["location"].remove("wholesale off;")

    # beside which nothing else about TLS may stand

    lines["wholesale_redis"].remove("ssl off;")
    lines["wholesale_redis"].append("ssl on;")

    http_lines = lines["http"] + [
        "wholesale_redis { server 127.0.0.1:1;",
        *lines["wholesale_redis"], "}",
        "wholesale_credential other { token_endpoint /x; client_id x;",
        "client_secret_file x; refresh_token_file y;",
        *lines["wholesale_credential"], "}"]

    fine, output = Gateway(
        tmp_path / "gateway", running_sandbox, http="\n".join(http_lines),
        location="\n".join(lines["location"])).test()
    assert fine, output


def test_calls():
    """The table under wholesale_passthrough."""

    table = re.search(r"wholesale_calls\[\] = \{(.*?)\n\};", CODE, re.S)[1]
    known = {}

    for path, methods in re.findall(r'\{ "([\w/]+)",\s*([A-Z_|]+),', table):
        path += "{id}" if path.endswith("/") else ""
        names = set(methods.replace("WHOLESALE_", "").split("|"))
        known[f"/wholesale/{path}"] = names | (
            {"HEAD"} if "GET" in names else set())

    told = {path.strip("`"): set(methods.replace("`", "").split(", "))
            for path, methods in rows(page("docs/directives.md").section(
                "wholesale_passthrough"))}

    assert told == known


# variables

def test_variables():
    table = re.search(r"ngx_http_variable_t  .*?^\};", CODE, re.M | re.S)[0]
    known = re.findall(r'ngx_string\("(\w+)"\)', table)
    assert len(known) >= 9

    told = rows(page("docs/directives.md").section("Variables"))
    names = [row[0].strip("`$") for row in told]

    assert sorted(name for name in names
                  if name.startswith("wholesale_") and name in known) \
        == sorted(known)

    # and no page speaks of another one
    for each in pages():
        for name in re.findall(r"\$(wholesale_\w+)", each.text):
            assert name in known, each


def outcomes():
    """Without those of a dry run, and of what nginx itself answered."""

    table = re.search(r"_outcomes\[\] = \{(.*?)\n\};", CODE, re.S)[1]

    return [name for name in re.findall(r'ngx_string\("(\w+)"\)', table)
            if name != "other" and not name.endswith("_dry_run")]


def test_outcomes():
    known = outcomes()
    told = [row[0].strip("`") for row in rows(
        page("docs/directives.md").section("Variables"))]

    assert sorted(told[-len(known):]) == sorted(known)


# reasons

def status_of(name):
    names = {"NGX_HTTP_NOT_ALLOWED": 405,
             "NGX_HTTP_REQUEST_TIME_OUT": 408,
             "NGX_HTTP_WHOLESALE_LOCKED": 423}

    if name in names:
        return names[name]

    return http.HTTPStatus[name.replace("NGX_HTTP_", "")].value


def known_refusals():
    """(status, reason, outcome, message) of each."""

    known = []

    for status, outcome, reason, message in REFUSAL.findall(CODE):
        if message.startswith("NGX_"):
            message = DEFINED[message]

        message = "" if message == "ngx_null_string" else literal(
            message.replace("ngx_string", "", 1), DEFINED)

        known.append((status_of(status), reason, outcome.lower(), message))

    return known


def test_all_refusals_are_found():
    assert len(known_refusals()) \
        == len(re.findall(r"ngx_http_wholesale_refusal_t  \w+ = \{", CODE)) \
        >= 25


def test_reasons():
    """Status, reason, outcome and message; of a limit the reason is its name,
    and the message tells it."""

    known = {(status, reason, outcome, message)
             for status, reason, outcome, message in known_refusals()
             if reason != "limit"}

    told = set()
    limits = []

    for _, heading, text in page("docs/answers.md").headings:
        if not re.fullmatch(r"\d{3}", heading):
            continue

        for reason, outcome, message, _ in rows(text):
            row = (int(heading), reason.strip("`"), outcome.strip("`"),
                   message)

            if reason == "the limit's name":
                limits.append(row)
            else:
                assert row not in told
                told.add(row)

    assert told == known
    assert [row[:3] for row in limits] == [(429, "the limit's name",
                                            "limited")]


def test_outcomes_of_reasons():
    assert {outcome for _, _, outcome, _ in known_refusals()} \
        == set(outcomes()) - {"forwarded"}


# the tenants file

def members_of(table):
    """The members in one of the tables of the file's reader."""

    text = re.search(rf"wholesale_member_t  {table}\[\] = \{{(.*?)\n\}};",
                     CODE, re.S)[1]
    return re.findall(r'\{ "(\w+)",', text)


def test_members_of_a_tenant():
    tenants = page("docs/tenants.md")

    assert [name for level, name, _ in tenants.headings if level == 3] \
        == members_of("wholesale_tenant_members")


def test_members_of_a_limit():
    told = rows(page("docs/tenants.md").section("Members of a limit"))

    assert sorted(row[0].strip("`") for row in told) \
        == sorted(members_of("wholesale_limit_members"))


# what /ready says

def test_states_of_a_credential():
    function = re.search(r"_state\([^)]*\)\n\{.*?\n\}", CODE[CODE.rindex(
        "\n\n\n", 0, CODE.index('return "live"')):], re.S)[0]
    known = set(re.findall(r'"(\w+)"', function))
    assert len(known) == 4

    told = [row[0].strip("`") for row in rows(
        page("docs/troubleshooting.md").section("What /ready says"))]

    assert set(told[:4]) == known
    assert set(told[4:]) == {"null", "connected", "down"}


def test_errors_of_redis():
    table = re.search(r"ngx_wholesale_redis_error_names\[.*?\] = \{(.*?)\n\};",
                      CODE, re.S)[1]
    known = set(re.findall(r'ngx_string\("(\w+)"\)', table)) - {"ok"}
    known.add("null")

    told = rows(page("docs/troubleshooting.md").section("Redis down"))
    assert {row[0].strip("`") for row in told} == known

    # what the line says is from the code
    text = re.sub(r'"\s*\n\s*"', "", sources("redis", "limits"))

    for row in told:
        for part in re.findall(r"`([a-z][^`]*)`", row[1]):
            assert part.split(' "')[0].replace("AUTH with", "%s with") in text


def test_errors_of_a_credential():
    """What "last_error" may be begins so in the code."""

    text = re.sub(r'"\s*\n\s*"', "", sources("module", "credentials"))
    told = [error for row in rows(page("docs/troubleshooting.md").section(
        "Credential not live")) for error in re.findall("`([^`]+)`", row[0])
        if " " in error]
    assert len(told) >= 8

    for error in told:
        name, _, rest = error.partition(" ")

        if not name.endswith("_file"):
            name, rest = None, error

        assert name is None or f'"{name}' in text, error
        assert re.split(r"\d|\.\.\.", rest)[0].strip() in text, error


# lines of the error log

def formats():
    """Of all lines of the running gateway from "notice" up; [emerg] is about
    a configuration that it does not take."""

    found = []

    for level, call in re.findall(
            r"ngx_log_error\((\w+), (.*?);\n", CODE, re.S):
        if level in ("NGX_LOG_INFO", "NGX_LOG_DEBUG", "NGX_LOG_EMERG"):
            continue

        # the first string of the call, of as many parts as it has
        found.append(literal(
            re.search(r'(?:"(?:\\.|[^"\\])*"\s*)+', call)[0]))

    return found


def test_lines_of_the_error_log():
    lines = [line for block in page("docs/troubleshooting.md").blocks
             if block.language == "log" for line in block.text.splitlines()]

    known = set(formats())
    assert len(known) >= 14

    patterns = {text: re.compile(".*".join(
        re.escape(part) for part in CONVERSION.split(text)))
        for text in known}

    for line in lines:
        assert any(pattern.fullmatch(line) for pattern in patterns.values()), \
            line

    for text, pattern in patterns.items():
        assert any(pattern.fullmatch(line) for line in lines), text
