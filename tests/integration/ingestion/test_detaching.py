"""An old month leaves the tables that grow and comes back, and what stays behind goes on telling the truth."""

from datetime import UTC, date, datetime
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from backoffice.audit.run import audit
from backoffice.audit.text_report import lines_of
from backoffice.domain.decisions import Verb
from backoffice.ingestion.detaching import NotNow, attach_month, detach_month, reasons_against
from backoffice.ingestion.months import default_rows, drain_default
from backoffice.sales.models import DetachedMonth, Order, Shift
from tests.integration.books.office import decided
from tests.integration.evidence.sealing import seal_here
from tests.till import Till, a_movement, a_sale, balance, entry_of, outcomes

pytestmark = pytest.mark.django_db

# Older than whatever other tests sold in.
OLD = date(2000, 2, 1)
TODAY = date(2026, 11, 22)


def sale(number: int, day: int = 15, month: str = "2000-02", **changes: Any) -> dict[str, Any]:
    at = f"{month}-{day:02}T10:00:00+01:00"
    return a_sale(number, opened_at=at, closed_at=at, **changes)


def open_shift(till: Till, day: int = 15, month: str = "2000-02", **changes: Any) -> None:
    assert till.open(opened_at=f"{month}-{day:02}T08:00:00+01:00", **changes).status_code == 201


def execute(statement: str, *words: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement, words)
        return cursor.fetchone() if cursor.description else None


def as_committed() -> None:
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    execute("SET CONSTRAINTS ALL DEFERRED")


@pytest.fixture
def till(db: None) -> Till:
    """A till whose shift of the old month is settled: two sales, 3.00 brought in, 1.00 short."""
    drain_default(today=TODAY)
    execute("SELECT sales_create_month(%s), ledger_create_month(%s)", OLD, OLD)
    till = Till()
    open_shift(till)
    sales = [sale(1001), sale(1002)]
    receipt = till.sell(*sales, movements=[a_movement(300, occurred_at="2000-02-15T11:00:00+01:00")])
    till.close(*sales, batches=[receipt["batch_id"]], counted=20000 + 480 + 300 - 100)
    assert till.shift()["state"] == "reconciled"
    as_committed()
    till.sales = sales  # type: ignore[attr-defined]
    return till


def detach() -> None:
    detach_month(month=OLD, now=timezone.now())


class TestReasonsToStay:
    """A month that somebody still has to do with stays."""

    def test_a_settled_old_month_may_go(self, till: Till) -> None:
        assert reasons_against(month=OLD, today=TODAY) == []

    def test_a_young_month_stays(self, till: Till) -> None:
        assert "too young" in " ".join(reasons_against(month=OLD, today=date(2000, 5, 31)))
        assert reasons_against(month=OLD, today=date(2000, 6, 1)) == []

    def test_the_oldest_goes_first(self, till: Till) -> None:
        execute("SELECT sales_create_month('2000-01-01'), ledger_create_month('2000-01-01')")
        assert reasons_against(month=OLD, today=TODAY) == ["2000-01 is older: the oldest month leaves first."]

    def test_a_month_that_is_none_is_told(self, till: Till) -> None:
        assert reasons_against(month=date(2000, 1, 1), today=TODAY) == [
            "2000-01 is not among the tables: it is detached already, or was never made."
        ]

    def test_a_shift_that_is_not_settled_keeps_it(self, till: Till) -> None:
        open_shift(till, day=16, first_number=1003)
        as_committed()
        with pytest.raises(NotNow, match="1 shifts are not settled"):
            detach()

    def test_a_held_order_keeps_it(self, till: Till) -> None:
        till.sell(sale(1003, total=1))
        as_committed()
        with pytest.raises(NotNow, match=r"1 shifts are not settled\. 1 orders or cash movements are held"):
            detach()

    def test_an_upload_that_waits_keeps_it(self, till: Till) -> None:
        till.upload(sale(1003))
        with pytest.raises(NotNow, match="1 uploads are not processed"):
            detach()


