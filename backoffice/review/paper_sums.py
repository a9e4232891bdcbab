"""What a receipt comes to while it is typed, whether it adds up, and what it then does to the books."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from backoffice.domain.orders import Order
from backoffice.domain.posting import post_order
from backoffice.domain.wire.members import read_order
from backoffice.languages.formats import money
from backoffice.ledger.models import Account, PaymentAccount
from backoffice.review.effects import EffectRow, figures_if_posted
from backoffice.sales.models import Shift


class SumRow(NamedTuple):
    """A figure that was worked out, in minor units."""

    name: str
    amount: int


class SumCheck(NamedTuple):
    """Whether two figures agree, in words. `is_right` is None where one of them is not typed yet."""

    is_right: bool | None
    words: str


class PostedLine(NamedTuple):
    """A line of the entry that would be posted, in minor units."""

    account: Account
    tax_code: str
    debit: int
    credit: int


class PaperSums(NamedTuple):
    """`effects` and `entry` are empty until all of it is typed and adds up."""

    currency: str
    rows: list[SumRow]
    checks: list[SumCheck]
    effects: list[EffectRow]
    entry: list[PostedLine]


def paper_sums(shift: Shift, typed: Mapping[str, Any], *, whole: bytes | None) -> PaperSums:
    """The sums of what is typed so far: lines and payments as the wire has them, `total` None where it is not typed.

    `whole` is all of the order, None while something is lacking.
    """
    taxes = [tax for line in typed["lines"] for tax in line["taxes"]]
    on_top = 0 if shift.prices_include_tax else sum(tax["amount"] for tax in taxes)
    of_lines = sum(line["amount"] for line in typed["lines"])
    rows = [SumRow(_("The lines"), of_lines)]
    by_code: dict[str, int] = {}
    for tax in taxes:
        by_code[tax["code"]] = by_code.get(tax["code"], 0) + tax["amount"]
    words = _("Tax %(code)s in it") if shift.prices_include_tax else _("Tax %(code)s")
    rows += [SumRow(words % {"code": code}, amount) for code, amount in by_code.items()]
    comes_to = of_lines + on_top + typed["rounding"]
    checks = [_total_check(typed["total"], comes_to, shift.currency), _payments_check(typed, shift.currency)]
    complete = whole if all(check.is_right for check in checks) else None
    return PaperSums(
        currency=shift.currency,
        rows=[*rows, SumRow(_("It comes to"), comes_to)],
        checks=checks,
        effects=[] if complete is None else figures_if_posted(shift, complete, what="order"),
        entry=[] if complete is None else _entry(shift, complete),
    )


def _total_check(total: int | None, comes_to: int, currency: str) -> SumCheck:
    if total is None:
        return SumCheck(is_right=None, words=_("The total of the receipt is not typed yet."))
    if total == comes_to:
        return SumCheck(is_right=True, words=_("The lines come to the total."))
    said = {"lines": money(comes_to, currency), "total": money(total, currency)}
    said["difference"] = money(abs(total - comes_to), currency)
    return SumCheck(
        is_right=False,
        words=_("The receipt says %(total)s, and the lines come to %(lines)s: %(difference)s apart.") % said,
    )


def _payments_check(typed: Mapping[str, Any], currency: str) -> SumCheck:
    if typed["total"] is None:
        return SumCheck(is_right=None, words="")
    due, paid = typed["total"] + typed["tip"], sum(payment["amount"] for payment in typed["payments"])
    if due == paid:
        return SumCheck(is_right=True, words=_("The payments come to what is due."))
    said = {"due": money(due, currency), "paid": money(paid, currency), "difference": money(abs(due - paid), currency)}
    return SumCheck(
        is_right=False, words=_("%(due)s is due, and the payments come to %(paid)s: %(difference)s apart.") % said
    )


def _entry(shift: Shift, whole: bytes) -> list[PostedLine]:
    """The lines of its journal entry; none of what the rules cannot read."""
    order = read_order(whole)
    if not isinstance(order, Order):
        return []
    methods = dict(PaymentAccount.objects.filter(store=shift.store_id).values_list("method", "account_id"))
    if any(payment.method not in methods for payment in order.payments):
        return []
    lines = post_order(order, prices_include_tax=shift.prices_include_tax, accounts=methods)
    accounts = Account.objects.in_bulk([line.account for line in lines])
    return [PostedLine(accounts[line.account], line.tax_code, line.debit, line.credit) for line in lines]
