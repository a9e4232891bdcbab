"""An order or cash movement as its terminal sent it, as a receipt; what differs from another version is marked.

What was sent may be any JSON, so nothing is taken for granted: what is not as expected is left out, and stands in the original.
"""

from collections.abc import Collection
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from backoffice.languages.formats import money, price, quantity, sendable
from backoffice.review.comparing import is_amount, text_of_time
from backoffice.review.words import KINDS, LINE_KINDS, METHODS, MOVEMENTS, STATUSES, TYPES, named

MOST_ROWS = 200
MOST_CHARACTERS = 120
Pointers = Collection[str]


class PaperRow(NamedTuple):
    """One row of a receipt; `differs` where the other version says something else."""

    text: str
    small: str
    amount: str
    differs: bool = False
    is_sum: bool = False


class Paper(NamedTuple):
    """A receipt: what it is, who made it and when, what was sold, and how it was paid. `unshown` rows are left out."""

    title: str
    title_differs: bool
    heads: list[PaperRow]
    lines: list[PaperRow]
    payments: list[PaperRow]
    note: PaperRow | None
    unshown: int


def sent_paper(value: Any, *, what: str, currency: str, zone: str, differing: Pointers = ()) -> Paper | None:
    """The receipt of a member as JSON; None of what is no object. `differing` are pointers where another version differs."""
    if not isinstance(value, dict):
        return None
    return _Reading(value, currency, zone, differing).paper(what)


class _Reading:
    """One member being read."""

    def __init__(self, value: dict[str, Any], currency: str, zone: str, differing: Pointers) -> None:
        self.value, self.currency, self.zone, self.differing = value, currency, zone, differing

    def paper(self, what: str) -> Paper:
        if what == "movement":
            title, lines, payments = named(MOVEMENTS, self.text("kind")), [self._movement()], []
        else:
            title = f"{named(KINDS, self.text('kind'))} {self._number()}".strip()
            lines, payments = [*self._lines(), *self._sums()], self._payments()
        note = self.text("note")
        return Paper(
            title,
            self.differs("number", "kind", "mode", "order_id", "movement_id"),
            self._heads(),
            lines[:MOST_ROWS],
            payments[:MOST_ROWS],
            PaperRow(note, "", "", self.differs("note")) if note or self.differs("note") else None,
            len(lines[MOST_ROWS:]) + len(payments[MOST_ROWS:]),
        )

    def text(self, name: str, of: Any = None) -> str:
        """A text or number as text; empty where there is neither."""
        said = (self.value if of is None else of).get(name)
        if isinstance(said, bool) or not isinstance(said, str | int):
            return ""
        return sendable(str(said), limit=MOST_CHARACTERS)

    def money(self, amount: Any) -> str:
        return money(amount, self.currency) if is_amount(amount) else "–"

    def differs(self, *names: str) -> bool:
        """Whether the other version says something else under one of these names, or below."""
        begins = tuple(f"/{name}/" for name in names)
        exact = {f"/{name}" for name in names}
        return any(pointer in exact or pointer.startswith(begins) for pointer in self.differing)

    def _number(self) -> str:
        return self.text("number") + ("*" if self.value.get("mode") == "offline" else "")

    def _heads(self) -> list[PaperRow]:
        rows = [
            (_("Cashier"), self.text("cashier"), ("cashier",)),
            (_("Opened"), self._time("opened_at"), ("opened_at",)),
            (_("Closed"), self._time("closed_at"), ("closed_at",)),
            (_("Time"), self._time("occurred_at"), ("occurred_at",)),
            (_("Type"), named(TYPES, self.text("type")), ("type",)),
            (_("Status"), named(STATUSES, self.text("status")), ("status",)),
            (_("Refund of"), self.text("refund_of"), ("refund_of",)),
            (_("Changes the order"), self.text("adjusts"), ("adjusts",)),
        ]
        return [
            PaperRow(name, "", said or "–", self.differs(*names))
            for name, said, names in rows
            if said or self.differs(*names)
        ]

    def _time(self, name: str) -> str:
        said = self.text(name)
        return text_of_time(said, self.zone) if said else ""

    def _movement(self) -> PaperRow:
        return PaperRow(
            self.text("reason") or "–", "", self.money(self.value.get("amount")), self.differs("amount", "reason")
        )

    def _objects(self, name: str) -> list[dict[str, Any]]:
        listed = self.value.get(name)
        return [each if isinstance(each, dict) else {} for each in listed] if isinstance(listed, list) else []

    def _lines(self) -> list[PaperRow]:
        rows = []
        for index, line in enumerate(self._objects("lines")):
            name = self.text("name", line) or self.text("sku", line) or _("Item")
            kind = self.text("kind", line)
            small = [named(LINE_KINDS, kind) if kind not in {"", "item"} else "", self._times(line)]
            if is_amount(line.get("discount")) and line["discount"]:
                small.append(_("less %(amount)s") % {"amount": self.money(line["discount"])})
            rows.append(
                PaperRow(
                    name, ", ".join(filter(None, small)), self.money(line.get("amount")), self.differs(f"lines/{index}")
                )
            )
        return rows

    def _times(self, line: dict[str, Any]) -> str:
        """`2 × €1.20`, where both can be read."""
        count, unit = _decimal(line.get("quantity")), _decimal(line.get("unit_price"))
        return "" if count is None or unit is None else f"{quantity(count)} × {price(unit, self.currency)}"

    def _sums(self) -> list[PaperRow]:
        rows = [
            PaperRow(_("Rounding"), "", self.money(self.value.get("rounding")), self.differs("rounding")),
            PaperRow(_("Total"), "", self.money(self.value.get("total")), self.differs("total"), is_sum=True),
            PaperRow(_("Tip"), "", self.money(self.value.get("tip")), self.differs("tip")),
        ]
        needed = ("rounding", "total", "tip")
        return [
            row
            for row, name in zip(rows, needed, strict=True)
            if name == "total" or self.value.get(name) or row.differs
        ]

    def _payments(self) -> list[PaperRow]:
        rows = []
        for index, paid in enumerate(self._objects("payments")):
            given = [
                f"{words} {self.money(paid[name])}"
                for name, words in (("tendered", _("given")), ("change", _("change")))
                if is_amount(paid.get(name))
            ]
            small = ", ".join(filter(None, [self.text("reference", paid), *given]))
            method = named(METHODS, self.text("method", paid)) or "–"
            rows.append(PaperRow(method, small, self.money(paid.get("amount")), self.differs(f"payments/{index}")))
        return rows


def _decimal(value: Any) -> Decimal | None:
    """A number as it may be spelled, None where it is none or endless."""
    if isinstance(value, bool) or not isinstance(value, str | int) or len(str(value)) > 20:  # noqa: PLR2004 - as wide as a receipt
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) < 20 else None  # noqa: PLR2004 - likewise
