"""What decisions are about, as people name it, with the row that has a page."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.utils.translation import gettext

from backoffice.books.held import PLACE
from backoffice.books.models import Decision
from backoffice.fleet.models import Terminal
from backoffice.inbox.models import Batch
from backoffice.sales.models import HeldItem, Identity, Order, Shift


class SubjectName(NamedTuple):
    """What a decision is about; `row` has a page of its own, None where it is there no more."""

    text: str
    row: Any = None


def subjects_of(decisions: Sequence[Decision]) -> dict[UUID, SubjectName]:
    """What each is about, by the decision's identifier. A few statements, however many there are; stores are read already."""
    named = {
        about: find([each.subject for each in decisions if each.about == about])
        for about, find in (("shift", shifts_by_name), ("order", _orders), ("held", _held), ("terminal", _terminals))
    }
    named["store"] = {
        each.subject: SubjectName(each.store.name, each.store) for each in decisions if each.about == "store"
    }
    return {each.pk: named[each.about].get(each.subject, SubjectName(each.subject)) for each in decisions}


def shifts_by_name(names: Sequence[str]) -> dict[str, SubjectName]:
    """Shifts by their identifiers, as people call them."""
    rows = Shift.objects.select_related("terminal").filter(pk__in=names) if names else []
    return {str(row.pk): SubjectName(name_of_row(row), row) for row in rows}


def _terminals(names: Sequence[str]) -> dict[str, SubjectName]:
    rows = Terminal.objects.select_related("store").filter(uuid__in=names) if names else []
    return {str(row.uuid): SubjectName(row.name, row) for row in rows}


def _orders(names: Sequence[str]) -> dict[str, SubjectName]:
    if not names:
        return {}
    identities = list(Identity.objects.filter(item_id__in=names, version=0))
    rows = Order.objects.select_related("terminal").filter(
        pk__in=[one.row_id for one in identities], business_date__in={one.business_date for one in identities}
    )
    return {str(row.order_id): SubjectName(name_of_row(row), row) for row in rows}


def _held(names: Sequence[str]) -> dict[str, SubjectName]:
    places = {name: found for name in names if (found := PLACE.fullmatch(name))}
    batch_ids = {found[1] for found in places.values()}
    if not batch_ids:
        return {}
    received = Batch.objects.filter(batch_id__in=batch_ids).values("received_at")
    rows = HeldItem.objects.select_related("terminal").filter(received_at__in=received, batch_id__in=batch_ids)
    there = {(str(row.batch_id), row.what, row.position): row for row in rows}
    named = {}
    for name, found in places.items():
        row = there.get((found[1].lower(), "movement" if found[2] == "movements" else "order", int(found[3])))
        if row is not None:
            named[name] = SubjectName(name_of_row(row), row)
    return named


def name_of_row(row: Any) -> str:
    """What a row is called that can be decided about: `Order 1001* of Till 1`."""
    if isinstance(row, HeldItem):
        return gettext("%(what)s of %(till)s") % {"what": _what(row), "till": row.terminal.name}
    if isinstance(row, Order):
        return gettext("Order %(number)s of %(till)s") % {"number": row, "till": row.terminal.name}
    if isinstance(row, Shift):
        return gettext("Shift %(number)s of %(till)s") % {"number": row.number, "till": row.terminal.name}
    return str(row.name)


def _what(row: HeldItem) -> str:
    is_held = row.decision_id is None
    if row.what == "movement":
        return gettext("Held: cash movement") if is_held else gettext("Once held: cash movement")
    if row.number is None:
        return gettext("Held: order without a number") if is_held else gettext("Once held: order without a number")
    named = gettext("Held: order %(number)s") if is_held else gettext("Once held: order %(number)s")
    return named % {"number": row.number}
