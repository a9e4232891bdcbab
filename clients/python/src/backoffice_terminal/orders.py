"""Orders in the form of the protocol, and a draft that keeps the sums exact while a cashier rings an order up."""

from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from backoffice_terminal import money
from backoffice_terminal.money import TaxRate as TaxRate
from backoffice_terminal.problems import NotAllowedOffline, TerminalError

Mode = Literal["online", "offline"]
Kind = Literal["sale", "refund"]
Status = Literal["paid", "voided", "training"]


class NotBalanced(TerminalError):
    """The amount paid is not the amount due."""


class Tax(msgspec.Struct, frozen=True):
    code: str
    rate: str
    amount: int
    kind: str = "percent"


class Line(msgspec.Struct, frozen=True):
    quantity: str
    unit_price: int | str
    amount: int
    kind: str = "item"
    sku: str = ""
    name: str = ""
    discount: int = 0
    taxes: tuple[Tax, ...] = ()
    refund_of: str | None = None


class Payment(msgspec.Struct, frozen=True):
    method: str
    amount: int
    tendered: int | UnsetType = UNSET
    change: int | UnsetType = UNSET
    reference: str = ""


class Order(msgspec.Struct, frozen=True):
    """One complete sale or refund (§5). Amounts are signed, in minor units; times are RFC 3339."""

    order_id: str
    number: int
    mode: Mode
    kind: Kind
    status: Status
    opened_at: str
    closed_at: str
    lines: tuple[Line, ...]
    total: int
    payments: tuple[Payment, ...]
    rounding: int = 0
    tip: int = 0
    type: str | None = None
    cashier: str = ""
    customer: dict[str, Any] | None = None
    printed_to: str = "none"
    refund_of: str | None = None
    adjusts: str | None = None
    note: str = ""

    @property
    def tax(self) -> int:
        return sum(tax.amount for line in self.lines for tax in line.taxes)

    @property
    def label(self) -> str:
        """The number as a cashier sees it; an asterisk marks an order made offline."""
        return f"{self.number}*" if self.mode == "offline" else str(self.number)


def check_mode(mode: Mode, customer: object, printed_to: str) -> None:
    """An offline terminal knows no customers and reaches no network printer (§5). Raises NotAllowedOffline."""
    if mode == "offline" and (customer is not None or printed_to == "network"):
        raise NotAllowedOffline("an offline order cannot have a customer, and prints on the till's own printer")


def line_of(
    *,
    quantity: str,
    unit_price: int | str,
    taxes: Sequence[TaxRate],
    prices_include_tax: bool,
    discount: int = 0,
    kind: str = "item",
    sku: str = "",
    name: str = "",
    refund_of: str | None = None,
) -> Line:
    """A line with its amount and taxes worked out. A negative quantity is a return; its discount is negative too."""
    amount = money.extended(quantity, unit_price) - discount
    amounts = money.taxes_of(amount, quantity=quantity, rates=taxes, included=prices_include_tax)
    worked_out = tuple(Tax(tax.code, tax.rate, due, tax.kind) for tax, due in zip(taxes, amounts, strict=True))
    return Line(quantity, unit_price, amount, kind, sku, name, discount, worked_out, refund_of)


