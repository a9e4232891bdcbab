"""What head office decided, and whether what was posted by a decision is what it says (books, "Decisions").

A decision that posts has a batch of its own, under its own identifier: its bytes lead to the row and the entry as those of
an upload do. What they must be follows from the bytes that were held, or from the decision itself.
"""

import json
import re
from collections import defaultdict
from collections.abc import Collection
from typing import Any, NamedTuple

from django.db.backends.utils import CursorWrapper

from backoffice.audit.reading import ReadingError, read_movement, read_order
from backoffice.audit.repeats import Originals
from backoffice.audit.rows import Held
from backoffice.audit.values import Movement, Order, same_content

SELECT_DECISIONS = """
SELECT d.id::text, d.verb, d.about, d.subject, d.arguments::text FROM books_decision d
LEFT JOIN books_decisionanswer a ON a.decision_id = d.id
WHERE d.id = ANY(%s::uuid[]) AND (NOT d.needs_second_person OR a.answer = 'agreed')
"""


# In the order in which they took effect.
SELECT_ABOUT_ORDERS = """
SELECT d.id::text, d.verb, d.about, d.subject, d.arguments::text FROM books_decision d
LEFT JOIN books_decisionanswer a ON a.decision_id = d.id
WHERE d.about = 'order' AND d.subject = ANY(%s) AND (NOT d.needs_second_person OR a.answer = 'agreed')
ORDER BY coalesce(a.answered_at, d.asked_at)
"""


PLACE = re.compile(r"([0-9a-f-]{36}):(movements:)?(\d{1,9})")


class Decided(NamedTuple):
    """A decision that has taken effect. `subject` is what it is about, as commands name it."""

    id: str
    verb: str
    about: str
    subject: str
    arguments: Any


def load_decisions(cursor: CursorWrapper, ids: Collection[str]) -> dict[str, Decided]:
    """Those of the decisions with these identifiers that have taken effect. Most batches are of no decision."""
    cursor.execute(SELECT_DECISIONS, [list(ids)])
    return {row[0]: Decided._make((*row[:4], json.loads(row[4]))) for row in cursor.fetchall()}


def load_corrections(cursor: CursorWrapper, order_ids: Collection[str]) -> dict[str, list[Decided]]:
    """What was decided about these orders once they were posted, in the order in which it was."""
    cursor.execute(SELECT_ABOUT_ORDERS, [list(order_ids)])
    found: dict[str, list[Decided]] = defaultdict(list)
    for row in cursor.fetchall():
        found[row[3]].append(Decided._make((*row[:4], json.loads(row[4]))))
    return found


def subject_of(held: Held) -> str:
    """A held item as a decision names it."""
    return f"{held.batch_id}:{'movements:' if held.what == 'movement' else ''}{held.position}"


def is_as_decided(decision: Decided, read: Order | Movement, originals: Originals) -> bool:
    """Whether what was posted is what was held, or what the decision says; under whatever identifier."""
    if decision.verb in {"post", "move"}:
        place = PLACE.fullmatch(decision.subject)
        what = "movement" if place is not None and place[2] else "order"
        original = None if place is None else originals.original_at(place[1], what, int(place[3]))
        said = None if original is None else original.read
    else:
        said = _read(decision.arguments)
    return said is not None and same_content(_under_one(said), _under_one(read))


def _read(arguments: Any) -> Order | Movement | None:
    try:
        if "movement" in arguments:
            return read_movement({**arguments["movement"], "movement_id": _ANY})
        return read_order({**arguments["order"], "order_id": _ANY})
    except (ReadingError, KeyError, TypeError, AttributeError):
        return None


_ANY = "00000000-0000-4000-8000-000000000000"


def _under_one(member: Order | Movement) -> Order | Movement:
    if isinstance(member, Order):
        return member._replace(order_id=_ANY)
    return member._replace(movement_id=_ANY)
