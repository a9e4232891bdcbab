"""Each flaw of a till breaks exactly the rules that are about it, and a till without one breaks none."""

import json
import uuid
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from backoffice.workbench.conformance import notes
from tests.integration.conformance.naive_till import NaiveTill, movement

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
    "moves-nothing": {"movements-arrive"},
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


def test_a_till_that_never_sends_a_cash_movement_is_told_so_in_words() -> None:
    till = NaiveTill("moves-nothing")
    till.work()
    report = till.office.report()
    (finding,) = (found for result in report.results for found in result.findings)
    assert finding == (
        "no cash movement was ever sent: step 7 asks for money to be put into the drawer, and shift 1 was closed"
    )
    assert [left.partition(".")[0] for left in report.steps_left] == ["7"]
    assert report.steps_left[0].endswith("Waits for a cash movement.")
    assert report.of("not exercised") == ["movement-id-kept"]


def test_a_till_that_moves_cash_in_a_later_shift_is_done_with_the_step() -> None:
    till = NaiveTill("moves-nothing")
    till.work()
    till.open_shift()
    batch_id = str(uuid.uuid4())
    till.moved[batch_id] = [movement()]
    till.send(till.shift, batch_id, [till.sell()])
    report = till.office.report()
    assert report.of("broken") == [], report.as_text()
    assert not any(left.startswith("7.") for left in report.steps_left)


def test_a_run_that_leaves_the_step_out_accuses_nobody_of_keeping_cash_to_himself() -> None:
    till = NaiveTill()
    till.activate(till.office.floor.credentials.codes[0])
    till.open_shift()
    for _ in range(3):
        till.sell_live()
    till.close_shift()
    report = till.office.report()
    assert "movements-arrive" in report.of("not exercised"), report.as_text()
    assert any("Waits for a cash movement." in left for left in report.steps_left)


def test_a_run_without_a_refund_says_what_it_waits_for() -> None:
    till = NaiveTill()
    till.has_refunded = True  # it never will
    till.activate(till.office.floor.credentials.codes[0])
    till.open_shift()
    for _ in range(20):
        till.sell_live()
    (step,) = (left for left in till.office.steps_left if left.startswith("3."))
    assert step.endswith("Waits for a refund.")


def test_the_step_of_the_restore_says_what_is_lacking() -> None:
    waits = []

    class Watching(NaiveTill):
        def open_shift(self) -> None:
            super().open_shift()
            waits.append(self.office.steps_left)

    till = Watching()
    till.work()
    of_the_restore = [next(left for left in told if left.startswith("10.")) for told in waits]
    assert of_the_restore[0].endswith("Waits for the first shift, which is not settled.")
    assert of_the_restore[1].endswith("Waits for two orders more in shift 2.")


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
