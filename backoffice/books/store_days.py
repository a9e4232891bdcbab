"""Store days: all shifts of a store and business date, what they wait for, and what they come to (docs/store-days.md).

Nothing is stored of a day: it is read from its shifts whenever somebody asks.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from itertools import chain
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.db import connection
from django.db.models import Count, F, Sum

from backoffice.books.deposits import open_deposits
from backoffice.books.evidence.balance import accounts_moved
from backoffice.books.exports.sent import SentDay, sent_of_days
from backoffice.domain.accounts import SAFE, TO_THE_BANK
from backoffice.domain.states import ShiftState, StoreDayState
from backoffice.domain.store_days import (
    WAITS_FOR,
    DayExport,
    DayRules,
    ShiftOfDay,
    is_outstanding,
    store_day_state,
)
from backoffice.fleet.models import Store
from backoffice.inbox.models import Batch
from backoffice.ingestion.figures import ShiftFigures, explained_numbers, shift_figures
from backoffice.ingestion.reconcile import counted_cash
from backoffice.sales.models import HeldItem, Order, Shift

DayKey = tuple[int, date]
"""A store's id and a business date."""


class DayShift(msgspec.Struct, frozen=True):
    """One shift of a day. Amounts are in minor units; `over_short` is None while its drawer is not counted."""

    shift_id: UUID
    terminal: str
    number: int
    cashier: str
    state: str
    currency: str
    z_number: int | None
    z_revision: int | None
    order_count: int
    sales: int
    refunds: int
    net: int
    tax: int
    tips: int
    rounding: int
    payments: dict[str, int]
    over_short: int | None
    held: int
    missing_numbers: list[list[int]]
    missing_batches: int
    explained_numbers: list[list[int]]


class StoreDay(msgspec.Struct, frozen=True):
    """One store day, as the command prints it. Amounts are in minor units of the store's currency.

    `late_tills` names the tills of shifts that are open, or wait for what they declared. `not_banked` is the store's cash
    at the end of the day as the books have it today: `safe`, and `on_its_way` to the bank; `deposits` are the slips of that
    which the bank has not got, the oldest first, each with the date on which it was brought. `sums` are over `shifts`, by
    currency: one as a rule.
    """

    store: str
    name: str
    date: date
    currency: str
    state: str
    waits_for: str
    exported: str
    late_tills: list[str]
    held: int
    gaps: list[dict[str, Any]]
    over_short: int
    uncounted: int
    not_banked: dict[str, int]
    deposits: list[dict[str, Any]]
    sums: list[dict[str, Any]]
    shifts: list[DayShift]


def exports_of_days(keys: Collection[DayKey]) -> dict[DayKey, DayExport]:
    """What was exported of these store days. Of several profiles one that lacks something is enough. One statement."""
    sent = sent_of_days(keys)
    return {key: export_of(sent.get(key, [])) for key in keys}


def export_of(sent: Sequence[SentDay]) -> DayExport:
    """What was exported of a day, from what each profile was sent of it."""
    if not sent:
        return DayExport.NOTHING
    return DayExport.CHANGED_SINCE if any(each.has_news for each in sent) else DayExport.EVERYTHING


def read_store_day(store: Store, day: date) -> StoreDay:
    """The day as it stands now. A day without a shift has none, and is collecting."""
    rows = list(
        Shift.objects.filter(store=store, business_date=day).select_related("terminal").order_by("opened_at", "pk")
    )
    held = held_by_shift([row.pk for row in rows])
    shifts = [_read_shift(row, held=held.get(row.pk, 0)) for row in rows]
    key = (store.pk, day)
    exports = exports_of_days([key])
    state = states_of_days({key: rows}, stores={store.pk: store}, exports=exports)[key] if rows else store_day_state([])
    return StoreDay(
        store=store.code,
        name=store.name,
        date=day,
        currency=store.currency,
        state=state.value,
        waits_for=WAITS_FOR[state],
        exported=exports[key].value,
        late_tills=sorted({row.terminal for row in shifts if is_outstanding(ShiftState(row.state))}),
        held=sum(row.held for row in shifts),
        gaps=[_gap(row) for row in shifts if row.missing_numbers or row.missing_batches or row.explained_numbers],
        over_short=sum(row.over_short or 0 for row in shifts),
        uncounted=sum(row.over_short is None for row in shifts),
        not_banked=_not_banked(store, day),
        deposits=[
            {"slip": each.slip, "date": each.day, "amount": each.amount, "on_its_way": each.on_its_way}
            for each in open_deposits([store.pk], at=day)
            if each.currency == store.currency
        ],
        sums=_sums_by_currency(shifts),
        shifts=shifts,
    )


