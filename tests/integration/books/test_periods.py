"""A store's books are locked through a date: what comes late stands on the first open day, and nothing changes before it."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from backoffice.books.deciding import agree
from backoffice.books.refusals import NotDecided
from backoffice.domain.decisions import DecisionState, Verb
from backoffice.fleet.models import Store
from backoffice.sales.models import CashMovement, Order
from tests.integration.books.office import a_person, by_card, decided, map_again, unmap
from tests.till import Till, a_movement, a_sale, codes, entry_of

DAY = date(2026, 3, 1)  # of the till's shift
LOCKED = "2026-03-31"
OPEN_DAY = date(2026, 4, 1)
FLAG = "business-date-in-locked-period"


def lock(store: Store, day: str = LOCKED, **how: Any) -> dict[str, Any]:
    return dict(decided(Verb.LOCK, store.code, date=day, **how).after)


def refusal(verb: Verb, subject: Any, **how: Any) -> NotDecided:
    with pytest.raises(NotDecided) as raised, transaction.atomic():
        decided(verb, subject, **how)
    return raised.value


def entered_on(source_id: UUID | str, kind: str, number: int = 0) -> date:
    """Where an entry stands, with all of its lines."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT e.business_date, l.business_date FROM ledger_journalentry e JOIN ledger_journalline l ON l.entry_id = e.id"
            " WHERE e.source_id = %s AND e.source_kind = %s AND e.source_number = %s",
            [str(source_id), kind, number],
        )
        ((day, of_lines),) = cursor.fetchall()
    assert day == of_lines
    return day  # type: ignore[no-any-return]


