"""What each choice about a held order or cash movement does to the books, before it is chosen: in words and in figures."""

from collections.abc import Mapping
from itertools import islice
from typing import Any, NamedTuple

import msgspec
from django.db import connection
from django.utils.translation import gettext as _

from backoffice.domain.limits import MAX_CODE
from backoffice.domain.orders import CashMovement, Order
from backoffice.domain.totals import ShiftTotals, compute_totals
from backoffice.domain.wire.members import read_movement, read_order
from backoffice.ingestion.figures import ShiftFigures, shift_figures
from backoffice.ingestion.reconcile import declaration_of
from backoffice.languages.formats import sendable
from backoffice.review.conflicts import FirstVersion
from backoffice.review.originals import StoredOriginal
from backoffice.review.words import FIGURES, METHODS, named
from backoffice.sales.models import HeldItem, Shift

METHODS_SHOWN = 50


class Choice(NamedTuple):
    """A choice in words."""

    name: str
    words: str


class EffectRow(NamedTuple):
    """A figure of its shift: as the till declared it, as it stands, which discarding leaves as it is, and if it is posted.

    `agrees` says with which of the two the declaration agrees: "now", "posted", or neither.
    """

    name: str
    is_count: bool
    declared: int | None
    now: int
    posted: int

    @property
    def agrees(self) -> str:
        if self.declared is None or self.now == self.posted:
            return ""
        return {self.now: "now", self.posted: "posted"}.get(self.declared, "")


def choices_of(item: HeldItem, first: FirstVersion | None, *, is_readable: bool) -> list[Choice]:
    """What becomes of it, choice by choice."""
    if not is_readable:
        unread = _("It cannot be read, so nobody knows what it is worth.")
        return [
            Choice(_("Correct"), _("What you type is posted, by the rules of an upload. The original is kept.")),
            Choice(_("Discard"), unread + " " + _("Two people discard it, and no book changes.")),
        ]
    if first is not None and first.order is not None:
        post = _("Both stand in the books: the first one stays, and this one is added under an identifier of its own.")
        discard = _("Only the first one stands in the books, as it does now.")
    elif first is not None and first.held is not None:
        post = _("This one stands in the books. The other version stays held until somebody decides about it.")
        discard = _("This one goes into no book. The other version stays held.")
    else:
        post = _("It stands in the books as the till sent it.")
        discard = _("It goes into no book, and the till is told so.")
    if item.outcome == "held":
        post += " " + _("The rules are asked again: what is in the way must have been put right by now.")
    return [
        Choice(_("Post as sent"), post),
        Choice(_("Correct"), _("What you change is posted in its place; the figures follow what you type.")),
        Choice(_("Move"), _("As posted, but in the shift that you choose. The figures of this shift stay.")),
        Choice(_("Discard"), discard),
    ]


def figures_of(item: HeldItem, original: StoredOriginal | None) -> list[EffectRow]:
    """The figures of its shift that posting changes; none of what cannot be read, or of what counts nowhere."""
    return [] if original is None else figures_if_posted(item.shift, original.member, what=item.what)


def figures_if_posted(shift: Shift, member: bytes, *, what: str) -> list[EffectRow]:
    """The figures of a shift that an order or cash movement would change there; none of what cannot be read."""
    added = _adds(member, what=what)
    if added is None:
        return []
    with connection.cursor() as cursor:
        figures = shift_figures(cursor, shift)
    return _rows(shift, figures, added)


class _Added(NamedTuple):
    """What posting adds to the figures of a shift, in minor units."""

    totals: ShiftTotals
    cash: int


def _adds(member: bytes, *, what: str) -> _Added | None:
    try:
        value = read_order(member) if what == "order" else read_movement(member)
    except ValueError:
        return None
    if isinstance(value, Order):
        totals = compute_totals([value])
        return _Added(totals, totals.payments.get("cash", 0))
    if isinstance(value, CashMovement):
        return _Added(ShiftTotals(), value.amount if value.kind == "cash_in" else -value.amount)
    return None


def _rows(shift: Shift, figures: ShiftFigures, added: _Added) -> list[EffectRow]:
    now, more = msgspec.structs.asdict(figures.computed), msgspec.structs.asdict(added.totals)
    closing = declaration_of(shift)
    declared: Mapping[str, Any] = (
        {} if closing is None else msgspec.structs.asdict(closing.totals) | {"order_count": closing.order_count}
    )
    rows = [
        EffectRow(str(FIGURES[name]), name == "order_count", declared.get(name), now[name], now[name] + more[name])
        for name in FIGURES
        if more[name]
    ]
    paid = declared.get("payments")
    for method, amount in islice(more["payments"].items(), METHODS_SHOWN):
        standing = now["payments"].get(method, 0)
        said = None if paid is None else paid.get(method, 0)
        name = sendable(named(METHODS, method), limit=MAX_CODE)
        rows.append(EffectRow(name, is_count=False, declared=said, now=standing, posted=standing + amount))
    if added.cash:
        expected, name = figures.expected_cash, _("Expected in the drawer")
        rows.append(EffectRow(name, is_count=False, declared=None, now=expected, posted=expected + added.cash))
    return rows
