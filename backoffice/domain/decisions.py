"""What people decide: the verbs, and when one person is not enough (books, "Decisions")."""

from enum import StrEnum


class Verb(StrEnum):
    """What can be decided. A decision is stored under its verb for ever: one may be added, none renamed."""

    POST = "post"
    CORRECT = "correct"
    DISCARD = "discard"
    MOVE = "move"
    VOID = "void"
    RETENDER = "retender"
    EXPLAIN = "explain"
    ENTER = "enter"
    RECOUNT = "recount"
    END = "end"
    APPROVE = "approve"
    COUNT_SAFE = "count-safe"
    BANK = "bank"
    BANK_RECEIVED = "bank-received"
    BANK_CHANGE = "bank-change"
    LOCK = "lock"
    UNLOCK = "unlock"
    IMPORT_CACHE = "import-cache"


ALWAYS_TWO = frozenset({Verb.ENTER, Verb.UNLOCK, Verb.IMPORT_CACHE})
"""Nobody decides these alone, whatever the amount."""


class DecisionState(StrEnum):
    """Where a decision stands. Only what is `done` has an effect."""

    DONE = "done"
    WAITING = "waiting"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


def needs_second_person(verb: Verb, *, amount: int | None, above: int | None, reason_asks: bool, asks: bool) -> bool:
    """Whether another person must agree: the verb, the reason or the matter itself asks for it, or the amount does.

    `amount` is what is at stake, in minor units of either sign, None where it is not known; more than `above`, the
    store's own bound, takes two. Where the store has none, no amount does.
    """
    if verb in ALWAYS_TWO or reason_asks or asks:
        return True
    return above is not None and amount is not None and abs(amount) > above
