"""The audit's report as text: a short table per store, then the differences."""

from collections.abc import Iterator
from decimal import Decimal

from babel.numbers import format_currency, format_decimal, get_currency_precision

from backoffice.audit.findings import AuditReport, StoreReport, Waiting

MOST_SHOWN = 50
LOCALE = "en_GB"


def lines_of(report: AuditReport) -> Iterator[str]:
    for store in report.stores:
        yield from _table(store)
        yield ""
    if report.waiting.batches:
        yield waiting_in_words(report.waiting)
        yield ""
    if report.detached:
        months = ", ".join(f"{month:%Y-%m}" for month in report.detached)
        yield f"Detached, and not in these figures: {months}."
        yield ""
    if not report.difference_count:
        yield "The books agree with what the tills sent."
        return
    for difference in report.differences[:MOST_SHOWN]:
        yield f"{difference.store or '-'}: {difference.where}: {difference.what}"
        yield f"    expected: {difference.expected}"
        yield f"    found:    {difference.found}"
    if (unlisted := report.difference_count - MOST_SHOWN) > 0:
        yield f"... and {unlisted} more."
    yield f"The books do not agree with what the tills sent: {_count(report.difference_count, 'difference')}."


def waiting_in_words(waiting: Waiting) -> str:
    """A sentence about what is not in the figures yet."""
    failed = f" ({waiting.failed} of them failed)" if waiting.failed else ""
    verb = "waits" if waiting.batches == 1 else "wait"
    return (
        f"{_count(waiting.batches, 'batch', 'batches')} {verb}{failed}, "
        f"{_count(waiting.orders, 'order')} in all; none of that is in these figures."
    )


def money_text(amount: int, currency: str) -> str:
    """Minor units as an amount of their currency."""
    return format_currency(Decimal(amount).scaleb(-get_currency_precision(currency)), currency, locale=LOCALE)


def _table(store: StoreReport) -> list[str]:
    figures, currency = store.figures, store.currency
    rows = [("orders", format_decimal(figures.orders, locale=LOCALE))]
    sums = {"sales": figures.sales, "refunds": figures.refunds, "tax": figures.tax, "tips": figures.tips}
    rows += [(name, money_text(amount, currency)) for name, amount in sums.items()]
    rows += [(f"by {method}", money_text(amount, currency)) for method, amount in sorted(figures.payments.items())]
    labels, amounts = (max(map(len, column)) for column in zip(*rows, strict=True))
    return [
        f"{store.code}  {store.name} ({currency})",
        *(f"  {label:<{labels}}  {amount:>{amounts}}" for label, amount in rows),
    ]


def _count(number: int, one: str, many: str = "") -> str:
    return f"{format_decimal(number, locale=LOCALE)} {one if number == 1 else many or one + 's'}"
