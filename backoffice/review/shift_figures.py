"""A shift's report as tables: what the till declared beside what is in the books, and the drawer."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from django.utils.translation import gettext, ngettext

from backoffice.domain.reasons import REASONS
from backoffice.domain.wire.answers import ShiftAnswer
from backoffice.languages.formats import number_ranges, whole
from backoffice.languages.texts import in_their_language
from backoffice.review.words import DRAWER_FIGURES, FIGURES, METHODS, named
from backoffice.sales.models import Shift

# Beside the known methods a till may declare names of its own.
METHODS_SHOWN = 100


class FigureRow(NamedTuple):
    """One figure; `declared` and `difference` are None until the till has declared its shift."""

    name: str
    is_count: bool
    is_payment: bool
    declared: int | None
    computed: int
    difference: int | None
    counted: int | None = None


class DrawerRow(NamedTuple):
    """One step from the opening float to the counted cash, in minor units."""

    name: str
    amount: int
    is_sum: bool = False


def counted_by_method(shift: Shift, report: ShiftAnswer) -> dict[str, int]:
    """What was counted of each payment method, in minor units: of cash less the float and what was put in or taken out."""
    counted = dict(shift.recounted_methods or {})
    if report.cash.counted is not None:
        counted["cash"] = report.cash.counted - report.cash.expected + report.computed.payments.get("cash", 0)
    return counted


def figure_rows(report: ShiftAnswer, counted: Mapping[str, int]) -> list[FigureRow]:
    """Every figure, then the payment methods that either side names. `report` as `shift_report` gives it."""
    computed, declared = msgspec.structs.asdict(report.computed), report.declared
    totals = (
        None if declared is None else msgspec.structs.asdict(declared.totals) | {"order_count": declared.order_count}
    )
    rows = [
        _row(
            str(FIGURES[name]), computed[name], None if totals is None else totals[name], is_count=name == "order_count"
        )
        for name in FIGURES
    ]
    paid = {} if totals is None else totals["payments"]
    rows += [
        _row(
            named(METHODS, method),
            computed["payments"].get(method, 0),
            None if totals is None else paid.get(method, 0),
            is_payment=True,
        )._replace(counted=counted.get(method))
        for method in _known_first({*computed["payments"], *paid, *counted})[:METHODS_SHOWN]
    ]
    return rows


def _known_first(methods: set[str]) -> list[str]:
    """The protocol's own in their order, then those that a store or a till named, by name."""
    return [method for method in METHODS if method in methods] + sorted(methods - METHODS.keys())


def _row(
    name: str, computed: int, declared: int | None, *, is_count: bool = False, is_payment: bool = False
) -> FigureRow:
    return FigureRow(name, is_count, is_payment, declared, computed, None if declared is None else declared - computed)


def drawer_rows(shift: Shift, report: ShiftAnswer, movements: Sequence[Any]) -> list[DrawerRow]:
    """From the opening float to the count: the same sum as the report's expected cash, step by step.

    Each of `movements` knows the sums of all, `all_in` and `all_out`.
    """
    cash_in, cash_out = (int(movements[0].all_in), int(movements[0].all_out)) if movements else (0, 0)
    rows = [
        DrawerRow(gettext("Opening float"), shift.opening_float),
        DrawerRow(gettext("Cash payments"), report.computed.payments.get("cash", 0)),
        DrawerRow(gettext("Cash put in"), cash_in),
        DrawerRow(gettext("Cash taken out"), -cash_out),
        DrawerRow(gettext("Expected in the drawer"), report.cash.expected, is_sum=True),
    ]
    if report.cash.counted is not None:
        rows.append(DrawerRow(gettext("Counted"), report.cash.counted))
    return rows


def what_is_wrong(report: ShiftAnswer) -> list[str]:
    """Why the shift does not add up, in one sentence each; empty if it does."""
    sentences = []
    if report.missing_numbers:
        numbers = [(first, last) for first, last in report.missing_numbers]
        count = sum(last - first + 1 for first, last in numbers)
        said = ngettext("Order {numbers} has not arrived.", "Orders {numbers} have not arrived.", count)
        sentences.append(said.format(numbers=number_ranges(numbers)))
    if report.missing_batches:
        count = len(report.missing_batches)
        said = ngettext(
            "{count} upload that the till listed has not arrived or has not been processed.",
            "{count} uploads that the till listed have not arrived or have not been processed.",
            count,
        )
        sentences.append(said.format(count=whole(count)))
    if report.held:
        said = ngettext(
            "{count} order is held and not in these figures.",
            "{count} orders are held and not in these figures.",
            report.held,
        )
        sentences.append(said.format(count=whole(report.held)))
    what = {difference.what for difference in report.differences}
    if what - DRAWER_FIGURES.keys():
        sentences.append(gettext("The till declared other figures than those of the orders that arrived."))
    if "cash.count" in what:
        sentences.append(gettext("The drawer has not been counted yet."))
    if "cash.over_short" in what:
        sentences.append(gettext("The drawer is over or short by more than the store allows."))
    if report.late:
        said = ngettext(
            "{count} order came after the close, in an upload that the till had not listed.",
            "{count} orders came after the close, in an upload that the till had not listed.",
            report.late,
        )
        sentences.append(said.format(count=whole(report.late)))
    return [*sentences, *dict.fromkeys(in_their_language(REASONS[flag.code].title) for flag in report.flags)]