class TestDetached:
    """While a month is away."""

    def test_its_sales_are_away_and_everything_else_is_there(self, till: Till) -> None:
        tables = detach_month(month=OLD, now=timezone.now())
        assert {table.name: table.rows for table in tables} == {
            "sales_order_200002": 2,
            "sales_orderline_200002": 2,
            "sales_payment_200002": 2,
            "ledger_journalentry_200002": 5,
            "ledger_journalline_200002": 14 - 2,
        }
        assert not Order.objects.filter(shift_id=till.shift_id).exists()
        assert Shift.objects.get(pk=till.shift_id).state == "reconciled"
        assert execute("SELECT count(*) FROM sales_order_200002") == (2,)

    def test_an_opening_knows_what_its_last_close_left_in_the_drawer(self, till: Till) -> None:
        open_shift(till, day=16, number=312, opening_float=20680, first_number=1003)
        till.close(counted=20700, float_left=15000, first_number=1003, last_number=1002)
        assert balance(till) == 15000
        as_committed()
        detach()
        open_shift(till, day=1, month="2026-03", number=313, opening_float=14000, first_number=1003)
        assert entry_of(till.shift_id) == {("6900", 1000, 0), ("1000", 0, 1000)}
        till.close(counted=14000, first_number=1003, last_number=1002)
        open_shift(till, day=2, month="2026-03", number=314, opening_float=500, first_number=1003)
        assert entry_of(till.shift_id) == {("1010", 13500, 0), ("1000", 0, 13500)}
        assert audit(progress=lambda *_: None).differences == []

    def test_a_repeat_is_still_a_duplicate(self, till: Till) -> None:
        detach()
        again = dict(till.sales[0], mode="online")  # type: ignore[attr-defined]
        assert outcomes(till.sell(again)) == ["duplicate"]
        assert Shift.objects.get(pk=till.shift_id).state == "reconciled"

    @pytest.mark.parametrize("verb", ["UPDATE {} SET currency = 'XXX'", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
    def test_its_books_are_guarded_as_before(self, till: Till, verb: str) -> None:
        detach()
        for parent in ("ledger_journalentry", "ledger_journalline"):
            with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
                execute(verb.format(f"{parent}_200002"))

    def test_the_next_shift_finds_the_drawer_as_it_was_left(self, till: Till) -> None:
        """Its opening moves 6.80 to the safe, which only the detached month's entries know of."""
        left = balance(till)
        assert left == 20680
        detach()
        assert balance(till) == 0
        open_shift(till, month="2026-11", first_number=1003)
        assert entry_of(till.shift_id) == {("1010", 680, 0), ("1000", 0, 680)}
        as_committed()
        attach_month(month=OLD)
        assert balance(till) == 20000

    def test_a_late_order_is_posted_and_its_settled_shift_left_alone(self, till: Till) -> None:
        before = Shift.objects.values("state", "computed", "over_short", "reconciliations").get(pk=till.shift_id)
        detach()
        late = sale(1003)
        assert outcomes(till.sell(late)) == ["posted"]
        assert entry_of(late["order_id"]) == {("1000", 240, 0), ("4000", 0, 227), ("2100", 0, 13)}
        after = Shift.objects.values("state", "computed", "over_short", "reconciliations").get(pk=till.shift_id)
        assert after == before
        as_committed()
        assert drain_default(today=TODAY) == 0
        assert default_rows() == {OLD: 2}

    def test_what_came_late_for_its_locked_books_stays_in_those_of_a_later_month(self, till: Till) -> None:
        """Its entry and what it made short stand in March; the drawer is as it was left, once."""
        decided(Verb.LOCK, till.store.code, date="2000-02-29")
        till.sell(late := sale(1003))
        decided(Verb.APPROVE, till.shift_id, reason="difference-accepted", note="The till was found again.")
        as_committed()
        assert audit(progress=lambda *_: None).differences == []
        detach()
        assert execute("SELECT business_date FROM ledger_entrysource WHERE source_id = %s", late["order_id"]) == (
            date(2000, 3, 1),
        )
        assert balance(till) == 240 - 240  # paid, and short once more
        open_shift(till, month="2026-11", number=312, first_number=1004)
        assert entry_of(till.shift_id) == {("1010", 680, 0), ("1000", 0, 680)}
        assert audit(progress=lambda *_: None).differences == []

    def test_it_comes_back_whole_with_what_came_late(self, till: Till) -> None:
        detach()
        late = sale(1003)
        till.sell(late)
        as_committed()
        assert [table.rows for table in attach_month(month=OLD)] == [3, 3, 3, 6, 15]
        assert default_rows() == {}
        assert not DetachedMonth.objects.exists()
        assert {order.number for order in Order.objects.filter(shift_id=till.shift_id)} == {1001, 1002, 1003}
        # A batch that comes now has the shift reconciled again, with all of it.
        fourth = sale(1004)
        assert outcomes(till.sell(fourth)) == ["posted"]
        assert till.shift()["computed"]["order_count"] == 4
        assert audit(progress=lambda *_: None).difference_count == 0

    def test_the_audit_leaves_it_out_and_says_so(self, till: Till) -> None:
        """Also with a shift after it, whose opening found what the month had left, and a repeat of one of its orders."""
        detach()
        again = dict(till.sales[0])  # type: ignore[attr-defined]
        open_shift(till, month="2026-11", first_number=1003)
        order = sale(1003, month="2026-11")
        till.sell(order, again)
        till.sell(again, shift_id=Shift.objects.get(first_number=1001, terminal=till.terminal).pk)
        report = audit(progress=lambda *_: None)
        assert report.differences == []
        assert report.detached == [OLD]
        assert "Detached, and not in these figures: 2000-02." in list(lines_of(report))

    def test_the_audit_still_sees_a_drawer_that_was_found_otherwise(self, till: Till) -> None:
        detach()
        open_shift(till, month="2026-11", first_number=1003)
        Shift.objects.filter(first_number=1001, terminal=till.terminal).update(expected_cash=1)
        whats = {difference.what for difference in audit(progress=lambda *_: None).differences}
        assert any("lines of journal entry" in what for what in whats)

    def test_a_month_that_left_before_payments_had_a_store_gets_the_columns_when_it_comes_back(
        self, till: Till
    ) -> None:
        detach()
        execute("ALTER TABLE sales_payment_200002 DROP COLUMN store_id, DROP COLUMN card_closed_at")
        attach_month(month=OLD)
        assert execute("SELECT count(*), count(store_id) FROM sales_payment_200002") == (2, 0)
        valid = "SELECT bool_and(indisvalid) FROM pg_index WHERE indrelid IN ('sales_payment'::regclass, 'sales_payment_200002'::regclass)"
        assert execute(valid) == (True,)

    def test_months_come_back_newest_first(self, till: Till) -> None:
        execute("SELECT sales_create_month('2000-03-01'), ledger_create_month('2000-03-01')")
        detach()
        detach_month(month=date(2000, 3, 1), now=timezone.now())
        with pytest.raises(NotNow, match="attach 2000-03 before it"):
            attach_month(month=OLD)
        attach_month(month=date(2000, 3, 1))
        attach_month(month=OLD)

    def test_a_dropped_month_is_not_made_anew(self, till: Till) -> None:
        detach()
        for table in ("orderline", "payment", "order"):
            execute(f"DROP TABLE sales_{table}_200002")
        till.sell(sale(1003))
        as_committed()
        assert drain_default(today=TODAY) == 0
        assert execute("SELECT to_regclass('sales_order_200002')") == (None,)
        with pytest.raises(NotNow, match=r"sales_order_200002.*Restore them"):
            attach_month(month=OLD)

    def test_a_new_shift_of_a_detached_month_settles_by_itself(self, till: Till) -> None:
        """From a recovered till: all of its orders come after the month left, so they can be summed."""
        detach()
        open_shift(till, day=20, first_number=1003, closed_at="2000-02-20T18:00:00+01:00")
        order = sale(1003, day=20)
        receipt = till.sell(order)
        till.close(order, batches=[receipt["batch_id"]])
        assert till.shift()["state"] == "reconciled"


class TestCommands:
    """What the commands say."""

    def test_they_say_what_they_did_and_how_to_go_back(self, till: Till) -> None:
        seal_here()
        said = StringIO()
        call_command("detach_month", "2000-02", stdout=said)
        words = said.getvalue()
        assert "2000-02 is detached" in words
        assert "sales_order_200002                      2 rows" in words
        assert "pg_dump --format=custom --table='*_200002'" in words
        assert "manage.py attach_month 2000-02" in words
        said = StringIO()
        call_command("attach_month", "2000-02", stdout=said)
        assert "2000-02 is attached" in said.getvalue()

    def test_a_refusal_says_why(self, till: Till) -> None:
        seal_here()
        till.upload(sale(1003))
        with pytest.raises(CommandError, match=r"2000-02 stays\. 1 uploads are not processed"):
            call_command("detach_month", "2000-02")
        with pytest.raises(CommandError, match="2000-02 is not detached"):
            call_command("attach_month", "2000-02")

    @pytest.mark.parametrize("text", ["2000", "2000-13", "02-2000", "2000-02-01"])
    def test_what_is_no_month_is_told(self, text: str) -> None:
        with pytest.raises(CommandError, match="is not a month"):
            call_command("detach_month", text)


def test_the_condition_looks_at_when_the_shift_came(till: Till) -> None:
    DetachedMonth.objects.create(
        first_day=OLD, last_day=date(2000, 2, 29), detached_at=datetime(2000, 6, 1, tzinfo=UTC)
    )
    receipt = till.sell(sale(1003, order_id=str(uuid4())))
    assert receipt["outcomes"]["posted"] == 1
    assert till.shift()["computed"]["order_count"] == 3
