"""Cash: what was over or short in drawers, and what has not been brought to the bank."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.utils import dateformat
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from backoffice.books.deposits import OpenDeposit, open_deposits
from backoffice.books.evidence.balance import AccountMoved, accounts_moved
from backoffice.books.reports.figures import stores_of
from backoffice.books.reports.sales import to_account
from backoffice.books.reports.shape import (
    DAY,
    STORE,
    Column,
    LeadsTo,
    ReportRow,
    Scope,
    Sheet,
    make_sheet,
    of_store,
    shops,
)
from backoffice.domain.accounts import DRAWER, OVER_SHORT, SAFE, TO_THE_BANK
from backoffice.fleet.models import Store, Terminal
from backoffice.languages.texts import Words
from backoffice.sales.models import Shift

MOST_SHIFTS = 5_000

SHIFTS = (
    STORE,
    DAY,
    Column("terminal", _("Terminal")),
    Column("cashier", _("Cashier")),
    Column("shift", _("Shift"), "number"),
    Column("expected", _("Expected"), "money"),
    Column("counted", _("Counted"), "money"),
    Column("over_short", _("Over or short"), "money"),
)
TOTALS = (
    Column("shifts", _("Shifts counted"), "count"),
    Column("over", _("Over"), "money"),
    Column("short", _("Short"), "money"),
    Column("over_short", _("Together"), "money"),
)
IN_LEDGER = (
    STORE,
    Column("of_shifts", _("Of shifts"), "money"),
    Column("in_ledger", _("Posted to 6900"), "money"),
    Column("difference", _("Other"), "money"),
)
TITLES: Mapping[str, Words] = {
    "store": _("By store"),
    "terminal": _("By terminal"),
    "cashier": _("By cashier"),
}
OTHER = _("Other is what opening floats and counts of the safe were over or short, and what was posted on other days.")
NOT_BANKED = (
    STORE,
    Column("drawers", _("In drawers"), "money"),
    Column("safe", _("In the safe"), "money"),
    Column("on_its_way", _("On its way to the bank"), "money"),
    Column("not_banked", _("Not banked"), "money"),
    Column("banked_on", _("Last taken to the bank"), "day"),
)
DEPOSITS = (
    STORE,
    Column("slip", _("Slip")),
    Column("since", _("On its way since"), "day"),
    Column("days", _("Days"), "number"),
    Column("amount", _("Deposit"), "money"),
    Column("on_its_way", _("On its way to the bank"), "money"),
)
NOT_IN_THE_BANK = _("What was taken to the bank, and what nobody has said since that the bank received.")
SAFE_DAYS = (
    STORE,
    DAY,
    Column("in", _("Into the safe"), "money"),
    Column("out", _("Out of the safe"), "money"),
    Column("banked", _("Of it to the bank"), "money"),
    Column("left", _("Left in the safe"), "balance"),
)


def over_short_report(scope: Scope) -> Iterator[Sheet]:
    """Over and short of counted shifts: by store, terminal and cashier, each shift that differs, and the ledger's account."""
    shifts, stores = _counted(scope), shops()
    terminals = dict(Terminal.objects.values_list("pk", "name"))
    names = {
        "store": (STORE,),
        "terminal": (STORE, Column("terminal", _("Terminal"))),
        "cashier": (STORE, Column("cashier", _("Cashier"))),
    }
    fields = {"store": (), "terminal": ("terminal_id",), "cashier": ("cashier",)}
    moved = accounts_moved(
        store=scope.store, among=scope.among, accounts=[OVER_SHORT], since=scope.first, at=scope.last
    )
    found = {name: _totals(shifts, *fields[name]) for name in names}
    for currency in sorted({row["currency"] for row in found["store"]} | {row.currency for row in moved}):
        for name, columns in names.items():
            rows = [
                ReportRow(
                    of_store(stores[row["store_id"]])
                    | {"terminal": terminals.get(row.get("terminal_id", 0)), "cashier": row.get("cashier")}
                    | {column.key: row[column.key] or 0 for column in TOTALS},
                    _to_cashier(scope, row),
                )
                for row in found[name]
                if row["currency"] == currency
            ]
            yield make_sheet(TITLES[name], currency, (*columns, *TOTALS), rows)
        if scope.by_day:
            rows = _shifts(shifts, currency, stores, terminals)
            yield make_sheet(_("Shifts that were over or short"), currency, SHIFTS, rows)
        of_shifts = {row["store_id"]: row["over_short"] or 0 for row in found["store"] if row["currency"] == currency}
        yield make_sheet(
            _("Beside the ledger"), currency, IN_LEDGER, _in_ledger(scope, currency, of_shifts, moved, stores), OTHER
        )


