"""What the file of a till that died holds, before anybody decides about it: order by order, and which are known already."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.db import connection
from django.db.models import QuerySet

from backoffice.books.caches import KeptCache, KeptShift, NotTaken, count_cache, import_decisions, open_cache
from backoffice.books.models import CacheFile, Decision
from backoffice.domain.orders import Order, Unreadable
from backoffice.domain.wire.messages import read_open_shift
from backoffice.fleet.models import Credential
from backoffice.postgres.arrays import uuid_array
from backoffice.review.decisions import with_reasons
from backoffice.review.words import IN_A_FILE, Label
from backoffice.sales.models import Shift

ORDERS_SHOWN = 500
# A file may have more orders than a statement has parameters: their identifiers are one.
SELECT_KNOWN_ITEMS = "SELECT item_id FROM sales_identity WHERE item_id = ANY(%s::uuid[]) AND version = 0"
SELECT_HELD_ITEMS = "SELECT item_id FROM sales_helditem WHERE item_id = ANY(%s::uuid[]) AND decision_id IS NULL"


class FileOrder(NamedTuple):
    """One order of a file; of what cannot be read, nothing but that."""

    standing: Label
    shift: str
    item_id: UUID | None
    number: int | None = None
    mode: str = ""
    closed_at: datetime | None = None
    total: int | None = None


class FileContent(NamedTuple):
    """A file: `counts` as `count_cache` has them, `standings` how many of its orders stand how. `unshown` are left out.

    One that `is_too_large` is not opened: its `counts` are those of when it was asked for, empty where it never was.
    """

    counts: Mapping[str, Any]
    standings: list[tuple[Label, int]]
    orders: list[FileOrder]
    unshown: int
    refused: list[NotTaken]
    revoked_at: datetime | None
    is_too_large: bool = False


def read_content(file: CacheFile, *, most_unpacked: int) -> FileContent:
    """What a file holds. A few statements, however much that is; of more than `most_unpacked` bytes no more than counts."""
    kept = open_cache(file, most_unpacked=most_unpacked)
    content = _counts_only(file) if kept is None else _whole(kept)
    credential = Credential.objects.filter(terminal=file.terminal, cache_key=bytes(file.signed_with)).first()
    return content._replace(revoked_at=None if credential is None else credential.revoked_at)


def _counts_only(file: CacheFile) -> FileContent:
    asked = _decisions_about(file).order_by("-asked_at").first()
    before = {} if asked is None else asked.before
    refused = msgspec.convert(before.get("refused", []), list[NotTaken])
    return FileContent(before, [], [], 0, refused, None, is_too_large=True)


def _whole(kept: KeptCache) -> FileContent:
    names = _names_of(kept.content.shifts)
    orders: list[FileOrder] = []
    counts = count_cache(
        kept.content, seen=lambda shift, order: orders.append(_file_order(order, names[shift.shift_id]))
    )
    known, held = known_items([order.item_id for order in orders if order.item_id is not None])
    orders = [order._replace(standing=_standing(order, known, held)) for order in orders]
    counted = [(word, sum(order.standing is word for order in orders)) for word in IN_A_FILE.values()]
    return FileContent(
        counts=counts,
        standings=[(word, count) for word, count in counted if count],
        orders=orders[:ORDERS_SHOWN],
        unshown=len(orders[ORDERS_SHOWN:]),
        refused=kept.content.refused,
        revoked_at=None,
    )


def _decisions_about(file: CacheFile) -> QuerySet[Decision]:
    return import_decisions(file.terminal).filter(arguments__file=str(file.pk))


def last_asked(file: CacheFile) -> Any:
    """The newest request or decision about a file that nobody declined or withdrew; None where it may be asked for."""
    standing = (
        _decisions_about(file)
        .exclude(answer__answer__in=["declined", "withdrawn"])
        .select_related("person", "store", "answer__person")
    )
    return next(iter(with_reasons(standing.order_by("-asked_at")[:1])), None)


def _file_order(order: Order | Unreadable, shift: str) -> FileOrder:
    if isinstance(order, Order):
        return FileOrder(
            IN_A_FILE["new"], shift, order.order_id, order.number, order.mode, order.closed_at, order.total
        )
    return FileOrder(IN_A_FILE["unreadable"], shift, None, order.number)


def _names_of(shifts: Sequence[KeptShift]) -> dict[UUID, str]:
    """The numbers by which people call shifts: as they are known here, or as their openings in the file say."""
    said = {
        shift.shift_id: "–" if shift.opening is None else str(read_open_shift(shift.opening.encode()).number)
        for shift in shifts
    }
    known = Shift.objects.filter(pk__in=said).values_list("pk", "number")
    return said | {shift_id: str(number) for shift_id, number in known}


def known_items(ids: Sequence[UUID]) -> tuple[frozenset[UUID], frozenset[UUID]]:
    """Those that came before, and of these the ones that are held. Two statements."""
    wanted = uuid_array(ids)
    with connection.cursor() as cursor:
        cursor.execute(SELECT_KNOWN_ITEMS, [wanted])
        known = frozenset(item_id for (item_id,) in cursor.fetchall())
        cursor.execute(SELECT_HELD_ITEMS, [wanted])
        return known, frozenset(item_id for (item_id,) in cursor.fetchall())


def _standing(order: FileOrder, known: frozenset[UUID], held: frozenset[UUID]) -> Label:
    if order.item_id is None:
        return order.standing
    if order.item_id in held:
        return IN_A_FILE["held"]
    return IN_A_FILE["known" if order.item_id in known else "new"]
