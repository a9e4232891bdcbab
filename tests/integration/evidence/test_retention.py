"""Which months are due, what keeps them, and that nothing leaves which somebody still needs."""

import json
from datetime import date, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from backoffice.audit.run import audit
from backoffice.books.evidence.checkpoints import sign_checkpoint
from backoffice.books.evidence.models import DayRoot
from backoffice.books.exports.jobs import ask_export
from backoffice.books.exports.planning import StoreDays
from backoffice.books.exports.profiles import define_profile, find_profile
from backoffice.books.retention import let_go, review_months
from backoffice.domain.decisions import Verb
from backoffice.fleet.models import Store
from backoffice.ingestion.detaching import NotNow
from backoffice.ingestion.months import drain_default
from backoffice.sales.models import DetachedMonth
from backoffice.trail.models import TrailEntry
from tests.integration.books.office import a_person, decided
from tests.integration.evidence.sealing import seal_here
from tests.integration.ingestion.test_detaching import OLD, TODAY, as_committed, execute, open_shift, sale
from tests.till import Till

pytestmark = pytest.mark.django_db

DUE, NOT_DUE = date(2010, 3, 1), date(2010, 2, 28)


@pytest.fixture
def till(db: None) -> Till:
    """A till whose shift of February 2000 is settled and sealed."""
    drain_default(today=TODAY)
    execute("SELECT sales_create_month(%s), ledger_create_month(%s)", OLD, OLD)
    till = Till()
    open_shift(till)
    sales = [sale(1001), sale(1002)]
    till.close(*sales, batches=[till.sell(*sales)["batch_id"]])
    as_committed()
    seal_here()
    return till


def standing(today: date = DUE) -> tuple[bool, list[str]]:
    (month,) = [month for month in review_months(today=today) if month.month == OLD]
    return month.is_due, month.reasons


def test_a_settled_and_sealed_month_is_due_after_ten_years(till: Till) -> None:
    assert standing(NOT_DUE) == (False, [])
    assert standing(DUE) == (True, [])


def test_the_longest_retention_of_its_stores_rules_and_others_do_not(till: Till) -> None:
    Store.objects.filter(pk=till.store.pk).update(retention_years=12)
    Store.objects.exclude(pk=till.store.pk).update(retention_years=10)
    assert standing(DUE) == (False, [])
    other = Till()
    open_shift(other)
    other.close()
    seal_here()
    assert standing(DUE) == (True, [f"{till.store.code} keeps its books for 12 years: until 2012-02-29."])
    assert standing(date(2012, 3, 1)) == (True, [])


@pytest.mark.parametrize("years", [0, 101])
def test_a_retention_has_bounds(till: Till, years: int) -> None:
    with pytest.raises(IntegrityError, match="retention_years"), transaction.atomic():
        Store.objects.filter(pk=till.store.pk).update(retention_years=years)


def test_a_dispute_keeps_it(till: Till) -> None:
    till.sell(sale(1003, total=1))
    as_committed()
    reasons = standing()[1]
    assert "1 orders or cash movements are held." in reasons


def test_a_request_that_nobody_answered_keeps_it(till: Till) -> None:
    Store.objects.filter(pk=till.store.pk).update(second_person_above=0)
    order = sale(1003)
    till.sell(order)
    seal_here()
    decided(Verb.VOID, order["order_id"])
    as_committed()
    assert "1 decisions wait for a second person." in standing()[1]
    with pytest.raises(NotNow, match="1 decisions wait"):
        let_go(month=OLD, now=timezone.now())


def test_what_is_not_sealed_keeps_it(till: Till) -> None:
    till.sell(sale(1003))
    as_committed()
    assert "2 journal entries are not sealed yet." in standing()[1]


def test_an_export_that_is_not_finished_keeps_it(till: Till) -> None:
    words = {"granularity": None, "currency": "", "siren": "", "map_text": None}
    define_profile(name="accounting", format_name="gl-csv", **words, now=timezone.now())
    span = StoreDays(till.store, OLD, OLD + timedelta(days=20))
    ask_export(find_profile("accounting"), span, person=a_person(rights=()), now=timezone.now())
    assert standing() == (True, ["1 exports are not finished."])
    with pytest.raises(NotNow, match="not finished"):
        let_go(month=OLD, now=timezone.now())


def test_an_older_month_that_leaves_too_is_no_reason_and_one_that_stays_is(till: Till) -> None:
    execute("SELECT sales_create_month('2000-01-01'), ledger_create_month('2000-01-01')")
    assert standing() == (True, [])
    open_shift(till, day=10, month="2000-01", number=1)
    as_committed()
    assert "2000-01 is older: the oldest month leaves first." in standing()[1]


def test_the_command_shows_first_and_then_detaches_and_notes_it(till: Till) -> None:
    out = StringIO()
    call_command("retention", stdout=out)
    assert "2000-02  was kept through 2010-02-28, is due, and may leave." in out.getvalue()
    assert not DetachedMonth.objects.exists()
    out = StringIO()
    call_command("retention", "--json", stdout=out)
    month = {"month": "2000-02", "kept_through": "2010-02-28", "due": True, "may_leave": True, "reasons": []}
    assert month in json.loads(out.getvalue())
    out = StringIO()
    call_command("retention", "--apply", stdout=out)
    assert "2000-02 is detached." in out.getvalue()
    assert "sales_order_200002                      2 rows" in out.getvalue()
    noted = TrailEntry.objects.get(what="detached", object_id="2000-02")
    assert noted.after["sales_order_200002"] == 2
    assert noted.via.startswith("command retention")


def test_the_command_fails_where_a_month_that_is_due_must_stay(till: Till) -> None:
    till.upload(sale(1003))
    out = StringIO()
    with pytest.raises(CommandError, match=r"Due, and kept: .*2000-02"):
        call_command("retention", "--apply", stdout=out)
    assert "2000-02  is due, and stays. 1 uploads are not processed." in out.getvalue()
    assert not DetachedMonth.objects.exists()


def test_a_month_that_left_keeps_its_day_roots_and_the_books_continue_an_anchor_from_before(
    till: Till, tmp_path: Path
) -> None:
    anchor = sign_checkpoint(now=timezone.now())
    roots = [(row.position, bytes(row.root)) for row in DayRoot.objects.order_by("position")]
    assert roots
    let_go(month=OLD, now=timezone.now())
    assert [(row.position, bytes(row.root)) for row in DayRoot.objects.order_by("position")][: len(roots)] == roots
    report: Any = audit(progress=lambda *_: None, anchor=anchor)
    assert [each for each in report.differences if each.store in {till.store.code, ""}] == []
    assert report.detached == [OLD]
