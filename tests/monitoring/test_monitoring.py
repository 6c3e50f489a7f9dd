# Copyright (C) The wholesale gateway authors

"""The alerts and the dashboard that are shipped, by Prometheus's own word."""

import json
import pathlib
import re
import subprocess

import pytest

from gateway import status
from gateway.gateway import CUSTOMERS
from gateway.nginx import REPOSITORY
from monitoring.prometheus import Prometheus


FOLDER = REPOSITORY / "docs/monitoring"
ALERTS = FOLDER / "alerts.yaml"
CASES = pathlib.Path(__file__).with_name("alerts_test.yaml")

DASHBOARD = json.loads((FOLDER / "dashboard.json").read_text())

TROUBLESHOOTING = REPOSITORY / "docs/troubleshooting.md"

# what Grafana puts into expressions
VARIABLES = {"$instance": ".*", "$tenant": ".*", "$__rate_interval": "1m"}

TENANTS = {
    "acme": {"limits": [{"name": "daily", "quota": 5, "window": "1d"}]},
    "bolt": {"limits": [{"name": "trial", "quota": 5, "window": "1d",
                         "dryRun": True}]},
}

# of a gateway with which all is well, nothing is there of these
EMPTY = {"Gateway started"}


def promtool(*arguments):
    done = subprocess.run(("promtool", *arguments), capture_output=True,
                          text=True)
    return done.returncode, done.stdout + done.stderr


def names_of_alerts():
    return re.findall(r"- alert: (\w+)", ALERTS.read_text())


def panels():
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def expressions():
    """[(title, expression)] of all panels and annotations."""

    found = [(panel["title"], target["expr"]) for panel in panels()
             for target in panel["targets"]]
    found += [(item["name"], item["expr"])
              for item in DASHBOARD["annotations"]["list"] if "expr" in item]

    return [(title, re.sub(r"\$\w+", lambda match: VARIABLES[match[0]],
                           expression)) for title, expression in found]


def test_the_rules_are_valid():
    code, output = promtool("check", "rules", ALERTS)
    assert code == 0, output
    assert f"{len(names_of_alerts())} rules found" in output


def test_each_alert_fires():
    """And none when all is well."""

    code, output = promtool("test", "rules", CASES)
    assert code == 0, output

    cases = CASES.read_text()

    for name in names_of_alerts():
        assert f"alertname: {name}\n        exp_alerts:" in cases, name
        assert f"eval_time: 2h, alertname: {name} }}" in cases, name


@pytest.mark.parametrize("name", names_of_alerts())
def test_a_rule_that_is_broken_is_found(tmp_path, name):
    """The cases notice that an alert never fires."""

    rules = ALERTS.read_text()
    start = rules.index(f"- alert: {name}\n")
    expression = rules.index("expr: |\n", start)
    end = rules.index("\n        for:", expression)

    (tmp_path / "alerts.yaml").write_text(
        rules[:expression] + "expr: vector(1) > 2" + rules[end:])
    (tmp_path / "cases.yaml").write_text(CASES.read_text().replace(
        "../../docs/monitoring/alerts.yaml", "alerts.yaml"))

    code, output = promtool("test", "rules", tmp_path / "cases.yaml")
    assert code != 0
    assert f"alertname: {name}," in output or name in output


def test_what_alerts_say():
    rules = ALERTS.read_text()
    n = len(names_of_alerts())

    for member in ("summary", "description", "runbook_url", "severity"):
        assert len(re.findall(rf"^ +{member}: ", rules, re.M)) == n


def test_runbooks_are_there():
    headings = {re.sub(r"[^a-z0-9 -]", "", line[3:].lower()).replace(" ", "-")
                for line in TROUBLESHOOTING.read_text().splitlines()
                if line.startswith("## ")}

    found = re.findall(r"runbook_url: docs/troubleshooting\.md#(\S+)",
                       ALERTS.read_text())
    assert len(found) == len(names_of_alerts())
    assert set(found) <= headings


def test_the_dashboard():
    assert DASHBOARD["schemaVersion"] >= 36
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) \
        == len(DASHBOARD["panels"])

    # of no data source but the one that is chosen
    assert {json.dumps(item["datasource"]) for panel in panels()
            for item in (panel, *panel["targets"])} \
        == {'{"type": "prometheus", "uid": "${datasource}"}'}

    assert [variable["name"] for variable
            in DASHBOARD["templating"]["list"]] \
        == ["datasource", "instance", "tenant"]

    # none lies over another
    cells = set()

    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        own = {(x, y) for x in range(place["x"], place["x"] + place["w"])
               for y in range(place["y"], place["y"] + place["h"])}
        assert not own & cells, panel["title"]
        assert place["x"] + place["w"] <= 24
        cells |= own


@pytest.fixture
def prometheus(tmp_path, refreshing, redis):
    """One that looks at a gateway which has had requests of every kind."""

    running = refreshing(http=redis.block(), server=status.LOCATION,
                         tenants=TENANTS)
    running.warm()
    prometheus = Prometheus(tmp_path, running.port, ALERTS)
    prometheus.running = running

    yield prometheus.start()
    prometheus.stop()


def traffic(running):
    for tenant in TENANTS:
        running.update(tenant=tenant, target=f"{CUSTOMERS}/c1")

    running.update(tenant="bolt", body=b'{"packages": ["x"]}')


def test_expressions_of_the_dashboard(prometheus):
    """Each is valid, and finds something in the gateway's own metrics."""

    running = prometheus.running
    missing = dict.fromkeys(title for title, _ in expressions())

    def all_found():
        traffic(running)
        missing.clear()

        for title, expression in expressions():
            found = prometheus.query(expression)

            if title not in EMPTY and not any(
                    number == number for _, number in found):
                missing[title] = expression

        return not missing

    try:
        running.wait_for(all_found, "the figures")
    except AssertionError as e:
        raise AssertionError(f"nothing is found for {missing}") from e

    # and some of it is as it is known to be
    values = {title: prometheus.query(expression)
              for title, expression in expressions()}

    assert [number for _, number in values["Redis"]] == [1]
    assert [(labels["credential"], number)
            for labels, number in values["Tokens"]] == [("webex", 1)]
    assert [number for _, number in values["Gateways"]] == [1]
    assert ({"tenant": "acme", "limit": "daily"}, 1) \
        in values["Use of limits"]
    assert [number for _, number in values["Tenants refused"]] == [1]


def test_names_are_the_gateways(prometheus):
    """Of rules too, whose expressions find nothing when all is well."""

    running = prometheus.running
    running.wait_for(lambda: (traffic(running),
                              prometheus.query("wholesale_build_info"))[1],
                     "a scrape")
    known = {name for name, *_ in status.samples(running)}

    text = ALERTS.read_text() + "".join(
        expression for _, expression in expressions())
    used = set(re.findall(r"wholesale_[a-z_]+", text)) - {"wholesale_status"}

    assert len(used) > 15
    assert used <= known

    running.wait_for(lambda: {health for health, _
                              in prometheus.rules().values()} == {"ok"},
                     "the rules to be evaluated")