def over_short_by_day(scope: Scope) -> dict[str, dict[int, dict[date, int]]]:
    """What counted shifts were over or short, in minor units, by currency, store and business day. One statement."""
    found: dict[str, dict[int, dict[date, int]]] = {}
    days = _counted(scope).order_by().values_list("currency", "store_id", "business_date")
    for currency, store_id, day, over_short in days.annotate(Sum("over_short")):
        found.setdefault(currency, {}).setdefault(store_id, {})[day] = int(over_short)
    return found


def _to_cashier(scope: Scope, row: Mapping[str, Any]) -> dict[str, LeadsTo]:
    """A cashier leads to their shifts, up to the last of these days."""
    if not row.get("cashier"):
        return {}
    query = {"store": str(row["store_id"]), "cashier": row["cashier"], "last": str(scope.last)}
    return {"cashier": LeadsTo("cashier", query)}


def _counted(scope: Scope) -> QuerySet[Shift]:
    days = (scope.first, scope.last)
    return Shift.objects.filter(store_id__in=stores_of(scope), business_date__range=days, over_short__isnull=False)


def _totals(shifts: QuerySet[Shift], *fields: str) -> list[dict[str, Any]]:
    over, short = Sum("over_short", filter=Q(over_short__gt=0)), Sum("over_short", filter=Q(over_short__lt=0))
    grouped = shifts.order_by().values("currency", "store_id", *fields)
    totals = grouped.annotate(shifts=Count("pk"), over=over, short=short)
    return [
        dict(row, over_short=(row["over"] or 0) + (row["short"] or 0))
        for row in totals.order_by("currency", "store_id", *fields)
    ]


def _shifts(
    shifts: QuerySet[Shift], currency: str, stores: dict[int, Store], terminals: dict[int, str]
) -> list[ReportRow]:
    differing = (
        shifts.filter(currency=currency).exclude(over_short=0).order_by("store_id", "business_date", "opened_at")
    )
    rows = []
    for shift in differing[:MOST_SHIFTS]:
        over_short, expected = shift.over_short or 0, shift.expected_cash or 0
        cells = {"day": shift.business_date, "terminal": terminals[shift.terminal_id], "cashier": shift.cashier}
        cells |= {
            "shift": shift.number,
            "expected": expected,
            "counted": expected + over_short,
            "over_short": over_short,
        }
        rows.append(
            ReportRow(
                of_store(stores[shift.store_id]) | cells, {"shift": LeadsTo("shift", {"shift_id": str(shift.pk)})}
            )
        )
    return rows


def _in_ledger(
    scope: Scope, currency: str, of_shifts: dict[int, int], moved: list[AccountMoved], stores: dict[int, Store]
) -> list[ReportRow]:
    posted = {row.store_id: row.credit - row.debit for row in moved if row.currency == currency}
    rows = []
    for key in sorted({*of_shifts, *posted}):
        own, booked = of_shifts.get(key, 0), posted.get(key, 0)
        cells = of_store(stores[key]) | {"of_shifts": own, "in_ledger": booked, "difference": booked - own}
        rows.append(ReportRow(cells, {"in_ledger": to_account(scope, key, OVER_SHORT)}))
    return rows


