"""What the file of a till that died holds, before anybody decides about it: order by order, and which are known already."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from backoffice.books.caches import KeptCache, KeptShift, NotTaken, count_cache
from backoffice.books.models import Decision
from backoffice.domain.decisions import Verb
from backoffice.domain.orders import Order
from backoffice.domain.wire.members import read_order
from backoffice.domain.wire.messages import read_open_shift
from backoffice.fleet.models import Credential
from backoffice.review.decisions import with_reasons
from backoffice.review.words import IN_A_FILE, Label
from backoffice.sales.models import HeldItem, Identity, Shift

ORDERS_SHOWN = 500


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
    """A file: `counts` as `count_cache` has them, `standings` how many of its orders stand how. `unshown` are left out."""

    counts: dict[str, int]
    standings: list[tuple[Label, int]]
    orders: list[FileOrder]
    unshown: int
    refused: list[NotTaken]
    revoked_at: datetime | None


def read_content(kept: KeptCache) -> FileContent:
    """What a file holds. A few statements, however much that is."""
    names = _names_of(kept.content.shifts)
    orders = [order for shift in kept.content.shifts for order in _orders_of(shift, names[shift.shift_id])]
    known, held = _known(order.item_id for order in orders)
    orders = [order._replace(standing=_standing(order, known, held)) for order in orders]
    counted = [(word, sum(order.standing is word for order in orders)) for word in IN_A_FILE.values()]
    credential = Credential.objects.filter(terminal=kept.file.terminal, cache_key=bytes(kept.file.signed_with)).first()
    return FileContent(
        counts=count_cache(kept.content),
        standings=[(word, count) for word, count in counted if count],
        orders=orders[:ORDERS_SHOWN],
        unshown=len(orders[ORDERS_SHOWN:]),
        refused=kept.content.refused,
        revoked_at=None if credential is None else credential.revoked_at,
    )


def last_asked(kept: KeptCache) -> Any:
    """The newest request or decision about a file that nobody declined or withdrew; None where it may be asked for."""
    about = Decision.objects.filter(
        about="terminal", subject=str(kept.file.terminal.uuid), verb=Verb.IMPORT_CACHE.value
    ).filter(arguments__file=str(kept.file.pk))
    standing = about.exclude(answer__answer__in=["declined", "withdrawn"]).select_related(
        "person", "store", "answer__person"
    )
    return next(iter(with_reasons(standing.order_by("-asked_at")[:1])), None)


def _orders_of(shift: KeptShift, name: str) -> Iterable[FileOrder]:
    for batch in shift.batches:
        for raw in batch.upload.envelope.orders:
            order = read_order(raw)
            if isinstance(order, Order):
                yield FileOrder(
                    IN_A_FILE["new"], name, order.order_id, order.number, order.mode, order.closed_at, order.total
                )
            else:
                yield FileOrder(IN_A_FILE["unreadable"], name, None, order.number)


def _names_of(shifts: Sequence[KeptShift]) -> dict[UUID, str]:
    """The numbers by which people call shifts: as they are known here, or as their openings in the file say."""
    said = {
        shift.shift_id: "–" if shift.opening is None else str(read_open_shift(shift.opening.encode()).number)
        for shift in shifts
    }
    known = Shift.objects.filter(pk__in=said).values_list("pk", "number")
    return said | {shift_id: str(number) for shift_id, number in known}


def _known(ids: Iterable[UUID | None]) -> tuple[frozenset[UUID], frozenset[UUID]]:
    """Those that came before, and of these the ones that are held. Two statements."""
    wanted = [each for each in ids if each is not None]
    known = Identity.objects.filter(item_id__in=wanted, version=0).values_list("item_id", flat=True)
    held = HeldItem.objects.filter(item_id__in=wanted, decision_id__isnull=True).values_list("item_id", flat=True)
    return frozenset(known), frozenset(held)


def _standing(order: FileOrder, known: frozenset[UUID], held: frozenset[UUID]) -> Label:
    if order.item_id is None:
        return order.standing
    if order.item_id in held:
        return IN_A_FILE["held"]
    return IN_A_FILE["known" if order.item_id in known else "new"]
