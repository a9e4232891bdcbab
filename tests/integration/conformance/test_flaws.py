"""Each flaw of a till breaks exactly the rules that are about it, and a till without one breaks none."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from backoffice.workbench.conformance import notes
from tests.integration.conformance.naive_till import NaiveTill

# What Python writes, and nobody else.
PYTHONS = ("None", "UUID(", "datetime", "[(", "(1", "'")

FLAWS: dict[str, set[str]] = {
    "fresh-ids": {"order-id-kept", "batch-retried"},
    "renumbers": {"order-id-kept", "batch-retried", "numbers-ascend", "orders-arrive", "missing-sent"},
    "drops-unanswered": {
        "batch-retried",
        "orders-arrive",
        "missing-sent",
        "close-numbers",
        "close-totals",
        "close-payments",
        "close-batches",
        "numbers-ascend",
    },
    "forgets": {"missing-sent", "orders-arrive"},
    "changes-content": {"batch-unchanged"},
    "never-renames": {"batch-renamed"},
    "halves-always": {"alone"},
    "hammers": {"backs-off", "retry-after"},
    "wrong-sums": {"close-totals", "close-payments"},
    "wrong-total": {"sums", "close-payments"},
    "money-as-float": {"money"},
    "customer-offline": {"offline-customer", "offline-network"},
    "skips-a-number": {"numbers-ascend", "orders-arrive", "missing-sent"},
    "strange-heartbeat": {"heartbeat-true"},
    "keeps-the-old-token": {"token-changed"},
    "token-in-address": {"token-secret"},
    "spells-the-cursor": {"cursor"},
    "polls-always": {"feed-pace"},
    "ignores-401": {"stops-on-401"},
    "opens-twice": {"one-open-shift"},
    "positive-refund": {"refund-not-negative"},
    "loses-movements": {"movements-arrive"},
    "new-movement-ids": {"movement-id-kept"},
    "always-online": {"mode"},
    "always-offline": {"mode"},
    "never-reads-receipts": {"receipt-read"},
    "fixed-200-ms": {"backs-off"},
    "fixed-500-ms": {"backs-off"},
}


@pytest.mark.parametrize("seed", range(1, 9))
def test_a_till_without_a_flaw_passes_whatever_the_order_of_mishaps(seed: int) -> None:
    till = NaiveTill(seed=seed)
    till.work()
    report = till.office.report()
    assert report.passed, report.as_text()


@pytest.mark.parametrize(("in_a_batch", "not_used"), [(1, {"split", "alone"}), (3, {"split"})])
def test_a_till_with_small_batches_passes_too(in_a_batch: int, not_used: set[str]) -> None:
    till = NaiveTill()
    till.in_a_batch = in_a_batch
    till.work()
    report = till.office.report()
    assert report.passed, report.as_text()
    assert set(report.of("not used")) - {"gzip", "digest", "live-wait", "adjusts-alone"} == not_used


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(notes.__file__).with_name("report.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(found)
    return found


@pytest.mark.parametrize(("flaw", "broken"), FLAWS.items(), ids=FLAWS)
def test_a_flaw_breaks_exactly_the_rules_about_it(flaw: str, broken: set[str], schema: dict[str, Any]) -> None:
    till = NaiveTill(flaw)
    till.work()
    report = till.office.report()
    jsonschema.validate(report.as_json(), schema)
    assert not any(sign in finding for result in report.results for finding in result.findings for sign in PYTHONS)
    assert set(report.of("broken")) == broken, report.as_text()
    assert not report.passed


def test_a_till_that_never_sends_a_cash_movement_is_told_where_it_is_stuck() -> None:
    till = NaiveTill("moves-nothing")
    till.work()
    report = till.office.report()
    assert report.of("broken") == [], report.as_text()
    assert {"movements-arrive", "movement-id-kept"} == set(report.of("not exercised")), report.as_text()
    assert not report.passed


def test_a_heartbeat_may_leave_out_what_may_be_null() -> None:
    till = NaiveTill("silent-heartbeat")
    till.work()
    report = till.office.report()
    assert report.passed, report.as_text()


def test_a_till_with_everything_wrong_is_told_everything() -> None:
    flaws = ("renumbers", "forgets", "wrong-sums", "customer-offline", "hammers", "ignores-401", "polls-always")
    till = NaiveTill(*flaws)
    till.work()
    report = till.office.report()
    expected = set().union(*(FLAWS[flaw] for flaw in flaws))
    assert set(report.of("broken")) == expected, report.as_text()
