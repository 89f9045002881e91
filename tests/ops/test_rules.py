"""Alerts, their unit tests, their runbook entries and the dashboards belong together."""

import re
import subprocess
from collections.abc import Callable

import pytest
import yaml

from deploy.grafana.boards import BOARDS
from deploy.grafana.generate import FOLDER, build
from deploy.grafana.panels import Board
from tests.conftest import ROOT
from workers.kafka.exit_codes import ExitCode
from workers.metric_table import METRICS, PROCESS_METRICS

RULES = ROOT / "deploy" / "prometheus"
RUNBOOK = (ROOT / "deploy" / "runbook.md").read_text("utf-8")


def rules(name: str) -> list[dict[str, str]]:
    """Return the rules of a file."""
    return [rule for group in yaml.safe_load((RULES / name).read_text())["groups"] for rule in group["rules"]]


ALERTS = rules("rules.alerts.yaml")
RECORDED = {rule["record"] for rule in rules("rules.recording.yaml")}


def test_every_alert_has_a_runbook_entry_and_every_entry_an_alert() -> None:
    headings = re.findall(r"^## (Samewire\w+)$", RUNBOOK, re.MULTILINE)
    assert headings == [rule["alert"] for rule in ALERTS]
    for entry in re.split(r"^## ", RUNBOOK, flags=re.MULTILINE)[1 : len(headings) + 1]:
        assert re.findall(r"^\*\*(.+?):\*\*", entry, re.MULTILINE) == ["Means", "Look at", "Do"], entry[:40]


def test_every_alert_fires_and_is_quiet_in_the_unit_tests() -> None:
    tests = yaml.safe_load((RULES / "rules.test.yaml").read_text())["tests"]
    titles = {test["name"] for test in tests}
    for rule in ALERTS:
        assert {f"{rule['alert']} fires", f"{rule['alert']} is quiet"} <= titles
    for test in tests:
        fires = test["name"].endswith("fires")
        assert all(bool(each["exp_samples"]) == fires for each in test["promql_expr_test"]), test["name"]


def test_alerts_say_what_and_where_to_read_on() -> None:
    for rule in ALERTS:
        assert set(rule["annotations"]) == {"summary", "description", "runbook"}
        assert rule["labels"]["severity"] in ("critical", "warning", "info")  # type: ignore[index]


@pytest.mark.timeout(600)
def test_promtool_runs_the_unit_tests(needs: Callable[..., None]) -> None:
    needs("promtool")
    for command in (["check", "config", "prometheus.yaml"], ["test", "rules", "rules.test.yaml"]):
        done = subprocess.run(["promtool", *command], cwd=RULES, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_amtool_takes_the_alertmanager_example(needs: Callable[..., None]) -> None:
    needs("amtool")
    file = ROOT / "deploy" / "alertmanager" / "alertmanager.yaml"
    done = subprocess.run(["amtool", "check-config", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    routed = yaml.safe_load(file.read_text())
    names = {rule["alert"] for rule in ALERTS}
    for rule in routed["inhibit_rules"]:
        for matcher in rule["source_matchers"] + rule["target_matchers"]:
            named = re.search(r'alertname=~?"([\w|]+)"', matcher)
            assert named is None or set(named[1].split("|")) <= names


def test_expressions_use_only_metrics_that_exist() -> None:
    known = {name for name, _ in PROCESS_METRICS} | RECORDED | {"up"}
    for metric in METRICS:
        suffixes = ("_bucket", "_count", "_sum") if metric.kind == "histogram" else ("",)
        known |= {metric.exposed + suffix for suffix in suffixes}
    expressions = [rule["expr"] for rule in [*ALERTS, *rules("rules.recording.yaml")]]
    expressions += [
        query.expr
        for board in BOARDS
        for row in board.rows.values()
        for panel in row
        for query in panel.queries
    ]
    for expression in expressions:
        used = set(re.findall(r"\b(?:samewire[_:][a-z0-9_:]+|process_[a-z_]+|up(?=\{))", expression))
        assert used, expression
        assert used <= known, used - known


def test_every_recording_rule_is_used() -> None:
    text = "".join(rule["expr"] for rule in ALERTS)
    text += "".join(q.expr for b in BOARDS for row in b.rows.values() for p in row for q in p.queries)
    assert {name for name in RECORDED if name not in text} <= {
        "samewire:arrival_delay_seconds:p50_5m",
        "samewire:published_delay_seconds:p95_5m",
    }


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_the_dashboards_are_what_the_generator_gives(board: Board) -> None:
    file = FOLDER / f"{board.uid}.json"
    assert file.read_text("utf-8") == build(board), "run `python -m deploy.grafana.generate`"


def test_there_is_no_other_dashboard() -> None:
    assert {file.stem for file in FOLDER.glob("*.json")} == {board.uid for board in BOARDS}


def test_the_runbook_knows_every_exit_code() -> None:
    rows = re.findall(r"^\| (\d+) \| .+? \| (yes|no|after making room|) ?\|$", RUNBOOK, re.MULTILINE)
    helps = {int(code): word for code, word in rows}
    assert set(helps) == {int(code) for code in ExitCode} | {2, 3, 4, 5, 6}
    for code in ExitCode:
        if code is not ExitCode.OK:
            assert (helps[code] == "yes") == code.restart_helps, code