def not_banked_report(scope: Scope) -> Iterator[Sheet]:
    """Cash that is not in the bank at the end of the last day, and how each day moved the safe."""
    stores, accounts = shops(), [DRAWER, SAFE, TO_THE_BANK]
    before = accounts_moved(store=scope.store, among=scope.among, accounts=accounts, at=scope.first - timedelta(days=1))
    moved = accounts_moved(
        store=scope.store, among=scope.among, accounts=accounts, since=scope.first, at=scope.last, by_day=True
    )
    deposits = open_deposits([scope.store.pk] if scope.store else scope.among, at=scope.last)
    title = gettext("At the end of {day}").format(day=dateformat.format(scope.last, "j M Y"))
    for currency in sorted({row.currency for row in (*before, *moved)}):
        opening = _balances([row for row in before if row.currency == currency])
        days = [row for row in moved if row.currency == currency]
        closing = _balances(days, opening)
        ids = sorted({store_id for store_id, _ in closing})
        rows = [_standing(scope, stores[key], closing, days) for key in ids]
        yield make_sheet(title, currency, NOT_BANKED, rows)
        if waiting := [_deposit(scope, stores, each) for each in deposits if each.currency == currency]:
            yield make_sheet(_("Deposits on their way"), currency, DEPOSITS, waiting, NOT_IN_THE_BANK)
        if scope.by_day:
            rows = [row for key in ids for row in _safe_days(stores[key], opening.get((key, SAFE), 0), days)]
            yield make_sheet(_("The safe, day by day"), currency, SAFE_DAYS, rows)


def _balances(
    rows: list[AccountMoved], opening: dict[tuple[int, str], int] | None = None
) -> dict[tuple[int, str], int]:
    """Debits less credits by store and account."""
    balances = dict(opening or {})
    for row in rows:
        key = row.store_id, row.account
        balances[key] = balances.get(key, 0) + row.debit - row.credit
    return balances


def _standing(scope: Scope, store: Store, closing: dict[tuple[int, str], int], days: list[AccountMoved]) -> ReportRow:
    amounts = {
        key: closing.get((store.pk, account), 0)
        for key, account in (("drawers", DRAWER), ("safe", SAFE), ("on_its_way", TO_THE_BANK))
    }
    banked = [
        row.business_date for row in days if row.store_id == store.pk and row.account == TO_THE_BANK and row.debit
    ]
    cells: dict[str, Any] = of_store(store) | amounts
    cells |= {"not_banked": sum(amounts.values()), "banked_on": max((day for day in banked if day), default=None)}
    leads = {"drawers": DRAWER, "safe": SAFE, "on_its_way": TO_THE_BANK}
    return ReportRow(cells, {key: to_account(scope, store.pk, account) for key, account in leads.items()})


def _deposit(scope: Scope, stores: dict[int, Store], deposit: OpenDeposit) -> ReportRow:
    cells: dict[str, Any] = of_store(stores[deposit.store_id])
    cells |= {"slip": deposit.slip, "since": deposit.day, "days": (scope.last - deposit.day).days}
    cells |= {"amount": deposit.amount, "on_its_way": deposit.on_its_way}
    return ReportRow(cells, {"on_its_way": to_account(scope, deposit.store_id, TO_THE_BANK)})


def _safe_days(store: Store, opening: int, rows: list[AccountMoved]) -> Iterator[ReportRow]:
    mine = [row for row in rows if row.store_id == store.pk and row.business_date is not None]
    banked = {row.business_date: row.debit for row in mine if row.account == TO_THE_BANK}
    left = opening
    for row in sorted((row for row in mine if row.account == SAFE), key=lambda row: row.business_date or date.min):
        left += row.debit - row.credit
        cells = {
            "day": row.business_date,
            "in": row.debit,
            "out": row.credit,
            "banked": banked.get(row.business_date, 0),
            "left": left,
        }
        query = {"store": str(store.pk), "day": str(row.business_date), "account": SAFE}
        yield ReportRow(of_store(store) | cells, {key: LeadsTo("journal", query) for key in ("in", "out")})
