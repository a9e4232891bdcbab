"""Books of drawers that somebody changed behind the service's back: what counts and openings move, and what they note."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from backoffice.ingestion import drawers
from backoffice.ingestion.drawers import record_count
from tests.integration.audit.test_tampered_books import copy_row, found
from tests.till import Till, a_sale

pytestmark = pytest.mark.django_db

Verify = Callable[[], tuple[int, dict[str, Any]]]
Tamper = Callable[..., None]

DOUBLED = (
    "UPDATE ledger_journalline l SET debit = debit * 2, credit = credit * 2 FROM ledger_entrysource s"
    " WHERE l.entry_id = s.entry_id AND s.source_kind = '{kind}' AND s.source_number = {number}"
    " AND s.source_id = (SELECT shift_id FROM sales_shift WHERE number = {shift})"
)
MOVED_ELSEWHERE = (
    "UPDATE ledger_journalline l SET account_id = '{to}' FROM ledger_entrysource s WHERE l.entry_id = s.entry_id"
    " AND s.source_kind = '{kind}' AND l.account_id = '{of}'"
    " AND s.source_id = (SELECT shift_id FROM sales_shift WHERE number = {shift})"
)


@pytest.fixture
def counted(verify: Verify) -> Till:
    """A till whose shift 311 left 150.00 and was counted three times, and whose 312 opened with 140.00 and closed blind."""
    till = Till()
    till.open()
    till.close(counted=19000, float_left=15000)
    for again in (19500, 20100):
        record_count(shift_id=till.shift_id, counted=again, now=timezone.now())
    till.open(number=312, opening_float=14000)
    till.close(cash_counted=None, float_left=14000)
    assert verify()[0] == 0
    return till


def named(verify: Verify, till: Till) -> list[tuple[str, str]]:
    return [(each["where"], each["what"]) for each in found(verify, till)]


@pytest.mark.parametrize(
    ("change", "where", "what"),
    [
        (
            DOUBLED.format(kind="closing", number=1, shift=311),
            "closing, count 1 of shift 311",
            "lines of journal entry",
        ),
        (
            DOUBLED.format(kind="closing", number=2, shift=311),
            "closing, count 3 of shift 311",
            "lines of journal entry",
        ),
        (
            DOUBLED.format(kind="closing", number=3, shift=311),
            "closing, count 3 of shift 311",
            "lines of journal entry",
        ),
        (DOUBLED.format(kind="opening", number=0, shift=312), "opening of shift 312", "lines of journal entry"),
        (
            MOVED_ELSEWHERE.format(kind="opening", of="6900", to="1010", shift=312),
            "opening of shift 312",
            "lines of journal entry",
        ),
        (
            MOVED_ELSEWHERE.format(kind="closing", of="1010", to="6900", shift=311),
            "closing, count 2 of shift 311",
            "lines of journal entry",
        ),
        (
            "DELETE FROM ledger_entrysource WHERE source_kind = 'closing' AND source_number = 1",
            "closing, count 1 of shift 311",
            "journal entry",
        ),
        (
            "DELETE FROM ledger_entrysource WHERE source_kind = 'closing' AND source_number = 2",
            "closing, count 3 of shift 311",
            "lines of journal entry",
        ),
        ("UPDATE sales_shift SET moved_to_safe = 1 WHERE number = 311", "shift 311", "moved to the safe"),
        ("UPDATE sales_shift SET moved_to_safe = 0 WHERE number = 312", "shift 312", "moved to the safe"),
        ("UPDATE sales_shift SET drawer_counts = 1 WHERE number = 311", "shift 311", "number of counts"),
        ("UPDATE sales_shift SET drawer_counts = 1 WHERE number = 312", "shift 312", "number of counts"),
        ("UPDATE sales_shift SET awaits_count = false WHERE number = 312", "shift 312", "waits for its count"),
        ("UPDATE sales_shift SET awaits_count = true WHERE number = 311", "shift 311", "waits for its count"),
        (
            "UPDATE sales_shift SET recounted = 20000 WHERE number = 311",
            "closing, count 3 of shift 311",
            "lines of journal entry",
        ),
        ("UPDATE sales_shift SET recounted = 14000 WHERE number = 312", "shift 312", "over or short"),
        (
            "UPDATE sales_shift SET declared = jsonb_set(declared, '{float_left}', '14000') WHERE number = 311",
            "closing, count 1 of shift 311",
            "lines of journal entry",
        ),
        (
            "UPDATE sales_shift SET declared = jsonb_set(declared, '{float_left}', 'null') WHERE number = 311",
            "opening of shift 312",
            "lines of journal entry",
        ),
        ("UPDATE sales_shift SET drawer_at_opening = 1 WHERE number = 312", "opening of shift 312", "drawer after it"),
        ("UPDATE sales_shift SET over_short = 0 WHERE number = 312", "shift 312", "over or short"),
        ("UPDATE sales_shift SET z_number = 5 WHERE number = 312", "shift 312", "Z number"),
        ("UPDATE sales_shift SET z_number = NULL WHERE number = 311", "shift 312", "Z number"),
    ],
)
def test_cash_that_was_changed(
    counted: Till, verify: Verify, tamper: Tamper, *, change: str, where: str, what: str
) -> None:
    tamper(change)
    differences = named(verify, counted)
    assert any(place.startswith(where) and said.startswith(what) for place, said in differences), differences


def test_a_closing_that_was_made_up(counted: Till, verify: Verify, tamper: Tamper) -> None:
    """Of the shift that is not counted yet: balanced, from its own drawer to the safe."""
    entry = "SELECT entry_id FROM ledger_entrysource WHERE source_kind = 'closing' AND source_number = 1"
    change = {"source_id": f"'{counted.shift_id}'", "shift_id": f"'{counted.shift_id}'"}
    copy_row(tamper, "ledger_journalentry", change | {"id": "-id"}, f"id = ({entry})")
    copy_row(tamper, "ledger_journalline", {"entry_id": "-entry_id"}, f"entry_id = ({entry})")
    copy_row(
        tamper,
        "ledger_entrysource",
        change | {"entry_id": "-entry_id"},
        "source_kind = 'closing' AND source_number = 1",
    )
    differences = named(verify, counted)
    assert any("of closing" in place and said == "has no source in the bytes" for place, said in differences)
    assert ("drawer of Till 1", "balance") in differences


@pytest.mark.parametrize("is_left_out", [True, False])
def test_an_opening_that_left_the_rest_to_a_shift_that_did_not_wait(
    till: Till, verify: Verify, tamper: Tamper, *, is_left_out: bool
) -> None:
    """Shifts beside each other left 240 too much in the drawer: the opening moved it to the safe."""
    live = till.shift_id
    ended = {"opened_at": "2026-02-27T08:00:00+01:00", "closed_at": "2026-02-27T18:00:00+01:00"}
    till.open(number=300, first_number=901, opening_float=7000, **ended)
    till.close(counted=7000, float_left=6760, first_number=901, last_number=900)
    till.shift_id = live
    till.close(counted=20000, float_left=20000)
    till.open(number=312, opening_float=20000)
    tamper("UPDATE sales_shift SET reconciled_at = received_at - interval '1 hour' WHERE number < 312")
    assert verify()[0] == 0
    opening = f"(SELECT entry_id FROM ledger_entrysource WHERE source_id = '{till.shift_id}')"
    tamper(f"DELETE FROM ledger_journalline WHERE entry_id = {opening}")
    tamper(f"DELETE FROM ledger_journalentry WHERE id = {opening}")
    tamper(f"DELETE FROM ledger_entrysource WHERE source_id = '{till.shift_id}'")
    if is_left_out:
        tamper("UPDATE sales_shift SET drawer_at_opening = 0 WHERE number = 312")
    assert any(place.startswith("opening of shift 312") for place, _ in named(verify, till))


def test_an_opening_that_moved_what_it_should_have_left(till: Till, verify: Verify, tamper: Tamper) -> None:
    """The shift before was closed blind, and is not counted yet: what is still to be posted of it stays in the drawer."""
    till.sell(a_sale(1001))
    till.close(cash_counted=None, float_left=15000, first_number=1002, last_number=1001)
    till.open(number=312, opening_float=15000, first_number=1002)
    assert verify()[0] == 0
    tamper("UPDATE sales_shift SET drawer_at_opening = NULL WHERE number = 312")
    assert ("opening of shift 312", "drawer after it") in [
        (place.split(" (")[0], said) for place, said in named(verify, till)
    ]


def test_an_opening_that_moved_what_late_orders_were_still_to_bring(
    till: Till, verify: Verify, tamper: Tamper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It took the shift before for settled; the order of that shift then took its number after the opening."""
    order, waiting = a_sale(1001), till.shift_id
    till.close(order, counted=20240, float_left=15000)
    with monkeypatch.context() as wrong:
        wrong.setattr(drawers, "SELECT_DRAWER", drawers.SELECT_DRAWER.replace("'closing'", "'none'"))
        till.open(number=312, opening_float=15000, first_number=1002)
    assert [place.split(" (")[0] for place, _ in named(verify, till)][:2] == ["opening of shift 312"] * 2
    till.sell(order, shift_id=waiting)
    assert [place.split(" (")[0] for place, _ in named(verify, till)][:2] == ["opening of shift 312"] * 2
