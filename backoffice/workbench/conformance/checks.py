"""Checks one member of a batch by the rules of the domain: values, sums, and what an offline order cannot have."""

from collections.abc import Iterable, Mapping

from backoffice.domain import reasons as codes
from backoffice.domain.accounts import PAYMENT_ACCOUNTS
from backoffice.domain.orders import CashMovement, Order, Unreadable
from backoffice.domain.reasons import Reason
from backoffice.domain.rules import Circumstances, Shift, flags, holds, movement_holds
from backoffice.workbench.conformance.books import SETTINGS
from backoffice.workbench.conformance.notes import Notebook
from backoffice.workbench.conformance.rules import rule_of_place

RULE_OF_REASON: Mapping[str, str] = {
    codes.SUMS_DO_NOT_ADD_UP: "sums",
    codes.PAYMENTS_DO_NOT_ADD_UP: "sums",
    codes.UNMAPPED_METHOD: "bounds",
    codes.REFUND_NOT_NEGATIVE: "refund-not-negative",
    codes.ADJUSTMENT_WITH_LINES: "adjusts-alone",
    codes.UNKNOWN_LINE_KIND: "bounds",
    codes.UNKNOWN_TAX_KIND: "bounds",
    codes.LIMIT_EXCEEDED: "bounds",
    codes.TEXT_SHORTENED: "bounds",
    codes.AMOUNT_NOT_POSITIVE: "sums",
    codes.LINE_AMOUNT_MISMATCH: "lines",
    codes.TAX_MISMATCH: "lines",
    codes.CHANGE_MISMATCH: "lines",
    codes.OUTSIDE_SHIFT_HOURS: "hours",
    codes.NUMBER_OUT_OF_RANGE: "first-number",
    codes.CUSTOMER_ON_OFFLINE_ORDER: "offline-customer",
    codes.NETWORK_PRINT_ON_OFFLINE_ORDER: "offline-network",
}
_EVERY_ORDER = ("sums", "lines", "bounds", "hours")
_VALUES = ("money", "decimals", "times", "uuids", "orders-readable")


def check_member(notes: Notebook, member: Order | CashMovement | Unreadable, *, shift: Shift) -> None:
    """Checks one member of a batch against the terms of its shift."""
    if isinstance(member, Unreadable):
        for reason in member.reasons:
            who = f"number {member.number}" if member.number is not None else "a member"
            notes.broke(rule_of_place(reason.pointer, "orders-readable"), f"{who}, {reason.pointer}: {reason.detail}")
        return
    for code in _VALUES:
        notes.kept(code)
    if isinstance(member, CashMovement):
        _tell(notes, movement_holds(member), ("sums",), who=f"cash movement {member.movement_id}")
        return
    found = holds(member, shift=shift, methods=PAYMENT_ACCOUNTS)
    found += flags(member, shift=shift, settings=SETTINGS, circumstances=Circumstances())
    _tell(notes, found, _rules_about(member), who=f"order {member.number}")


def _rules_about(order: Order) -> Iterable[str]:
    """The rules that such an order could break."""
    yield from _EVERY_ORDER
    if order.mode == "offline":
        yield from ("offline-customer", "offline-network")
    if order.kind == "refund" and order.status == "paid":
        yield "refund-not-negative"
    if order.adjusts is not None:
        yield "adjusts-alone"


def _tell(notes: Notebook, found: Iterable[Reason], about: Iterable[str], *, who: str) -> None:
    broken = set()
    for reason in found:
        rule = RULE_OF_REASON.get(reason.code)
        if rule is not None:
            broken.add(rule)
            notes.broke(rule, f"{who}, {reason.pointer}: {reason.detail}")
    for rule in about:
        if rule not in broken:
            notes.kept(rule)
