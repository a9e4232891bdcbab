"""Shifts and terminals as decisions find them and lock them."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext

from backoffice.books.refusals import NotDecided, read_uuid
from backoffice.ingestion.locks import lock_terminal
from backoffice.postgres.transactions import transaction_required
from backoffice.sales.models import Shift


@transaction_required
def lock_terminals(terminal_ids: Iterable[int]) -> None:
    """Waits for whatever is at work on these terminals. In one order, so that nobody waits in a circle."""
    for terminal_id in sorted(set(terminal_ids)):
        lock_terminal(terminal_id)


def find_shift(name: Any) -> Shift:
    """The shift of this identifier. Raises NotDecided."""
    shift_id = read_uuid(name, code="unknown-shift", detail=gettext("{name} is no shift id.").format(name=f"{name!r}"))
    shift = Shift.objects.select_related("store", "terminal").filter(pk=shift_id).first()
    if shift is None:
        raise NotDecided("unknown-shift", gettext("There is no shift {shift_id}.").format(shift_id=shift_id))
    return shift


@transaction_required
def lock_shift(name: Any) -> Shift:
    """The shift, with its terminal locked until the transaction ends. Raises NotDecided."""
    shift = find_shift(name)
    lock_terminals([shift.terminal_id])
    return find_shift(shift.pk)