def books_of(store: Store, *, until: str) -> list[Any]:
    """Every line of a store's books up to a day."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT entry_id, position, account_id, debit, credit FROM ledger_journalline"
            " WHERE store_id = %s AND business_date <= %s ORDER BY 1, 2",
            [store.pk, until],
        )
        return cursor.fetchall()


class TestLate:
    def test_what_arrives_for_a_locked_month_changes_nothing_in_it(self, till: Till) -> None:
        till.sell(early := a_sale(1001))
        lock(till.store)
        before = books_of(till.store, until=LOCKED)
        receipt = till.sell(late := a_sale(1002), movements=[movement := a_movement()])
        assert codes(receipt) == [FLAG]
        assert receipt["results"][0]["reasons"][0]["detail"] == "Entered in the books on 2026-04-01"
        assert books_of(till.store, until=LOCKED) == before
        assert (entered_on(early["order_id"], "order"), entered_on(late["order_id"], "order")) == (DAY, OPEN_DAY)
        assert entered_on(movement["movement_id"], "movement") == OPEN_DAY
        order = Order.objects.get(order_id=late["order_id"])
        assert (order.business_date, [flag["code"] for flag in order.flags or ()]) == (DAY, [FLAG])
        flags = CashMovement.objects.get(movement_id=movement["movement_id"]).flags
        assert [flag["code"] for flag in flags or ()] == [FLAG]

    def test_a_close_and_a_count_are_entered_on_the_first_open_day(self, till: Till) -> None:
        till.sell(sale := a_sale(1001))
        lock(till.store)
        before = books_of(till.store, until=LOCKED)
        till.close(sale, counted=20200, float_left=5000)
        assert decided(Verb.RECOUNT, till.shift_id, counts={"cash": 20240}).after["over_short"] == 0
        for kind, number in (("closing", 1), ("over_short", 1), ("closing", 2), ("over_short", 2)):
            assert entered_on(till.shift_id, kind, number) == OPEN_DAY
        assert books_of(till.store, until=LOCKED) == before

    def test_a_shift_that_opens_within_a_locked_period(self, till: Till) -> None:
        lock(till.store)
        other = Till(till.store, name="Till 2")
        other.open(opening_float=10000)
        assert entered_on(other.shift_id, "opening") == OPEN_DAY

    def test_what_is_decided_about_a_locked_month(self, till: Till) -> None:
        till.sell(void := a_sale(1001), mistyped := a_sale(1002))
        unmap(till, "card")
        till.sell(held := a_sale(1003, **by_card()))
        map_again(till, "card", "1100")
        lock(till.store)
        before = books_of(till.store, until=LOCKED)
        decided(Verb.VOID, void["order_id"])
        decided(Verb.RETENDER, mistyped["order_id"], payments={"card": 240})
        decided(Verb.POST, held["order_id"])
        by_hand = a_sale(1004)
        decided(Verb.ENTER, till.shift_id, order=by_hand, agreed_by=a_person("Otto"))
        for source, kind, number in (
            (void["order_id"], "void", 0),
            (mistyped["order_id"], "retender", 1),
            (held["order_id"], "order", 0),
            (by_hand["order_id"], "order", 0),
        ):
            assert entered_on(source, kind, number) == OPEN_DAY
        assert books_of(till.store, until=LOCKED) == before
        flags = [flag["code"] for flag in Order.objects.get(order_id=by_hand["order_id"]).flags or ()]
        assert flags == [FLAG, "entered-by-hand"]

    def test_a_deposit_of_a_locked_day_says_both_days(self, till: Till) -> None:
        lock(till.store)
        deposit = {"amount": 10000, "slip": "4711", "date": "2026-03-02"}
        after = decided(Verb.BANK, till.store.code, **deposit, agreed_by=a_person("Otto")).after
        assert (after["date"], after["entry_date"]) == ("2026-03-02", "2026-04-01")

    def test_other_stores_are_open(self, till: Till) -> None:
        lock(till.store)
        other = Till()
        other.open()
        assert codes(other.sell(sale := a_sale(1001))) == []
        assert entered_on(sale["order_id"], "order") == DAY


class TestVerbs:
    def test_the_answer_names_what_is_not_finished(self, till: Till) -> None:
        till.sell({"number": 1001, "order_id": "?"})
        after = lock(till.store)
        assert (after["locked_through"], after["first_open_day"]) == (LOCKED, "2026-04-01")
        (shift,) = after["unfinished"]["shifts"]
        assert (shift["shift_id"], shift["state"], shift["business_date"]) == (str(till.shift_id), "open", "2026-03-01")
        assert (after["unfinished"]["shift_count"], after["unfinished"]["held"]) == (1, 1)

    def test_a_lock_goes_on_from_day_to_day(self, till: Till) -> None:
        lock(till.store, "2026-03-31")
        assert refusal(Verb.LOCK, till.store.code, date="2026-03-31").code == "already-locked"
        assert refusal(Verb.LOCK, till.store.code, date="2026-03-01").code == "already-locked"
        assert lock(till.store, "2026-04-30")["first_open_day"] == "2026-05-01"

    @pytest.mark.parametrize("day", ["31.3.2026", "2026-02-30", "1999-12-31", "", None, 20260331])
    def test_what_is_no_day_is_refused(self, till: Till, day: Any) -> None:
        for verb in (Verb.LOCK, Verb.UNLOCK):
            assert refusal(verb, till.store.code, date=day, agreed_by=a_person("Otto")).code == "not-a-date"

    def test_what_has_not_been_is_not_locked(self, till: Till) -> None:
        soon = (timezone.now().date() + timedelta(days=2)).isoformat()
        assert refusal(Verb.LOCK, till.store.code, date=soon).code == "not-a-date"
        assert refusal(Verb.LOCK, "NOWHERE", date="2026-03-31").code == "unknown-store"

    def test_nobody_unlocks_alone(self, till: Till) -> None:
        assert refusal(Verb.UNLOCK, till.store.code, date="2026-03-15").code == "not-locked"
        lock(till.store)
        assert refusal(Verb.UNLOCK, till.store.code, date="2026-04-01").code == "not-locked"
        asked = decided(Verb.UNLOCK, till.store.code, date="2026-03-15")
        assert asked.state == DecisionState.WAITING
        assert codes(till.sell(a_sale(1001))) == [FLAG]
        agreed = agree(asked.decision_id, person=a_person("Otto"), now=timezone.now())
        assert agreed.after == {"locked_through": "2026-03-14", "first_open_day": "2026-03-15"}
        till.sell(early := a_sale(1002))
        assert entered_on(early["order_id"], "order") == date(2026, 3, 15)

    def test_unlocked_and_locked_again(self, till: Till) -> None:
        lock(till.store)
        till.sell(late := a_sale(1001))
        decided(Verb.UNLOCK, till.store.code, date="2026-03-01", agreed_by=a_person("Otto"))
        till.sell(correct := a_sale(1002))
        lock(till.store, "2026-04-30")
        till.sell(later := a_sale(1003))
        entered = [entered_on(each["order_id"], "order") for each in (late, correct, later)]
        assert entered == [OPEN_DAY, DAY, date(2026, 5, 1)]

    def test_what_was_asked_before_another_lock_must_be_asked_again(self, till: Till) -> None:
        lock(till.store)
        asked = decided(Verb.UNLOCK, till.store.code, date="2026-03-15")
        lock(till.store, "2026-04-30")
        with pytest.raises(NotDecided) as refused:
            agree(asked.decision_id, person=a_person("Otto"), now=timezone.now())
        assert refused.value.code == "changed-since"

    def test_who_has_no_right_to_the_books_neither_locks_nor_unlocks(self, till: Till) -> None:
        clerk = a_person("Anna", rights=("decide_held", "decide_safe"))
        assert refusal(Verb.LOCK, till.store.code, date=LOCKED, person=clerk).code == "not-allowed"
        lock(till.store)
        words: dict[str, Any] = {"date": "2026-03-15", "agreed_by": clerk}
        assert refusal(Verb.UNLOCK, till.store.code, **words).code == "not-allowed"


class TestRawSql:
    """Whoever writes."""

    def refused(self, sql: str, params: Any = None) -> str:
        with pytest.raises(DatabaseError) as error, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, params)
        return str(error.value.__cause__.diag.constraint_name)  # type: ignore[union-attr]

    @pytest.mark.parametrize("where", ["the parent", "the default partition", "a month's partition"])
    def test_no_entry_is_dated_within(self, till: Till, where: str) -> None:
        lock(till.store, timezone.now().date().isoformat())
        day = timezone.now().date() if where == "a month's partition" else date(2019, 5, 17)
        table = {"the parent": "", "the default partition": "_default"}.get(where, f"_{day:%Y%m}")
        insert = (
            f"INSERT INTO ledger_journalentry{table} (id, business_date, store_id, source_kind, source_id, currency, posted_at)"
            " VALUES (nextval('ledger_entry_id_seq'), %s, %s, 'order', %s, 'EUR', now())"
        )
        assert self.refused(insert, [day, till.store.pk, uuid4()]) == "no_entry_in_locked_period"

    def test_no_line_is_added_to_an_old_entry(self, till: Till) -> None:
        till.sell(sale := a_sale(1001))
        lock(till.store)
        add = (
            "INSERT INTO ledger_journalline (entry_id, position, business_date, store_id, account_id, debit, credit, currency)"
            " SELECT s.entry_id, p, s.business_date, %s, '1000', CASE p WHEN 90 THEN 5 ELSE 0 END, CASE p WHEN 90 THEN 0 ELSE 5 END, 'EUR'"
            " FROM ledger_entrysource s, generate_series(90, 91) AS p WHERE s.source_id = %s AND s.source_kind = 'order'"
        )
        assert self.refused(add, [till.store.pk, sale["order_id"]]) == "no_entry_in_locked_period"
        assert len(entry_of(sale["order_id"], kind="order")) == 3

    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE ledger_periodlock SET locked_through = '2026-01-01'",
            "DELETE FROM ledger_periodlock",
        ],
    )
    def test_a_lock_is_neither_changed_nor_taken_away(self, till: Till, change: str) -> None:
        lock(till.store)
        assert self.refused(change) == "books_are_append_only"