class Draft:
    """An order being rung up. `Terminal.sell` turns it into an Order with a number.

    All amounts are in minor units of the shift's currency. A refund's are negative; `Draft.refund` makes them so.
    """

    def __init__(
        self,
        *,
        prices_include_tax: bool,
        opened_at: datetime,
        kind: Kind = "sale",
        type: str | None = None,  # noqa: A002 - the protocol's own name
        cashier: str = "",
        customer: dict[str, Any] | None = None,
        printed_to: str = "none",
        refund_of: str | None = None,
        adjusts: str | None = None,
        note: str = "",
    ) -> None:
        self.prices_include_tax = prices_include_tax
        self.opened_at = opened_at
        self.kind = kind
        self.type = type
        self.cashier = cashier
        self.customer = customer
        self.printed_to = printed_to
        self.refund_of = refund_of
        self.adjusts = adjusts
        self.note = note
        self.lines: list[Line] = []
        self.payments: list[Payment] = []
        self.rounding = 0
        self.tip = 0

    @classmethod
    def refund(
        cls, order: Order, *, prices_include_tax: bool, opened_at: datetime, lines: Sequence[int] | None = None
    ) -> "Draft":
        """Refunds an order, or the lines at the given positions; the tip stays with the staff."""
        draft = cls(
            prices_include_tax=prices_include_tax,
            opened_at=opened_at,
            kind="refund",
            type=order.type,
            refund_of=order.order_id,
        )
        chosen = order.lines if lines is None else [order.lines[index] for index in lines]
        draft.lines = [_reversed(line) for line in chosen]
        draft.rounding = -order.rounding if lines is None else 0
        return draft

    def take_back(self, order: Order, lines: Sequence[int]) -> None:
        """Adds lines of another order as returns: for an exchange, or for a refund of several receipts."""
        self.lines += [
            msgspec.structs.replace(_reversed(order.lines[index]), refund_of=order.order_id) for index in lines
        ]

    def add(
        self,
        *,
        unit_price: int | str,
        quantity: str = "1",
        taxes: Sequence[TaxRate] = (),
        discount: int = 0,
        kind: str = "item",
        sku: str = "",
        name: str = "",
        refund_of: str | None = None,
    ) -> Line:
        """Rings up a line. `unit_price` may be a decimal string of minor units (fuel: `"159.9"`).

        A negative line may name the order that it gives back.
        """
        line = line_of(
            quantity=quantity,
            unit_price=unit_price,
            taxes=taxes,
            prices_include_tax=self.prices_include_tax,
            discount=discount,
            kind=kind,
            sku=sku,
            name=name,
            refund_of=refund_of,
        )
        self.lines.append(line)
        return line

    def discount_all(self, amount: int) -> None:
        """Takes `amount` off the whole receipt, spread over the item lines so that each line's tax stays right."""
        items = [index for index, line in enumerate(self.lines) if line.kind == "item" and line.amount > 0]
        if sum(self.lines[index].amount for index in items) < amount:
            raise ValueError("a discount cannot exceed the items it is taken from")
        if amount == 0:
            return
        shares = money.allocate(amount, [self.lines[index].amount for index in items])
        for index, share in zip(items, shares, strict=True):
            line = self.lines[index]
            self.lines[index] = line_of(
                quantity=line.quantity,
                unit_price=line.unit_price,
                taxes=[_rate_of(tax, line) for tax in line.taxes],
                prices_include_tax=self.prices_include_tax,
                discount=line.discount + share,
                kind=line.kind,
                sku=line.sku,
                name=line.name,
            )

    def round_cash(self, step: int) -> None:
        """Rounds the total to what coins can pay (Switzerland: 5). Call it last before paying."""
        exact_total = self.total - self.rounding
        self.rounding = money.round_to_step(exact_total, step) - exact_total

    @property
    def total(self) -> int:
        on_top = 0 if self.prices_include_tax else sum(tax.amount for line in self.lines for tax in line.taxes)
        return sum(line.amount for line in self.lines) + on_top + self.rounding

    @property
    def due(self) -> int:
        """What is still to be paid, tip included."""
        return self.total + self.tip - sum(payment.amount for payment in self.payments)

    def pay(self, method: str, amount: int, *, reference: str = "") -> None:
        self.payments.append(Payment(method, amount, reference=reference))

    def pay_cash(self, *, tendered: int) -> int:
        """Pays what is due in cash, and returns the change to hand back.

        Raises NotBalanced if `tendered` is not enough.
        """
        amount, change = self.due, tendered - self.due
        if change < 0:
            raise NotBalanced(f"{tendered} tendered, but {amount} due")
        self.payments.append(Payment("cash", amount, tendered=tendered, change=change))
        return change

    def finish(self, *, order_id: str, number: int, mode: Mode, status: Status, closed_at: datetime) -> Order:
        """Turns the draft into an order. Raises NotBalanced if it is `paid` and `due` is not exactly 0."""
        if status == "paid" and self.due != 0:
            raise NotBalanced(f"{self.due} is still due")
        return Order(
            order_id=order_id,
            number=number,
            mode=mode,
            kind=self.kind,
            status=status,
            opened_at=self.opened_at.isoformat(),
            closed_at=closed_at.isoformat(),
            lines=tuple(self.lines),
            total=self.total,
            payments=tuple(self.payments),
            rounding=self.rounding,
            tip=self.tip,
            type=self.type,
            cashier=self.cashier,
            customer=self.customer,
            printed_to=self.printed_to,
            refund_of=self.refund_of,
            adjusts=self.adjusts,
            note=self.note,
        )


def _rate_of(tax: Tax, line: Line) -> TaxRate:
    """What it was worked out from. A fixed tax stays as it is, whatever is taken off the price."""
    per_unit = Fraction(tax.amount) / Fraction(line.quantity) if tax.kind == "fixed" else 0
    return TaxRate(tax.code, tax.rate, tax.kind, per_unit)


def _reversed(line: Line) -> Line:
    """The same line as a return. Rounding half away from zero is symmetric, so negating equals recomputing."""
    return msgspec.structs.replace(
        line,
        quantity=line.quantity[1:] if line.quantity.startswith("-") else f"-{line.quantity}",
        amount=-line.amount,
        discount=-line.discount,
        refund_of=None,
        taxes=tuple(msgspec.structs.replace(tax, amount=-tax.amount) for tax in line.taxes),
    )
