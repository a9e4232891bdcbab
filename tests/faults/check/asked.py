"""What people of head office asked to be decided, put beside what the books say was decided.

A folder holds two files for each person, of one JSON object a line, flushed to the disk like the terminals':

- `NAME.asked`, before it is asked: `{"n": 1, "verb": "void", "subject": ORDER_ID, "arguments": {…}}`. Who gets no answer asks
  the same again, under the same `n`.
- `NAME.answered`, before anything else is asked: `{"n": 1, "said": "done", "decision_id": UUID}`; `said` may be `waiting` for a
  second person, or why it was refused, as `already-decided`.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import psycopg

from tests.faults.check.expected import (
    BANK,
    OVER_SHORT,
    SAFE,
    TO_THE_BANK,
    Account,
    Expected,
    Order,
    Payment,
    Unforeseen,
    read_batch,
)
from tests.faults.check.journals import Sent, journals, requests, whole_lines

# What has taken effect, in the order in which it did.
DECIDED = """
SELECT d.id::text, d.verb, d.about, d.subject, d.arguments, d.before, coalesce(a.after, d.after), s.code, s.currency, u.username
FROM books_decision d LEFT JOIN books_decisionanswer a ON a.decision_id = d.id
JOIN fleet_store s ON s.id = d.store_id JOIN auth_user u ON u.id = d.person_id
WHERE NOT d.needs_second_person OR a.answer = 'agreed' ORDER BY coalesce(a.answered_at, d.asked_at), d.id
"""
KNOWN = "SELECT id::text FROM books_decision"
# Of each of these there is one for a subject, and for a slip, however often it is asked.
ONCE = {"post", "correct", "discard", "move", "void", "bank", "bank-received", "bank-change"}
# To which account cash goes, and from which.
BY_SLIP = {"bank": (TO_THE_BANK, SAFE), "bank-received": (BANK, TO_THE_BANK), "bank-change": (SAFE, BANK)}


class Decided(NamedTuple):
    """A decision that has taken effect, as the books tell it."""

    id: str
    verb: str
    about: str
    subject: str
    arguments: Any
    before: Any
    after: Any
    store: str
    currency: str
    person: str

    @property
    def once(self) -> tuple[str, str]:
        """What there may be one of."""
        slip = f"{self.arguments['slip']} {self.arguments['date']}" if self.verb in BY_SLIP else ""
        kind = "held" if self.about == "held" else self.verb
        return kind, f"{self.subject} {slip}".rstrip()

    @property
    def words(self) -> str:
        return f"{self.verb} {self.subject}, by {self.person}: {self.id}"


@dataclass
class Asked:
    """What the people tell: `questions` by person and number, `answers` likewise."""

    questions: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)
    answers: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)


def read_asked(folder: Path) -> Asked:
    """Every person's journals."""
    asked = Asked()
    for path in sorted(folder.glob("*.asked")):
        asked.questions |= {(path.stem, line["n"]): line for line in whole_lines(path)}
        asked.answers |= {(path.stem, line["n"]): line for line in whole_lines(path.with_suffix(".answered"))}
    return asked


def read_decided(connection: psycopg.Connection) -> list[Decided]:
    """Everything that has taken effect."""
    return [Decided(*row) for row in connection.execute(DECIDED).fetchall()]


def read_known(connection: psycopg.Connection) -> set[str]:
    """Every decision, whether or not it has taken effect."""
    return {row[0] for row in connection.execute(KNOWN).fetchall()}


def compare(asked: Asked, decided: list[Decided], *, known: set[str]) -> dict[str, list[str]]:
    """What must not be, by its name, each in words."""
    said = {
        (person, each["verb"], each["subject"], json.dumps(each["arguments"], sort_keys=True))
        for (person, _), each in asked.questions.items()
    }
    invented = [
        each.words
        for each in decided
        if (each.person, each.verb, each.subject, json.dumps(each.arguments, sort_keys=True)) not in said
    ]
    counts = Counter(each.once for each in decided if each.verb in ONCE)
    done = {each.id for each in decided}
    lost, alone = [], []
    for (person, number), answer in asked.answers.items():
        question = asked.questions[person, number]
        words = f"{person} {number}: {question['verb']} {question['subject']}"
        if answer["said"] == "done" and answer["decision_id"] not in done:
            lost.append(words)
        if answer["said"] == "waiting" and answer["decision_id"] not in known:
            lost.append(words)
        if answer["said"] == "already-decided" and not _has_one(question, decided):
            alone.append(words)
    return {
        "questions without an answer": [
            f"{person} {number}" for person, number in asked.questions if (person, number) not in asked.answers
        ],
        "decisions that were answered, and are not there": lost,
        "decisions that nobody asked for": invented,
        "decided twice": [f"{kind} {subject}: {count}" for (kind, subject), count in counts.items() if count > 1],
        "said to be decided already, and never was": alone,
    }


