"""Whatever is sold, held, killed, decided and sealed, in whatever order: the books are right after every step.

Hypothesis makes up the histories, the same ones in every run. Where one goes wrong, `Phase.shrink` beside `Phase.generate`
finds a shorter one that does too, in some minutes.
What else may happen (a lock, an export) is one more method of `History`, marked `@rule`: it does it, and tells `expected`
what the books must say from then on. Rules that only look are marked `@invariant`.
"""

from collections.abc import Sequence
from contextlib import ExitStack, suppress
from datetime import timedelta
from typing import Any, ClassVar, TypeVar

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from backoffice.audit.run import audit
from backoffice.books.deciding import DecisionReport, agree, decline, withdraw
from backoffice.books.evidence.balance import trial_balance_at
from backoffice.books.refusals import NotDecided
from backoffice.domain.decisions import DecisionState, Verb
from backoffice.inbox.models import Batch
from backoffice.ingestion.sweep import process_waiting
from tests.integration.audit.expected_books import ExpectedBooks, added_up
from tests.integration.books.office import a_person, decided
from tests.integration.books.test_crashes import Killed, killed_before
from tests.integration.evidence.sealing import NOON, seal_here
from tests.till import Till, a_movement, a_sale

HISTORIES, STEPS = 5, 40
PAYMENTS = ({"cash": 240}, {"card": 240}, {"card": 300, "cash": -60}, {"on_account": 240})
# What may be asked twice without a word: it is what it was.
SAYS_HOW_IT_IS = {Verb.RECOUNT, Verb.COUNT_SAFE}

One = TypeVar("One")
anyone = st.integers(0, 999)
"""Which of those that there are."""
sometimes = st.integers(0, 3).map(lambda number: number == 3)
statement = st.integers(0, 60)
"""Before which of its statements somebody dies."""


def one_of(some: Sequence[One], which: int) -> One:
    return some[which % len(some)]


