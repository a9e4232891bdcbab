"""The command palette: exact look-ups of what people have in their hands, and the pages of the menu.

An order by its number, a shift by its number, a store by its code, a terminal by its name, and anything by its UUID. Never
a search through a table: each look-up is one statement by an index, of what the reader may see, and few are shown.
"""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from unfold.dataclasses import SearchResult

from backoffice.books.models import Decision
from backoffice.books.verb_words import VERB_WORDS
from backoffice.fleet.models import Store, Terminal
from backoffice.inbox.models import Batch
from backoffice.languages.formats import money
from backoffice.languages.moments import written_day
from backoffice.review.cells import page_url
from backoffice.review.order_lookup import MAX_NUMBER
from backoffice.review.scope import rows_of
from backoffice.review.unfold import navigation
from backoffice.review.words import SHIFT_STATES
from backoffice.sales.models import HeldItem, Identity, Order, Shift

OF_A_KIND = 10
"""So many of each kind are shown: a number is used by every till sooner or later, and the newest are looked for."""
# Of which as many may belong to stores of others.
LOOKED_AT = 200
PAGES_SHOWN = 8
MOST_CHARACTERS = 100
MOST_DIGITS = 18


def find(request: HttpRequest, term: str) -> list[SearchResult]:
    """What a term names, of what the reader may see; the pages of the menu with it in their titles come last.

    `PAR1 1001` is the order or shift 1001 of the store PAR1.
    """
    words = term.strip()[:MOST_CHARACTERS].replace("\0", "").split()
    if not words:
        return []
    text = " ".join(words)
    found: list[SearchResult] = []
    uuid, number = _uuid(text), _number(words[-1])
    if uuid is not None:
        found += _by_uuid(request, uuid)
    else:
        found += _stores(request, text)
        found += _terminals(request, text)
        store = _store_named(request, words[0]) if len(words) > 1 else None
        is_shift = len(words) > 1 and store is None and words[0].casefold() == str(_("shift")).casefold()
        if number is not None and (len(words) == 1 or store is not None or is_shift):
            found += _by_number(request, number, store=store, shifts_alone=is_shift)
    return found + list(_pages(request, text))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _number(text: str) -> int | None:
    """`1001` or `1001*`."""
    digits = text.rstrip("*")
    if not digits.isdecimal() or len(digits) > MOST_DIGITS:
        return None
    return min(int(digits), MAX_NUMBER)


def _stores(request: HttpRequest, code: str) -> list[SearchResult]:
    return [
        _result(row, row.name, _("Store %(code)s") % {"code": row.code}, "storefront")
        for row in rows_of(request, Store).filter(code__in={code, code.upper()})
    ]


def _store_named(request: HttpRequest, code: str) -> Store | None:
    return rows_of(request, Store).filter(code__in={code, code.upper()}).first()


def _terminals(request: HttpRequest, name: str) -> list[SearchResult]:
    rows = rows_of(request, Terminal).filter(name__iexact=name).select_related("store")
    return [_result(row, row.name, row.store.name, "point_of_sale") for row in rows.order_by("pk")[:OF_A_KIND]]


def _by_number(request: HttpRequest, number: int, *, store: Store | None, shifts_alone: bool) -> list[SearchResult]:
    """Orders, what is held, and shifts of this number: through the indexes that begin with the terminal."""
    # With every terminal named, this is a handful of look-ups in each index.
    of_store = {} if store is None else {"store": store}
    terminals = list(Terminal.objects.filter(**of_store).order_by().values_list("pk", flat=True))
    shifts = rows_of(request, Shift).filter(terminal__in=terminals, number=number)
    found = [] if shifts_alone else _orders(request, Identity.objects.filter(terminal_id__in=terminals, number=number))
    if not shifts_alone:
        held = rows_of(request, HeldItem).filter(terminal__in=terminals, number=number, decision_id__isnull=True)
        found += _each(held.select_related("terminal", "store").order_by("-pk"), _held)
    return found + _each(shifts.select_related("terminal", "store").order_by("-opened_at"), _shift)


def _by_uuid(request: HttpRequest, uuid: UUID) -> list[SearchResult]:
    found = _orders(request, Identity.objects.filter(item_id=uuid, version=0))
    held = rows_of(request, HeldItem).filter(item_id=uuid, decision_id__isnull=True)
    found += _each(held.select_related("terminal", "store"), _held)
    found += _each(rows_of(request, Shift).filter(pk=uuid).select_related("terminal", "store"), _shift)
    found += _each(rows_of(request, Terminal).filter(uuid=uuid).select_related("store"), _terminal)
    found += _each(rows_of(request, Batch).filter(pk=uuid).defer("body", "results", "movement_results"), _batch)
    return found + _each(rows_of(request, Decision).filter(pk=uuid), _decision)


def _orders(request: HttpRequest, identities: QuerySet[Identity]) -> list[SearchResult]:
    """The posted orders of these identities: their keys first, so that only their months are read."""
    keys = list(identities.order_by("-row_id").values_list("row_id", "business_date")[:LOOKED_AT])
    if not keys:
        return []
    rows = rows_of(request, Order).filter(
        pk__in={key for key, _day in keys}, business_date__in={day for _key, day in keys}
    )
    return _each(rows.select_related("terminal", "store").order_by("-pk"), _order)


def _each(rows: QuerySet[Any], described: Callable[[Any], SearchResult]) -> list[SearchResult]:
    return [described(row) for row in rows[:OF_A_KIND]]


def _order(row: Order) -> SearchResult:
    where = f"{row.store.name}, {row.terminal.name}, {written_day(row.business_date)}, {money(row.total, row.currency)}"
    return _result(row, _("Order %(number)s") % {"number": row}, where, "receipt_long")


def _held(row: HeldItem) -> SearchResult:
    what = _("Held: cash movement") if row.what == "movement" else _("Held: order %(number)s") % {"number": row.number}
    return _result(row, what, f"{row.store.name}, {row.terminal.name}", "front_hand")


def _shift(row: Shift) -> SearchResult:
    where = f"{row.store.name}, {row.terminal.name}, {written_day(row.business_date)}, {SHIFT_STATES[row.state].text}"
    return _result(row, _("Shift %(number)s") % {"number": row.number}, where, "schedule")


def _terminal(row: Terminal) -> SearchResult:
    return _result(row, row.name, row.store.name, "point_of_sale")


def _batch(row: Batch) -> SearchResult:
    return _result(row, _("Upload"), str(row.pk), "cloud_upload")


def _decision(row: Decision) -> SearchResult:
    return _result(row, str(VERB_WORDS[row.verb]), _("Decision"), "gavel")


def _result(row: Model, title: str, description: str, icon: str) -> SearchResult:
    return SearchResult(title=title, description=description, link=page_url(row), icon=icon)


def _pages(request: HttpRequest, text: str) -> Iterator[SearchResult]:
    """Pages of the menu; what a till or a person named is never among them, so it costs no statement."""
    wanted, shown = text.casefold(), 0
    for group in navigation(request):
        for item in group["items"]:
            if wanted in str(item["title"]).casefold() and shown < PAGES_SHOWN:
                shown += 1
                yield SearchResult(
                    title=str(item["title"]), description=str(group["title"]), link=item["link"], icon=item["icon"]
                )
