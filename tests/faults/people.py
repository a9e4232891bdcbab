"""A person of head office, a process of its own: decides what waits and what is posted, whatever is killed meanwhile.

What is asked is on the disk before it is, and each answer before the next question: see check/asked.py for the files. Who
was killed, or got no answer, asks the same again first, and goes on when it was answered, however that was. Once the
journals' folder holds `CLOSING_TIME`, nothing new is asked, and whoever was answered everything leaves `NAME.closed`.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import django

from tests.faults.check.journals import whole_lines
from tests.faults.recorder import Lines

CLOSING_TIME = "closing-time"
NAMES = ("ruth", "otto")
ROUND_S = 0.2
# What the till takes and no account is mapped to, until head office maps it.
CHEQUE, MAPPED_TO = "cheque", "1110"
MAPPED_AFTER = 5  # that were held and are decided
NEWEST = 300

Question = dict[str, Any]
"""What is asked: `verb`, `subject`, `arguments`, and `agreed_by` where a second person is there."""


class Journal:
    """What a person asked and was answered. What has no answer yet is asked again."""

    def __init__(self, folder: Path, name: str) -> None:
        self._asked = folder / f"{name}.asked"
        self._answered = folder / f"{name}.answered"
        asked, answered = list(whole_lines(self._asked)), {line["n"] for line in whole_lines(self._answered)}
        self._last = max((line["n"] for line in asked), default=0)
        self.open = next((line for line in asked if line["n"] not in answered), None)
        self._to_asked, self._to_answered = Lines(self._asked), Lines(self._answered)

    def ask(self, question: Question) -> Question:
        """Takes a question down."""
        self._last += 1
        self.open = {"n": self._last, **question}
        self._to_asked.add(self.open)
        return self.open

    def answer(self, said: str, *, decision_id: str | None = None) -> None:
        """Takes down what was answered to it."""
        assert self.open is not None
        self._to_answered.add({"n": self.open["n"], "said": said, "decision_id": decision_id})
        self.open = None


class Person:
    """Somebody who may decide everything, beside another one."""

    def __init__(self, name: str, folder: Path, rng: Random) -> None:
        self._name = name
        self._other = next(each for each in NAMES if each != name)
        self._folder = folder
        self._rng = rng
        self._journal = Journal(folder, name)

    def one_round(self) -> None:
        """A question and its answer. Raises what the database raises: the question stays open."""
        question = self._journal.open
        if question is None:
            if (self._folder / CLOSING_TIME).exists():
                (self._folder / f"{self._name}.closed").touch()
                return
            if not self._is_enrolled():
                return
            found = self._rng.choice(self._ideas())()
            if found is None:
                return
            question = self._journal.ask(found)
        self._put(question)

    def _is_enrolled(self) -> bool:
        from django.contrib.auth.models import User  # noqa: PLC0415 - once Django is set up

        return User.objects.filter(username__in=NAMES).count() == len(NAMES)

    def _ideas(self) -> list[Callable[[], Question | None]]:
        often = [self._about_held] * 6 + [self._void, self._retender] * 2
        seldom = [self._recount, self._approve, self._count_safe, self._bank, self._received, self._change]
        return [*often, *seldom, self._agree, self._map_cheques]

    def _put(self, question: Question) -> None:
        from django.utils import timezone  # noqa: PLC0415 - once Django is set up

        from backoffice.books.deciding import Proposal, agree, decide  # noqa: PLC0415
        from backoffice.books.people import find_person  # noqa: PLC0415
        from backoffice.books.refusals import NotDecided  # noqa: PLC0415
        from backoffice.domain.decisions import Verb  # noqa: PLC0415
        from tests.integration.books.office import PLAIN  # noqa: PLC0415

        person, second = find_person(self._name), question.get("agreed_by")
        try:
            if question["verb"] == "agree":
                report = agree(UUID(question["subject"]), person=person, now=timezone.now())
            else:
                proposal = Proposal(
                    verb=Verb(question["verb"]),
                    subject=question["subject"],
                    person=person,
                    reason=PLAIN[Verb(question["verb"])],
                    note="So be it.",
                    arguments=question["arguments"],
                    agreed_by=None if second is None else find_person(second),
                )
                report = decide(proposal, now=timezone.now())
        except NotDecided as refusal:
            self._journal.answer(refusal.code)
        else:
            self._journal.answer(report.state.value, decision_id=str(report.decision_id))

    def _question(self, verb: str, subject: object, **arguments: Any) -> Question:
        second = {"agreed_by": self._other} if self._rng.random() < 0.5 else {}
        return {"verb": verb, "subject": str(subject), "arguments": arguments, **second}

    # -- what comes to mind

    def _about_held(self) -> Question | None:
        from backoffice.books.held import as_sent, name_of  # noqa: PLC0415
        from backoffice.sales.models import HeldItem, Shift  # noqa: PLC0415

        item = self._one_of(HeldItem.objects.filter(decision_id__isnull=True))
        if item is None:
            return None
        match self._rng.choice(("post", "post", "correct", "correct", "discard", "move")):
            case "move":
                to = self._one_of(Shift.objects.filter(store=item.store_id).exclude(pk=item.shift_id))
                return None if to is None else self._question("move", name_of(item), to=str(to.pk))
            case "correct":
                return self._question(
                    "correct", name_of(item), order=self._paid_otherwise(json.loads(as_sent(item).raw))
                )
            case verb:
                return self._question(verb, name_of(item))

    def _paid_otherwise(self, order: dict[str, Any]) -> dict[str, Any]:
        """The same order, paid in cash or by card."""
        amount = sum(payment["amount"] for payment in order["payments"])
        return {**order, "payments": [{"method": self._rng.choice(("cash", "card")), "amount": amount}]}

    def _void(self) -> Question | None:
        order = self._an_order()
        return None if order is None else self._question("void", order.order_id)

    def _retender(self) -> Question | None:
        order = self._an_order()
        if order is None:
            return None
        method, amount = self._rng.choice(("cash", "card")), order.total + order.tip
        return self._question("retender", order.order_id, payments={method: amount})

    def _recount(self) -> Question | None:
        """Of a drawer that the terminal has counted, and of which its close has said what stays in it."""
        from backoffice.sales.models import Shift  # noqa: PLC0415

        counted = Shift.objects.filter(declared__float_left__gte=0, declared__cash_counted__gte=0)
        shift = self._one_of(counted)
        if shift is None:
            return None
        cash = max(0, shift.declared["cash_counted"] + self._rng.choice((-200, 0, 350)))
        return self._question("recount", shift.pk, counts={"cash": cash})

    def _approve(self) -> Question | None:
        from backoffice.sales.models import Shift  # noqa: PLC0415

        shift = self._one_of(Shift.objects.filter(state__in=["reconciled", "discrepant"]))
        return None if shift is None else self._question("approve", shift.pk)

    def _count_safe(self) -> Question | None:
        return self._question("count-safe", self._store(), amount=self._rng.randrange(10**6))

    def _bank(self) -> Question | None:
        slip = f"{self._name}-{self._rng.randrange(10**9)}"
        return self._question("bank", self._store(), amount=self._rng.randrange(1, 10**5), slip=slip, date="2026-03-02")

    def _received(self) -> Question | None:
        """Something of the newest deposits; more than is on its way is refused."""
        from backoffice.books.models import Decision  # noqa: PLC0415

        newest = list(Decision.objects.filter(verb="bank").order_by("-asked_at")[:NEWEST])
        if not newest:
            return None
        deposit = self._rng.choice(newest)
        said = {"amount": self._rng.randrange(1, 10**5), "slip": deposit.arguments["slip"], "date": "2026-03-03"}
        return self._question("bank-received", deposit.subject, **said)

    def _change(self) -> Question | None:
        slip = f"{self._name}-{self._rng.randrange(10**9)}"
        amount = self._rng.randrange(1, 10**4)
        return self._question("bank-change", self._store(), amount=amount, slip=slip, date="2026-03-03")

    def _agree(self) -> Question | None:
        """To what the other has asked."""
        from backoffice.books.models import Decision  # noqa: PLC0415

        waiting = Decision.objects.filter(needs_second_person=True, answer__isnull=True, person__username=self._other)
        asked = self._one_of(waiting)
        return None if asked is None else {"verb": "agree", "subject": str(asked.pk), "arguments": {}}

    def _map_cheques(self) -> None:
        """Once some were corrected or discarded: from here on cheques are posted, and those that are held can be."""
        from backoffice.fleet.models import Store  # noqa: PLC0415
        from backoffice.ledger.models import PaymentAccount  # noqa: PLC0415
        from backoffice.sales.models import HeldItem  # noqa: PLC0415

        if HeldItem.objects.filter(decision_id__isnull=False).count() >= MAPPED_AFTER:
            for store in Store.objects.all():
                PaymentAccount.objects.get_or_create(store=store, method=CHEQUE, defaults={"account_id": MAPPED_TO})

    def _store(self) -> str:
        from backoffice.fleet.models import Store  # noqa: PLC0415

        return str(self._rng.choice(list(Store.objects.order_by("pk"))).code)

    def _an_order(self) -> Any:
        from backoffice.sales.models import Order  # noqa: PLC0415

        return self._one_of(Order.objects.filter(status="paid", adjusts__isnull=True))

    def _one_of(self, rows: Any) -> Any:
        newest = list(rows.order_by("-pk")[:NEWEST])
        return self._rng.choice(newest) if newest else None


def main() -> int:
    """Until somebody ends it. Without a database it waits for one."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.people")
    parser.add_argument("--journals", type=Path, required=True)
    parser.add_argument("--name", choices=NAMES, required=True)
    parser.add_argument("--seed", required=True)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
    django.setup()
    from django.db import DatabaseError, InterfaceError, connection  # noqa: PLC0415
    from psycopg_pool import PoolTimeout  # noqa: PLC0415

    options.journals.mkdir(parents=True, exist_ok=True)
    asked = len(list(whole_lines(options.journals / f"{options.name}.asked")))
    person = Person(options.name, options.journals, Random(f"{options.seed}/{options.name}/{asked}"))
    while True:
        try:
            person.one_round()
        except (DatabaseError, InterfaceError, PoolTimeout) as error:
            sys.stderr.write(f"{options.name}: {error}\n")
            connection.close()
        time.sleep(ROUND_S)


def at_work(folder: Path) -> list[str]:
    """Who has not gone home yet, after closing time: who has, was answered everything and asks nothing more."""
    return [name for name in NAMES if not (folder / f"{name}.closed").exists()]


if __name__ == "__main__":
    sys.exit(main())