class History(RuleBasedStateMachine):
    """Two tills of one store, two people of head office, a sealer. `taken` are the verbs that took effect, in any history."""

    taken: ClassVar[set[Verb]] = set()

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
        self.shifts: list[str] = []
        self.sent: list[tuple[Till, dict[str, Any]]] = []
        self.held: list[tuple[str, dict[str, Any]]] = []
        self.sealed = 0
        self.deposits = 0

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.exits.close()

    # -- terminals

    @initialize()
    def both_open(self) -> None:
        for till in self.tills:
            self._open(till)

    @rule(which=anyone, orders=st.integers(1, 3), skips=sometimes, killed=st.none() | statement)
    def sells(self, which: int, orders: int, skips: bool, killed: int | None) -> None:
        """Good orders; a number may be skipped, and the worker be killed at any moment."""
        till = one_of(self.tills, which)
        self.numbers[till.terminal.pk] += skips
        said = self._send(till, [self._sale(till) for _ in range(orders)], killed=killed)
        assert set(said) <= {"posted", "conflict", "held"}, said

    @rule(which=anyone, amount=st.sampled_from([500, -500]))
    def sells_what_does_not_add_up(self, which: int, amount: int) -> None:
        till = one_of(self.tills, which)
        wrong = {**self._sale(till), "total": 999}
        (said,) = self._send(till, [wrong], movements=[a_movement(amount)])
        assert said in {"held", "conflict"}  # the second where head office has entered an order of that number

    @precondition(lambda self: self.sent)
    @rule(which=anyone, other=anyone)
    def contradicts(self, which: int, other: int) -> None:
        """Another order under an identifier that there was."""
        till = one_of(self.tills, which)
        self._send(till, [{**self._sale(till), "order_id": one_of(self.sent, other)[1]["order_id"]}])

    @precondition(lambda self: self.sent)
    @rule(which=anyone)
    def sends_again(self, which: int) -> None:
        till, order = one_of(self.sent, which)
        assert self._send(till, [order]) == ["duplicate"]

    @rule(which=anyone, counted=st.none() | st.integers(-300, 900), leaves=sometimes)
    def closes(self, which: int, counted: int | None, leaves: bool) -> None:
        """If it was not ended meanwhile; then the next shift is opened."""
        till = one_of(self.tills, which)
        float_left = {"float_left": 20000} if leaves else {}
        cash = None if counted is None else 20000 + counted
        first, last = self.open_since[till.terminal.pk], self.numbers[till.terminal.pk]
        till.close(cash_counted=cash, first_number=first, last_number=last, **float_left)
        self._open(till)

    # -- head office: what is held

    @precondition(lambda self: self.held)
    @rule(which=anyone, again=sometimes)
    def posts(self, which: int, again: bool) -> None:
        self._decide_held(Verb.POST, which, again=again)

    @precondition(lambda self: self.held)
    @rule(which=anyone, shift=anyone, again=sometimes)
    def moves(self, which: int, shift: int, again: bool) -> None:
        self._decide_held(Verb.MOVE, which, again=again, to=one_of(self.shifts, shift))

    @precondition(lambda self: self.held)
    @rule(which=anyone, again=sometimes, killed=st.none() | statement)
    def corrects(self, which: int, again: bool, killed: int | None) -> None:
        place, sent = one_of(self.held, which)
        if ":movements:" in place:
            self._decide_held(Verb.CORRECT, which, again=again, killed=killed, movement=a_movement(500))
        else:
            right = {**a_sale(sent["number"]), "order_id": sent["order_id"]}
            self._decide_held(Verb.CORRECT, which, again=again, killed=killed, order=right)

    @precondition(lambda self: self.held)
    @rule(which=anyone, again=sometimes)
    def discards(self, which: int, again: bool) -> None:
        self._decide_held(Verb.DISCARD, which, again=again)

    # -- head office: what is posted, missing, counted

    @precondition(lambda self: self.expected.posted)
    @rule(which=anyone, again=sometimes, killed=st.none() | statement)
    def voids(self, which: int, again: bool, killed: int | None) -> None:
        order_id = one_of(list(self.expected.posted), which)
        if self._decide(Verb.VOID, order_id, again=again, killed=killed):
            self.expected.void(order_id)

    @precondition(lambda self: self.expected.posted)
    @rule(which=anyone, payments=st.sampled_from(PAYMENTS), again=sometimes)
    def retenders(self, which: int, payments: dict[str, int], again: bool) -> None:
        order_id = one_of(list(self.expected.posted), which)
        if self._decide(Verb.RETENDER, order_id, again=again, payments=payments):
            self.expected.retender(order_id, payments)

    @rule(shift=anyone, which=anyone, again=sometimes)
    def explains(self, shift: int, which: int, again: bool) -> None:
        number = 1001 + which % (max(self.numbers.values()) - 999)
        self._decide(Verb.EXPLAIN, one_of(self.shifts, shift), again=again, numbers=str(number))

    @rule(shift=anyone, which=anyone, again=sometimes)
    def enters(self, shift: int, which: int, again: bool) -> None:
        order = a_sale(1001 + which % (max(self.numbers.values()) - 999))
        if self._decide(Verb.ENTER, one_of(self.shifts, shift), again=again, order=order):
            self.expected.post(order)

    @rule(shift=anyone, counted=st.integers(-500, 500), again=sometimes, killed=st.none() | statement)
    def recounts(self, shift: int, counted: int, again: bool, killed: int | None) -> None:
        counts = {"cash": 20000 + counted}
        self._decide(Verb.RECOUNT, one_of(self.shifts, shift), again=again, killed=killed, counts=counts)

    @rule(shift=anyone, again=sometimes)
    def ends(self, shift: int, again: bool) -> None:
        self._decide(Verb.END, one_of(self.shifts, shift), again=again)

    @rule(shift=anyone, again=sometimes)
    def approves(self, shift: int, again: bool) -> None:
        self._decide(Verb.APPROVE, one_of(self.shifts, shift), again=again)

    @rule(amount=st.integers(0, 9999), again=sometimes)
    def counts_the_safe(self, amount: int, again: bool) -> None:
        self._decide(Verb.COUNT_SAFE, self.first.store.code, again=again, amount=amount)

    @rule(amount=st.integers(1, 9999), again=sometimes, killed=st.none() | statement)
    def banks(self, amount: int, again: bool, killed: int | None) -> None:
        self.deposits += 1
        how = {"amount": amount, "slip": str(self.deposits), "date": "2026-03-02"}
        if self._decide(Verb.BANK, self.first.store.code, again=again, killed=killed, **how):
            self.expected.banked += amount

    @rule(answer=st.sampled_from(["agreed", "declined", "withdrawn"]), shift=anyone, which=anyone)
    def asks_a_second_person(self, answer: str, shift: int, which: int) -> None:
        """Entering takes two: the second says so later."""
        order, (ruth, otto) = a_sale(1001 + which % (max(self.numbers.values()) - 999)), self.people
        try:
            asked = decided(Verb.ENTER, one_of(self.shifts, shift), person=ruth, order=order)
        except NotDecided:
            return
        now = timezone.now()
        if answer == "agreed" and agree(asked.decision_id, person=otto, now=now).state == DecisionState.DONE:
            self.expected.post(order)
        elif answer == "declined":
            decline(asked.decision_id, person=otto, note="Ask the store first.", now=now)
        elif answer == "withdrawn":
            withdraw(asked.decision_id, person=ruth, now=now)

    # -- the sealer

    @rule()
    def seals(self) -> None:
        self.sealed += seal_here(now=NOON + timedelta(days=self.sealed // 20))

    # -- what must hold after every step

    @invariant()
    def the_books_are_those_of_the_bytes_and_decisions(self) -> None:
        assert audit(progress=lambda *_: None).differences == []

    @invariant()
    def every_account_is_what_was_sold_and_decided(self) -> None:
        rows = trial_balance_at(store=self.first.store, at=None)
        assert added_up({row.account: row.balance for row in rows}) == self.expected.balances

    # -- how it is done

    def _open(self, till: Till) -> None:
        first = self.numbers[till.terminal.pk] + 1
        answer = till.open(number=len(self.shifts) + 1, opening_float=20000, first_number=first)
        assert answer.status_code == 201, answer.content
        self.open_since[till.terminal.pk] = first
        self.shifts.append(str(till.shift_id))

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
            (f"{batch_id}:movements:{place}", each) for place, each in enumerate(movements) if each["amount"] < 0
        ]
        return [result["outcome"] for result in results[: len(orders)]]

    def _note(self, till: Till, order: dict[str, Any], outcome: str, place: str) -> None:
        if outcome == "posted":
            self.expected.post(order)
        if outcome in {"held", "conflict"}:
            self.held.append((place, order))
        if outcome != "duplicate":
            self.sent.append((till, order))

    def _decide_held(self, verb: Verb, which: int, *, again: bool, killed: int | None = None, **how: Any) -> None:
        place, sent = one_of(self.held, which)
        done = self._decide(verb, place, again=again, killed=killed, **how)
        if not done:
            return
        self.held.remove((place, sent))
        if verb != Verb.DISCARD and ":movements:" not in place:
            self.expected.post({**how.get("order", sent), "order_id": done.after["order_id"]})

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
            stateful_step_count=STEPS,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert len(History.taken) > len(Verb) / 2, History.taken  # or hardly anything was decided
