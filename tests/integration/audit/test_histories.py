"""Whatever is sold, held, killed, decided, locked, exported and sealed, in whatever order: the books are right after every step.

Hypothesis makes up the histories, the same ones in every run. Where one goes wrong, `Phase.shrink` beside `Phase.generate`
finds a shorter one that does too, in some minutes.
What else may happen is one more method of `History`, marked `@happens`: it does it, and tells `expected` what the books must
say from then on. What only looks is marked `@invariant`.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from backoffice.audit.run import audit
from backoffice.books.deciding import DecisionReport, agree, decline, withdraw
from backoffice.books.evidence.balance import trial_balance_at
from backoffice.books.evidence.sources import SOURCES
from backoffice.books.exports.jobs import export_to_folder
from backoffice.books.exports.planning import StoreDays
from backoffice.books.exports.profiles import define_profile, find_profile
from backoffice.books.refusals import NotDecided
from backoffice.domain.decisions import DecisionState, Verb
from backoffice.inbox.models import Batch
from backoffice.ingestion.sweep import process_waiting
from tests.integration.audit.expected_books import DayBalances, ExpectedBooks, OtherProgram, added_up
from tests.integration.audit.happening import STEPS, anyone, happens, one_of, sometimes, statement
from tests.integration.books.office import a_person, decided
from tests.integration.books.test_crashes import Killed, killed_before
from tests.integration.evidence.sealing import NOON, rows, seal_here
from tests.till import Till, a_movement, a_sale

HISTORIES, LENGTH = 3, 50
FIRST, SECOND = date(2026, 3, 1), date(2026, 3, 2)
"""The business dates of shifts."""
ABOUT_HELD = (Verb.POST, Verb.MOVE, Verb.CORRECT, Verb.DISCARD)
ABOUT_CASH = (Verb.COUNT_SAFE, Verb.BANK, Verb.BANK_RECEIVED, Verb.BANK_CHANGE)
"""One after the other, so that something is on its way where it is received."""
LOCKS = (date(2026, 2, 27), FIRST, SECOND, date(2026, 3, 9))
SPANS = ((FIRST, FIRST), (FIRST, date(2026, 3, 31)), (SECOND, date(2026, 3, 31)))
PAYMENTS = ({"cash": 240}, {"card": 240}, {"card": 300, "cash": -60}, {"on_account": 240})
# What may be asked twice without a word: it is what it was.
SAYS_HOW_IT_IS = {Verb.RECOUNT, Verb.COUNT_SAFE}

SUM_OF_DAYS = """
SELECT business_date, account_id, sum(debit - credit)::bigint FROM ledger_journalline WHERE store_id = %s GROUP BY 1, 2
"""
SHUT = "2026-03-02T18:00:00+01:00"


@seed(2028)
class History(RuleBasedStateMachine):
    """Two tills of one store, two people of head office, a sealer, and another program that is sent the books.

    `taken` are the verbs that took effect, and `sent_revisions` how many revisions were exported, in all histories.
    """

    taken: ClassVar[set[Verb]] = set()
    sent_revisions: ClassVar[list[int]] = []

    def __init__(self) -> None:
        super().__init__()
        self.exits = ExitStack()
        self.exits.enter_context(transaction.atomic())
        self.expected = ExpectedBooks()
        self.first = Till()
        self.tills = [self.first, Till(self.first.store, name="Till 2")]
        self.people = [a_person("Ruth"), a_person("Otto")]
        self.numbers = {till.terminal.pk: 1000 for till in self.tills}
        self.open_since: dict[int, int] = {}
        self.shifts: dict[str, date] = {}
        self.sent: list[tuple[Till, dict[str, Any]]] = []
        self.held: list[tuple[str, dict[str, Any], date]] = []
        self.steps = 0
        self.sealed = 0
        self.slips = 0
        self.lines_locked = 0
        self.other = OtherProgram(Path(self.exits.enter_context(TemporaryDirectory())))
        define_profile(
            name="other", format_name="gl-csv", granularity=None, currency="", siren="", map_text=None, now=NOON
        )

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.exits.close()

    # -- terminals

    @initialize()
    def both_open(self) -> None:
        for till in self.tills:
            self._open(till, FIRST)

    @happens(which=anyone, orders=st.integers(1, 3), skips=sometimes, killed=st.none() | statement)
    def sells(self, which: int, orders: int, skips: bool, killed: int | None) -> None:
        """Good orders; a number may be skipped, and the worker be killed at any moment."""
        till = one_of(self.tills, which)
        self.numbers[till.terminal.pk] += skips
        said = self._send(till, [self._sale(till) for _ in range(orders)], killed=killed)
        assert set(said) <= {"posted", "conflict", "held"}, said

    @happens(which=anyone, amount=st.sampled_from([500, -500]))
    def sells_what_does_not_add_up(self, which: int, amount: int) -> None:
        till = one_of(self.tills, which)
        wrong = {**self._sale(till), "total": 999}
        (said,) = self._send(till, [wrong], movements=[a_movement(amount)])
        assert said in {"held", "conflict"}  # the second where head office has entered an order of that number

    @happens(given="sent", which=anyone, other=anyone)
    def contradicts(self, which: int, other: int) -> None:
        """Another order under an identifier that there was."""
        till = one_of(self.tills, which)
        self._send(till, [{**self._sale(till), "order_id": one_of(self.sent, other)[1]["order_id"]}])

    @happens(given="sent", which=anyone)
    def sends_again(self, which: int) -> None:
        till, order = one_of(self.sent, which)
        assert self._send(till, [order]) == ["duplicate"]

    @happens(
        which=anyone,
        counted=st.none() | st.integers(-300, 900),
        leaves=sometimes,
        day=st.sampled_from([FIRST, SECOND]),
    )
    def closes(self, which: int, counted: int | None, leaves: bool, day: date) -> None:
        """If it was not ended meanwhile; then the next shift is opened."""
        till = one_of(self.tills, which)
        float_left = {"float_left": 20000} if leaves else {}
        cash = None if counted is None else 20000 + counted
        first, last = self.open_since[till.terminal.pk], self.numbers[till.terminal.pk]
        till.close(cash_counted=cash, first_number=first, last_number=last, closed_at=SHUT, **float_left)
        self._open(till, day)

    # -- head office

    @happens(
        given="held",
        verb=st.sampled_from(ABOUT_HELD),
        which=anyone,
        shift=anyone,
        again=sometimes,
        killed=st.none() | statement,
    )
    def decides_what_is_held(self, verb: Verb, which: int, shift: int, again: bool, killed: int | None) -> None:
        place, sent, _ = one_of(self.held, which)
        how: dict[str, Any] = {}
        if verb == Verb.MOVE:
            how = {"to": one_of(list(self.shifts), shift)}
        elif verb == Verb.CORRECT and ":movements:" in place:
            how = {"movement": a_movement(500)}
        elif verb == Verb.CORRECT:
            how = {"order": {**a_sale(sent["number"]), "order_id": sent["order_id"]}}
        self._decide_held(verb, which, again=again, killed=killed, **how)

    @happens(
        given="posted",
        which=anyone,
        payments=st.none() | st.sampled_from(PAYMENTS),
        again=sometimes,
        killed=st.none() | statement,
    )
    def voids_or_retenders(self, which: int, payments: dict[str, int] | None, again: bool, killed: int | None) -> None:
        order_id = one_of(list(self.expected.posted), which)
        if payments is None:
            if self._decide(Verb.VOID, order_id, again=again, killed=killed):
                self.expected.void(order_id)
        elif self._decide(Verb.RETENDER, order_id, again=again, killed=killed, payments=payments):
            self.expected.retender(order_id, payments)

    @happens(verb=st.sampled_from([Verb.EXPLAIN, Verb.ENTER]), shift=anyone, which=anyone, again=sometimes)
    def decides_about_a_number(self, verb: Verb, shift: int, which: int, again: bool) -> None:
        number, into = self._a_number(which), one_of(list(self.shifts), shift)
        if verb == Verb.EXPLAIN:
            self._decide(verb, into, again=again, numbers=str(number))
        elif self._decide(verb, into, again=again, order=(order := a_sale(number))):
            self.expected.post(order, day=self.shifts[into])

    @happens(
        verb=st.sampled_from([Verb.RECOUNT, Verb.END, Verb.APPROVE]),
        shift=anyone,
        counted=st.integers(-500, 500),
        again=sometimes,
        killed=st.none() | statement,
    )
    def decides_about_a_shift(self, verb: Verb, shift: int, counted: int, again: bool, killed: int | None) -> None:
        how = {"counts": {"cash": 20000 + counted}} if verb == Verb.RECOUNT else {}
        self._decide(verb, one_of(list(self.shifts), shift), again=again, killed=killed, **how)

    @happens(amount=st.integers(1, 9999), again=sometimes, killed=st.none() | statement)
    def counts_the_safe_or_goes_to_the_bank(self, amount: int, again: bool, killed: int | None) -> None:
        self.slips += 1
        store, verb = self.first.store.code, ABOUT_CASH[self.slips % len(ABOUT_CASH)]
        slip = {} if verb == Verb.COUNT_SAFE else {"slip": str(self.slips), "date": SECOND.isoformat()}
        if self._decide(verb, store, again=again, killed=killed, amount=amount, **slip) and slip:
            self.expected.bank(verb, amount, day=SECOND)

    @happens(answer=st.sampled_from(["agreed", "declined", "withdrawn"]), shift=anyone, which=anyone)
    def asks_a_second_person(self, answer: str, shift: int, which: int) -> None:
        """Entering takes two: the second says so later."""
        order, (ruth, otto) = a_sale(self._a_number(which)), self.people
        into = one_of(list(self.shifts), shift)
        try:
            asked = decided(Verb.ENTER, into, person=ruth, order=order)
        except NotDecided:
            return
        now = timezone.now()
        if answer == "agreed" and agree(asked.decision_id, person=otto, now=now).state == DecisionState.DONE:
            self.expected.post(order, day=self.shifts[into])
        elif answer == "declined":
            decline(asked.decision_id, person=otto, note="Ask the store first.", now=now)
        elif answer == "withdrawn":
            withdraw(asked.decision_id, person=ruth, now=now)

    # -- periods, seals, exports

    @happens(
        verb=st.sampled_from([Verb.LOCK, Verb.LOCK, Verb.UNLOCK]),
        day=st.sampled_from(LOCKS),
        again=sometimes,
        killed=st.none() | statement,
    )
    def locks_or_unlocks(self, verb: Verb, day: date, again: bool, killed: int | None) -> None:
        if self._decide(verb, self.first.store.code, again=again, killed=killed, date=day.isoformat()):
            through = day if verb == Verb.LOCK else day - timedelta(days=1)
            self.expected.lock(through)
            self.lines_locked = self._lines_through(through)

    @happens()
    def seals(self) -> None:
        for source in SOURCES:
            self.sealed += seal_here(now=NOON + timedelta(days=self.sealed // 20), source=source)

    @happens(days=st.sampled_from(SPANS), killed=st.none() | statement)
    def exports(self, days: tuple[date, date], killed: int | None) -> None:
        """Some days; who dies exports again. Whatever was sent of them in all revisions is what the ledger has."""
        self.seals()
        first, last = days
        span = StoreDays(self.first.store, first, last)
        if killed is not None:
            with suppress(Killed), connection.execute_wrapper(killed_before(killed)):
                export_to_folder(find_profile("other"), span, self.other.folder, now=NOON)
        report = export_to_folder(find_profile("other"), span, self.other.folder, now=NOON)
        self.sent_revisions.extend(len(each.days) for each in (*report.resumed, report.new) if each)
        self.other.import_files()
        in_the_ledger = {key: amount for key, amount in self._ledger().items() if first <= key[0] <= last}
        assert {key: amount for key, amount in self.other.balances.items() if first <= key[0] <= last} == in_the_ledger

    @rule(which=anyone, data=st.data())
    def something_happens(self, which: int, data: st.DataObject) -> None:
        self.steps += 1  # so the plainest history, with which Hypothesis begins, has one of each
        step = one_of([each for each in STEPS if getattr(self, each.given)], which + self.steps)
        step.act(self, **data.draw(step.drawn))

    # -- what must hold after every step

    @invariant()
    def the_books_are_those_of_the_bytes_and_decisions(self) -> None:
        assert audit(progress=lambda *_: None).differences == []

    @invariant()
    def every_account_is_what_was_sold_and_decided_on_each_day(self) -> None:
        in_the_ledger = self._ledger()
        assert added_up(in_the_ledger) == self.expected.balances
        for at in (FIRST, None):
            until = {account: 0 for _, account in in_the_ledger if at is None}
            for (day, account), amount in in_the_ledger.items():
                if at is None or day <= at:
                    until[account] = until.get(account, 0) + amount
            assert {row.account: row.balance for row in trial_balance_at(store=self.first.store, at=at)} == until

    @invariant()
    def nothing_has_entered_a_locked_period(self) -> None:
        if self.expected.locked_through is not None:
            assert self._lines_through(self.expected.locked_through) == self.lines_locked

    # -- how it is done

    @property
    def posted(self) -> Mapping[str, Any]:
        return self.expected.posted

    def _open(self, till: Till, day: date) -> None:
        first = self.numbers[till.terminal.pk] + 1
        opened_at = f"{day}T08:00:00+01:00"
        answer = till.open(number=len(self.shifts) + 1, opening_float=20000, first_number=first, opened_at=opened_at)
        assert answer.status_code == 201, answer.content
        self.open_since[till.terminal.pk] = first
        self.shifts[str(till.shift_id)] = day

    def _a_number(self, which: int) -> int:
        """One that was used, or the next."""
        return 1001 + which % (max(self.numbers.values()) - 999)

    def _lines_through(self, day: date) -> int:
        counting = "SELECT count(*) FROM ledger_journalline WHERE store_id = %s AND business_date <= %s"
        return int(rows(counting, self.first.store.pk, day)[0][0])

    def _ledger(self) -> DayBalances:
        return DayBalances({row[:2]: row[2] for row in rows(SUM_OF_DAYS, self.first.store.pk)})

    def _sale(self, till: Till) -> dict[str, Any]:
        self.numbers[till.terminal.pk] += 1
        return a_sale(self.numbers[till.terminal.pk])

    def _send(
        self, till: Till, orders: list[dict[str, Any]], *, movements: Sequence[Any] = (), killed: int | None = None
    ) -> list[str]:
        """Sends a batch; whoever works on it may die, and then it is tried again. What became of its orders."""
        answer = till.upload(*orders, movements=movements)
        assert answer.status_code == 202, answer.content
        if killed is not None:
            with suppress(Killed), transaction.atomic(), connection.execute_wrapper(killed_before(killed)):
                process_waiting()
            Batch.objects.exclude(state="processed").update(due_at=timezone.now() - timedelta(hours=1))
        process_waiting()
        batch_id = answer.json()["batch_id"]
        results = till.receipt(batch_id)["results"]
        for place, (order, result) in enumerate(zip(orders, results, strict=False)):
            self._note(till, order, result["outcome"], f"{batch_id}:{place}")
        self.held += [
            (f"{batch_id}:movements:{place}", each, self.shifts[str(till.shift_id)])
            for place, each in enumerate(movements)
            if each["amount"] < 0
        ]
        return [result["outcome"] for result in results[: len(orders)]]

    def _note(self, till: Till, order: dict[str, Any], outcome: str, place: str) -> None:
        day = self.shifts[str(till.shift_id)]
        if outcome == "posted":
            self.expected.post(order, day=day)
        if outcome in {"held", "conflict"}:
            self.held.append((place, order, day))
        if outcome != "duplicate":
            self.sent.append((till, order))

    def _decide_held(self, verb: Verb, which: int, *, again: bool, killed: int | None = None, **how: Any) -> None:
        place, sent, day = one_of(self.held, which)
        done = self._decide(verb, place, again=again, killed=killed, **how)
        if not done:
            return
        self.held.remove((place, sent, day))
        if verb != Verb.DISCARD and ":movements:" not in place:
            day = self.shifts[how["to"]] if verb == Verb.MOVE else day
            self.expected.post({**how.get("order", sent), "order_id": done.after["order_id"]}, day=day)

    def _decide(
        self, verb: Verb, subject: str, *, again: bool, killed: int | None = None, **how: Any
    ) -> DecisionReport | None:
        """Decides; None where that is refused. Who dies, or gets no answer (`again`), asks again, and nothing is doubled."""
        ruth, otto = self.people

        def ask() -> DecisionReport:
            return decided(verb, subject, person=ruth, agreed_by=otto, note="So be it.", **how)

        done: DecisionReport | None = None
        with suppress(NotDecided):
            if killed is not None:
                with suppress(Killed), transaction.atomic(), connection.execute_wrapper(killed_before(killed)):
                    done = ask()
            done = done or ask()
            self.taken.add(verb)
            if again and verb not in SAYS_HOW_IT_IS:
                with pytest.raises(NotDecided):
                    ask()
        return done


def test_whatever_happens_the_books_are_right_all_the_way(db: None) -> None:
    run_state_machine_as_test(
        History,
        settings=settings(
            max_examples=HISTORIES,
            stateful_step_count=LENGTH,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    # Or hardly anything was decided, and nothing sent twice.
    assert len(History.taken) > len(Verb) / 3, History.taken
    assert {Verb.LOCK, Verb.BANK_RECEIVED} <= History.taken, History.taken
    assert len(History.sent_revisions) > 1