def _has_one(question: dict[str, Any], decided: list[Decided]) -> bool:
    """Whether something was decided about the subject of a question; of an answer, about its decision."""
    return question["verb"] == "agree" or any(each.subject == question["subject"] for each in decided)


class Stands(NamedTuple):
    """An order as it stands in the books, and in which shift."""

    shift_id: str
    order: Order


def apply_decisions(expected: Expected, decided: list[Decided], folder: Path) -> None:
    """Adds to what the books must say what was decided, one after the other. Raises Unforeseen."""
    places, orders = _sent_orders(decided, folder)
    stands = dict(orders)
    for each in decided:
        match each.verb:
            case "post" | "correct" | "move":
                _post(expected, each, places[each.subject], stands)
            case "void":
                expected.take_back(*stands.pop(each.subject))
            case "retender":
                shift_id, order = stands[each.subject]
                paid = tuple(Payment(method, amount) for method, amount in each.arguments["payments"].items())
                _replace(
                    expected,
                    stands,
                    Stands(shift_id, order),
                    Stands(shift_id, msgspec.structs.replace(order, payments=paid)),
                )
            case "recount":
                _recount(expected, each)
            case "count-safe":
                over = each.arguments["amount"] - each.before["balance"]
                expected.orders[Account(each.store, each.currency, SAFE)] += over
                expected.orders[Account(each.store, each.currency, OVER_SHORT)] -= over
            case "bank" | "bank-received" | "bank-change":
                _transfer(expected, each)
            case "discard" | "approve":
                pass
            case _:
                raise Unforeseen(f"a decision to {each.verb}")


def _post(expected: Expected, each: Decided, sent: Stands, stands: dict[str, Stands]) -> None:
    """What was held counts as sent; now it is what was decided, in the shift where it is."""
    order = sent.order
    if each.verb == "correct":
        order = msgspec.convert(each.arguments["order"], Order)
    _replace(expected, stands, sent, Stands(each.after["shift_id"], order))


def _replace(expected: Expected, stands: dict[str, Stands], before: Stands, after: Stands) -> None:
    expected.take_back(*before)
    expected.add(*after)
    stands[after.order.order_id] = after


def _transfer(expected: Expected, each: Decided) -> None:
    to, origin = BY_SLIP[each.verb]
    expected.orders[Account(each.store, each.currency, to)] += each.arguments["amount"]
    expected.orders[Account(each.store, each.currency, origin)] -= each.arguments["amount"]


def _recount(expected: Expected, each: Decided) -> None:
    shift = expected.shifts[each.subject]
    if shift.counted is None or shift.left is None:
        raise Unforeseen(f"shift {each.subject} was recounted, whose close did not say what stays in the drawer")
    shift.counted = each.arguments["counts"]["cash"]


def _sent_orders(decided: list[Decided], folder: Path) -> tuple[dict[str, Stands], dict[str, Stands]]:
    """The orders that decisions are about, as they were sent: by their place where they were held, and by identifier."""
    about: dict[str, set[str]] = defaultdict(set)
    for each in decided:
        about[each.about].add(each.subject)
    batches = {subject.partition(":")[0] for subject in about["held"]}
    places: dict[str, Stands] = {}
    orders: dict[str, Stands] = {}
    for sent in _batches(folder):
        named = sent.batch_id in batches
        for index, order in enumerate(read_batch(sent.body).orders):
            if named and f"{sent.batch_id}:{index}" in about["held"]:
                places[f"{sent.batch_id}:{index}"] = Stands(sent.shift_id, order)
            if order.order_id in about["order"]:
                orders[order.order_id] = Stands(sent.shift_id, order)
    return places, orders


def _batches(folder: Path) -> Iterator[Sent]:
    return (sent for journal in journals(folder) for sent in requests(journal) if sent.what == "batch")
