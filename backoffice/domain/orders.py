"""Orders and cash movements as values: fields, names and defaults are the wire's (protocol §5).

`wire.members` reads them from bytes. Two that are equal may still be spelled differently ("2" and "2.00"); whether two
are the same sale is for `identity` to say.
"""

from typing import Literal
from uuid import UUID

import msgspec

from backoffice.domain.json_values import JsonObject
from backoffice.domain.reasons import Reason
from backoffice.domain.scalars import Instant, Money, Number, Quantity, Rate, UnitPrice

TAX_KINDS = frozenset({"percent", "compound", "fixed"})

# `gc=False` keeps these types out of the garbage collector's sight: values of JSON cannot refer to themselves.


class Tax(msgspec.Struct, kw_only=True, frozen=True, gc=False, omit_defaults=True):
    """One tax of a line: `rate` as a fraction of one (0.055), `amount` in minor units, signed.

    `kind` says what the rate is of: `percent` of the line's base, `compound` of the base and the line's other taxes that
    are not compound, `fixed` of nothing: an amount per unit. Stored without it where it is `percent`, as it always was.
    """

    code: str
    rate: Rate
    amount: Money
    kind: str = "percent"


class Line(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """One line, signed: `amount` is net of `discount`, and includes its taxes where prices do.

    A negative one gives back what `refund_of` sold; where that is null, what the order's own `refund_of` did.
    """

    kind: str = "item"
    sku: str = ""
    name: str = ""
    quantity: Quantity
    unit_price: UnitPrice
    discount: Money = 0
    amount: Money
    refund_of: UUID | None = None
    taxes: list[Tax] = []


class Payment(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """One payment, signed, in minor units. `tendered` and `change` are UNSET where absent."""

    method: str
    amount: Money
    tendered: Money | msgspec.UnsetType = msgspec.UNSET
    change: Money | msgspec.UnsetType = msgspec.UNSET
    reference: str = ""

    # On the wire these amounts may be absent but never null; everywhere else, absent is None.
    @property
    def tendered_minor(self) -> int | None:
        """What the customer handed over, None where it is absent."""
        return None if self.tendered is msgspec.UNSET else self.tendered

    @property
    def change_minor(self) -> int | None:
        """What the customer got back, None where it is absent."""
        return None if self.change is msgspec.UNSET else self.change


class Order(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """One sale or refund as sent; one that `adjusts` another changes how that was paid, or its tip, and nothing else.

    Kinds of lines and taxes, payment methods and types are any text: an unknown one is read, and held or flagged. Lengths
    and counts beyond the limits are read as well, and held by rule: such an order is an order, and takes its number.
    """

    order_id: UUID
    number: Number
    mode: Literal["online", "offline"]
    kind: Literal["sale", "refund"]
    status: Literal["paid", "voided", "training"]
    type: str | None = None
    opened_at: Instant
    closed_at: Instant
    cashier: str = ""
    customer: JsonObject | None = None
    printed_to: Literal["none", "local", "network"] = "none"
    refund_of: UUID | None = None
    adjusts: UUID | None = None
    note: str = ""
    lines: list[Line]
    rounding: Money = 0
    total: Money
    tip: Money = 0
    payments: list[Payment]


class CashMovement(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """Cash put into (`cash_in`) or taken out of (`cash_out`) a drawer outside sales; `amount` in minor units."""

    movement_id: UUID
    kind: Literal["cash_in", "cash_out"]
    amount: Money
    reason: str = ""
    occurred_at: Instant
    cashier: str = ""


class Unreadable(msgspec.Struct, kw_only=True, frozen=True):
    """A member of a batch that is no order (or no cash movement), with what could still be told of it.

    `item_id` is the identifier that it names and `number` its order number, each None where it cannot be read. It takes
    no number: only a readable order does. `content_hash` is 33 bytes like those of readable ones, and `older_hash` that
    of the order which it was before a field that it has was looked at, None where it was none.
    """

    item_id: UUID | None
    number: int | None
    content_hash: bytes
    older_hash: bytes | None = None
    reasons: tuple[Reason, ...]
