"""What an audit collects: differences in words, figures per store, and which rows it has seen."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from backoffice.audit.values import Order

# The list stays bounded however much is wrong; the count does not.
MOST_KEPT = 10_000


class Mismatch(NamedTuple):
    """One difference in words. `store` is a code, or "" if unknown; money is in minor units."""

    store: str
    where: str
    what: str
    expected: str
    found: str


class Findings:
    """The differences found so far: the first `MOST_KEPT` of them, and how many there were."""

    def __init__(self) -> None:
        self.kept: list[Mismatch] = []
        self.count = 0

    def add(self, store: str, where: str, what: str, *, expected: object, found: object) -> None:
        self.count += 1
        if len(self.kept) < MOST_KEPT:
            self.kept.append(Mismatch(store, where, what, _words(expected), _words(found)))

    def merge(self, other: "Findings") -> None:
        """Adds what another part of the audit has found."""
        self.kept += other.kept[: MOST_KEPT - len(self.kept)]
        self.count += other.count


def _words(value: object) -> str:
    return "nothing" if value is None else str(value)


@dataclass
class Figures:
    """Signed sums of paid orders in minor units; `orders` counts these, `unpaid` the voided and training orders."""

    orders: int = 0
    unpaid: int = 0
    sales: int = 0
    refunds: int = 0
    tax: int = 0
    tips: int = 0
    rounding: int = 0
    payments: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, order: Order) -> None:
        """Adds one posted order."""
        if order.status != "paid":
            self.unpaid += 1
            return
        self.orders += 1
        if order.kind == "sale":
            self.sales += order.total
        else:
            self.refunds += order.total
        self.tax += order.tax
        self.tips += order.tip
        self.rounding += order.rounding
        for payment in order.payments:
            self.payments[payment.method] += payment.amount

    def merge(self, other: "Figures") -> None:
        """Adds other figures, such as those of a shift to those of its store."""
        for name in ("orders", "unpaid", "sales", "refunds", "tax", "tips", "rounding"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for method, amount in other.payments.items():
            self.payments[method] += amount


class Ticks:
    """A set of row numbers that takes one bit per row: a million dense numbers fit into 125 kB."""

    PAGE = 1 << 16

    def __init__(self) -> None:
        self.pages: dict[int, bytearray] = {}

    def __contains__(self, number: int) -> bool:
        page = self.pages.get(number // self.PAGE)
        return page is not None and bool(page[number % self.PAGE >> 3] & 1 << (number & 7))

    def add(self, number: int) -> bool:
        """Adds a number; False if it was there already."""
        if number in self:
            return False
        page = self.pages.setdefault(number // self.PAGE, bytearray(self.PAGE >> 3))
        page[number % self.PAGE >> 3] |= 1 << (number & 7)
        return True

    def __len__(self) -> int:
        return sum(int.from_bytes(page).bit_count() for page in self.pages.values())

    def merge(self, other: "Ticks") -> list[int]:
        """Adds the numbers of another set; those that were in both."""
        twice: list[int] = []
        for place, page in other.pages.items():
            own = int.from_bytes(self.pages.get(place, b""), "little")
            further = int.from_bytes(page, "little")
            both = own & further
            while both:
                lowest = both & -both
                twice.append(place * self.PAGE + lowest.bit_length() - 1)
                both ^= lowest
            self.pages[place] = bytearray((own | further).to_bytes(self.PAGE >> 3, "little"))
        return twice


@dataclass
class Waiting:
    """Batches that are not processed yet, and their orders: information, not a difference."""

    batches: int = 0
    failed: int = 0
    orders: int = 0

    def merge(self, other: "Waiting") -> None:
        """Adds what another part of the audit has counted."""
        self.batches += other.batches
        self.failed += other.failed
        self.orders += other.orders


class StoreReport(NamedTuple):
    """What the tills of one store sent in one currency and was posted."""

    code: str
    name: str
    currency: str
    figures: Figures


class AuditReport(NamedTuple):
    """The outcome of an audit: the books are right if `difference_count` is 0. The `detached` months were left out.

    `peak_bytes` is the most memory that its processes held.
    """

    stores: list[StoreReport]
    differences: list[Mismatch]
    difference_count: int
    waiting: Waiting
    detached: Sequence[date] = ()
    peak_bytes: int = 0

    def as_json(self) -> Mapping[str, object]:
        """The document that `verify_books --json` prints. Money is in minor units."""
        differences = [difference._asdict() for difference in self.differences]
        if unlisted := self.difference_count - len(differences):
            rest = Mismatch("", "", f"{unlisted} more differences are not listed", "", "")
            differences.append(rest._asdict())
        return {
            "orders": sum(store.figures.orders for store in self.stores),
            "stores": [_store_json(store) for store in self.stores],
            "differences": differences,
        }


def _store_json(store: StoreReport) -> Mapping[str, object]:
    figures = store.figures
    return {
        "code": store.code,
        "currency": store.currency,
        "orders": figures.orders,
        "sales": figures.sales,
        "refunds": figures.refunds,
        "tax": figures.tax,
        "tips": figures.tips,
        "payments": dict(sorted(figures.payments.items())),
    }