def states_of_days(
    days: Mapping[DayKey, Sequence[Shift]], *, stores: Mapping[int, Store], exports: Mapping[DayKey, DayExport]
) -> dict[DayKey, StoreDayState]:
    """The state of each store day, of which these are all shifts. One statement at most."""
    rows = chain.from_iterable(days.values())
    flagged = _flagged([row for row in rows if stores[row.store_id].flags_need_a_person])
    return {
        key: store_day_state(
            [_of_day(row, is_flagged=row.pk in flagged) for row in found],
            rules=_rules(stores[key[0]]),
            exported=exports[key],
        )
        for key, found in days.items()
    }


def held_by_shift(shift_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many orders and cash movements of each shift are held, those of failed batches among them. Two statements."""
    held: dict[UUID, int] = defaultdict(int)
    undecided = HeldItem.objects.filter(shift_id__in=shift_ids, decision_id__isnull=True)
    for shift_id, count in undecided.order_by().values_list("shift_id").annotate(Count("id")):
        held[shift_id] += count
    failed = Batch.objects.filter(shift_id__in=shift_ids, state="failed").order_by().values_list("shift_id")
    for shift_id, count in failed.annotate(count=Sum(F("order_count") + F("movement_count"))):
        held[shift_id] += count
    return dict(held)


def _rules(store: Store) -> DayRules:
    return DayRules(store.approves_by_itself, store.flags_need_a_person)


def _of_day(row: Shift, *, is_flagged: bool) -> ShiftOfDay:
    is_counted = counted_cash(row) is not None
    return ShiftOfDay(
        ShiftState(row.state), row.over_short if is_counted else None, row.max_over_short, is_flagged or bool(row.flags)
    )


def _flagged(rows: Sequence[Shift]) -> set[UUID]:
    if not rows:
        return set()
    orders = Order.objects.filter(
        shift_id__in=[row.pk for row in rows], business_date__in={row.business_date for row in rows}
    )
    return set(orders.filter(flags__isnull=False).order_by().values_list("shift_id", flat=True).distinct())


class _Standing(NamedTuple):
    """The figures of a shift: as it was settled, or of this moment where it is open or waits."""

    computed: dict[str, Any]
    missing_numbers: list[list[int]]
    missing_batches: int
    explained_numbers: list[list[int]]


def _standing(row: Shift) -> _Standing:
    with connection.cursor() as cursor:
        explained = [list(ends) for ends in explained_numbers(cursor, row)]
        if row.computed is not None and not is_outstanding(ShiftState(row.state)):
            return _Standing(row.computed, [], 0, explained)
        figures: ShiftFigures = shift_figures(cursor, row)
    missing = [list(ends) for ends in figures.missing_numbers]
    return _Standing(msgspec.to_builtins(figures.computed), missing, len(figures.missing_batches), explained)


def _read_shift(row: Shift, *, held: int) -> DayShift:
    standing = _standing(row)
    said = standing.computed
    return DayShift(
        shift_id=row.pk,
        terminal=row.terminal.name,
        number=row.number,
        cashier=row.cashier,
        state=row.state,
        currency=row.currency,
        z_number=row.z_number,
        z_revision=row.z_revision,
        net=said["sales"] + said["refunds"],
        over_short=None if counted_cash(row) is None else row.over_short,
        held=held,
        missing_numbers=standing.missing_numbers,
        missing_batches=standing.missing_batches,
        explained_numbers=standing.explained_numbers,
        **said,
    )


def _gap(row: DayShift) -> dict[str, Any]:
    return {
        "shift_id": str(row.shift_id),
        "terminal": row.terminal,
        "missing_numbers": row.missing_numbers,
        "missing_batches": row.missing_batches,
        "explained_numbers": row.explained_numbers,
    }


def _not_banked(store: Store, day: date) -> dict[str, int]:
    moved = accounts_moved(store=store, accounts=[SAFE, TO_THE_BANK], at=day)
    balances = {row.account: row.debit - row.credit for row in moved if row.currency == store.currency}
    return {"safe": balances.get(SAFE, 0), "on_its_way": balances.get(TO_THE_BANK, 0)}


def _sums_by_currency(shifts: Sequence[DayShift]) -> list[dict[str, Any]]:
    sums = []
    for currency in sorted({row.currency for row in shifts}):
        rows = [row for row in shifts if row.currency == currency]
        names = ("order_count", "sales", "refunds", "net", "tax", "tips", "rounding")
        payments: dict[str, int] = defaultdict(int)
        for row in rows:
            for method, amount in row.payments.items():
                payments[method] += amount
        figures = {name: sum(getattr(row, name) for row in rows) for name in names}
        sums.append({"currency": currency, **figures, "payments": dict(sorted(payments.items()))})
    return sums
