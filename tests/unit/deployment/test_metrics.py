"""Metrics: the handbook explains each one that there is, and the alarms ask for those alone."""

import re

import yaml

from backoffice.health.backlog import UNSEALED_TOO_LONG_S, WAITED_TOO_LONG_S
from tests.unit.deployment.files import DEPLOY, HANDBOOK

METRIC = re.compile(r"\bbackoffice_[a-z_]+")
# What another program than the service tells, through node_exporter.
OF_THE_BACKUP = set(re.findall(r"^# TYPE (\w+) gauge$", (DEPLOY / "backup.sh").read_text(), re.MULTILINE))
RULES = [
    rule
    for group in yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]


def documented() -> dict[str, str]:
    """Each metric of the handbook's table, with what to do."""
    table = HANDBOOK[HANDBOOK.index("| question | metric |") :].split("\n\n")[0].splitlines()[2:]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table]
    assert all(len(row) == 3 for row in rows)
    return {name: row[2] for row in rows for name in re.findall(r"`(backoffice_[a-z_]+)`", row[1])}


def test_each_metric_is_explained_once_with_what_to_do() -> None:
    rows = documented()
    assert len(rows) >= 20
    assert all(rows.values())
    assert len(re.findall(r"`backoffice_[a-z_]+`", HANDBOOK[HANDBOOK.index("| question |") :].split("\n\n")[0])) == len(
        rows
    )


def test_alarms_ask_for_metrics_that_exist() -> None:
    parts = {f"{name}{part}" for name in documented() for part in ("", "_bucket", "_sum", "_count")}
    asked = {name for rule in RULES for name in METRIC.findall(rule["expr"])}
    assert {"backoffice_ready", "backoffice_oldest_waiting_seconds", "backoffice_batches_set_aside"} <= asked
    assert asked >= OF_THE_BACKUP
    assert asked <= parts | OF_THE_BACKUP


def test_alarms_say_what_is_wrong_and_where_to_read_on() -> None:
    headings = {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", HANDBOOK, re.MULTILINE)
    }
    assert len({rule["alert"] for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule["labels"]["severity"] in {"page", "ticket"}, rule
        assert rule["annotations"]["summary"], rule
        assert rule["annotations"]["runbook"] in headings, rule


def test_the_alarm_of_the_oldest_batch_and_readiness_agree() -> None:
    (rule,) = [rule for rule in RULES if rule["alert"] == "OrdersWait"]
    assert rule["expr"] == f"backoffice_oldest_waiting_seconds > {WAITED_TOO_LONG_S}"


def test_the_alarm_of_seals_and_the_doctor_agree() -> None:
    (rule,) = [rule for rule in RULES if rule["alert"] == "SealsLate"]
    assert rule["expr"] == f"backoffice_oldest_unsealed_seconds > {UNSEALED_TOO_LONG_S}"
