"""What a terminal could not send any more is taken in from the file that it saved (protocol §12)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

import msgspec
from django.contrib.auth.models import User
from django.db.backends.utils import CursorWrapper
from django.db.models import Q
from django.utils.translation import gettext

from backoffice.books.caches import KeptBatch, KeptCache, KeptShift, count_cache, find_cache, import_decisions
from backoffice.books.models import CacheFile
from backoffice.books.refusals import AlreadyDecided, NotDecided
from backoffice.books.rules import Deed, Subject, VerbRule
from backoffice.books.shifts import lock_terminals
from backoffice.domain.decisions import Verb
from backoffice.domain.scalars import MAX_MINOR
from backoffice.domain.wire.envelope import EnvelopeInvalid
from backoffice.domain.wire.messages import read_close_shift, read_open_shift
from backoffice.fleet.models import Terminal
from backoffice.ingestion.batch.accept import IdentifierReused, store_recovered
from backoffice.ingestion.shifts import AlreadyClosed, close_shift, open_shift
from backoffice.sales.models import Shift


class ImportCache(VerbRule):
    """A file is taken in as batches of its terminal, by the door of an upload, even where the terminal is revoked."""

    verb = Verb.IMPORT_CACHE

    def lock(
        self, cursor: CursorWrapper, subject: str, arguments: Mapping[str, Any], *, person: User | None
    ) -> Subject:
        """The terminal, and the file as it is kept. What arrives meanwhile changes neither."""
        kept = find_cache(arguments.get("file"))
        terminal = kept.file.terminal
        lock_terminals([terminal.pk])
        _check_not_imported(kept.file)
        counts = count_cache(kept.content)
        before = {
            "file": bytes(kept.file.digest).hex(),
            "kept": kept.digest.hex(),
            "saved_at": kept.file.saved_at.isoformat(),
            **counts,
            "refused": msgspec.to_builtins(kept.content.refused),
        }
        at_stake = counts["total"] if abs(counts["total"]) <= MAX_MINOR else None
        return Subject("terminal", str(terminal.uuid), terminal.store, before, kept, amount=at_stake)

    def act(self, cursor: CursorWrapper, subject: Subject, deed: Deed) -> dict[str, Any]:
        kept: KeptCache = subject.row
        taking = _Taking(kept.file, deed)
        for shift in kept.content.shifts:
            taking.take(shift)
        return {"shifts": taking.shifts, "batches": taking.batches, "refused": subject.before["refused"]}


def _check_not_imported(file: CacheFile) -> None:
    """Raises AlreadyDecided where this very file was taken in before."""
    done = import_decisions(file.terminal).filter(
        Q(needs_second_person=False) | Q(answer__answer="agreed"), arguments__file=str(file.pk)
    )
    decision = done.select_related("person", "answer__person").first()
    if decision is not None:
        at = decision.answer.answered_at.isoformat()
        raise AlreadyDecided(
            gettext("Already imported by {person} and {other} at {at}: all of it is a duplicate.").format(
                person=decision.person, other=decision.answer.person, at=at
            )
        )


class _Taking:
    """Takes in one file, and notes what became of each of its shifts and batches."""

    def __init__(self, file: CacheFile, deed: Deed) -> None:
        self.shifts: list[dict[str, Any]] = []
        self.batches: list[dict[str, Any]] = []
        self._terminal: Terminal = file.terminal
        self._saved_at: datetime = file.saved_at
        self._deed = deed

    def take(self, shift: KeptShift) -> None:
        opened = self._open(shift)
        for batch in shift.batches:
            self.batches.append(self._store(shift.shift_id, batch))
        closed = None if shift.close is None else self._close(shift.shift_id, shift.close)
        self.shifts.append({"shift_id": str(shift.shift_id), "opened": opened, "close": closed})

    def _open(self, shift: KeptShift) -> bool:
        """Opens what is not known here: as ended, since its terminal is, and the next may be open already (protocol §4)."""
        known = Shift.objects.filter(shift_id=shift.shift_id).first()
        if known is not None:
            if known.terminal_id != self._terminal.pk:
                raise NotDecided(
                    "identifier-reused",
                    gettext("Shift {shift_id} is another terminal's.").format(shift_id=shift.shift_id),
                )
            return False
        if shift.opening is None:
            raise NotDecided(
                "shift-unknown",
                gettext("Shift {shift_id} is not known, and its opening cannot be read.").format(
                    shift_id=shift.shift_id
                ),
            )
        message = read_open_shift(shift.opening.encode())
        ended_at = max(self._saved_at, message.opened_at)
        try:
            open_shift(
                terminal=self._terminal,
                shift_id=shift.shift_id,
                message=message,
                ended_at=ended_at,
                now=self._deed.now,
            )
        except EnvelopeInvalid as error:
            raise NotDecided(
                "envelope-invalid",
                gettext("Shift {shift_id}: {detail}").format(shift_id=shift.shift_id, detail=error.detail),
            ) from None
        return True

    def _store(self, shift_id: UUID, batch: KeptBatch) -> dict[str, Any]:
        """Under its own identifier; where that stands for something else, under another, as terminals do (protocol §5)."""
        where: dict[str, Any] = {
            "terminal": self._terminal,
            "shift_id": shift_id,
            "upload": batch.upload,
            "now": self._deed.now,
        }
        batch_id = batch.batch_id
        try:
            is_new = store_recovered(batch_id=batch_id, **where)
        except IdentifierReused:
            batch_id = uuid5(self._deed.decision_id, str(batch.batch_id))
            is_new = store_recovered(batch_id=batch_id, **where)
        return {
            "batch_id": str(batch_id),
            "saved_as": str(batch.batch_id),
            "shift_id": str(shift_id),
            "is_new": is_new,
        }

    def _close(self, shift_id: UUID, close: str) -> str:
        """`stands` where the shift is closed already: by its terminal's own close, or another."""
        message = read_close_shift(close.encode())
        try:
            _, was_open = close_shift(terminal=self._terminal, shift_id=shift_id, message=message, now=self._deed.now)
        except AlreadyClosed:
            return "another stands"
        return "closed" if was_open else "stands"
