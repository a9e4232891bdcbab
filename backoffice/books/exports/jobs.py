"""A job: somebody asks, what is sent is decided, files are written. By a command at once, or by a worker for the console."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import structlog
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone

from backoffice.books.evidence.sealer import seal
from backoffice.books.exports.models import ExportedSum, ExportJob, ExportProfile, ExportRevision, ExportRun, KeptPiece
from backoffice.books.exports.planning import StoreDays, check_span, days_of, decide_run
from backoffice.books.exports.refusals import NotExported
from backoffice.books.exports.writing import FileFacts, write_run
from backoffice.books.people import reach_of
from backoffice.failpoints import failpoint
from backoffice.fleet.models import Store

log = structlog.get_logger(__name__)

MOST_TRIES = 5
KEPT_FOR = timedelta(days=7)
PIECE = 1024 * 1024
# One process at a time writes what a profile sends of a store: an interrupted run is then one that nobody is writing.
TRY_LOCK = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))"
UNLOCK = "SELECT pg_advisory_unlock(hashtextextended(%s, 0))"


class RunReport(NamedTuple):
    """What a run has sent, and where it is."""

    run: ExportRun
    days: list[tuple[ExportRevision, list[ExportedSum]]]
    files: list[FileFacts]


class ExportReport(NamedTuple):
    """What became of an export: runs that were interrupted before and are whole now, and the new one if there was news."""

    resumed: list[RunReport]
    new: RunReport | None


class _AtWork(NotExported):
    """Another process is at it."""


def ask_export(
    profile: ExportProfile, span: StoreDays, *, person: User, address: str | None = None, now: datetime
) -> ExportJob:
    """Leaves a job for a worker, whose files can be downloaded for a week. Raises NotExported for days that cannot be.

    So it does for a store that is not the person's.
    """
    if not reach_of(person).holds(span.store.pk):
        raise NotExported(f"{person} may not export the books of this store.")
    check_span(span)
    return _new_job(profile, span, person=person, address=address, keeps=True, now=now)


def export_to_folder(profile: ExportProfile, span: StoreDays, folder: Path, *, now: datetime) -> ExportReport:
    """Exports at once, in this process. What was interrupted before is finished first, into the same folder.

    Raises NotExported with words; OSError where the folder cannot be written.
    """
    check_span(span)
    with _alone(profile, span.store):
        resumed = [_write(job, folder, now=now) for job in _interrupted(profile, span.store)]
        job = _new_job(profile, span, keeps=False, now=now)
        return ExportReport(resumed, _perform(job, folder, now=now))


def repeat_run(profile: ExportProfile, number: int, folder: Path, *, now: datetime) -> RunReport:
    """Writes the files of a run once more, byte for byte. Raises NotExported where there is no such run."""
    run = ExportRun.objects.select_related("profile", "map", "store").filter(profile=profile, number=number).first()
    if run is None:
        raise NotExported(f"{profile} has no run {number}.")
    with _alone(profile, run.store):
        return RunReport(run, list(days_of(run)), write_run(run, folder, passed=lambda _: None, now=now))


def run_waiting(*, now: datetime) -> int:
    """Performs what the console has asked for, and clears away what was kept long enough. Returns how many jobs ended."""
    _forget(now=now)
    ended = 0
    for job in ExportJob.objects.filter(keeps=True, state__in=["waiting", "running"]).order_by("asked_at"):
        try:
            with _alone(job.profile, job.store):
                job.refresh_from_db()
                if job.state in {"waiting", "running"}:
                    ended += _perform_and_keep(job, now=now)
        except _AtWork:
            continue
    return ended


def _perform_and_keep(job: ExportJob, *, now: datetime) -> bool:
    if job.attempts >= MOST_TRIES:
        _end(job, "failed", words=f"Given up after {MOST_TRIES} tries: its worker died each time.")
        return True
    with TemporaryDirectory(prefix="export-") as folder:
        try:
            report = _write(job, Path(folder), now=now) if job.run is not None else _perform(job, Path(folder), now=now)
            if report is not None:
                _keep_files(job, Path(folder), report.files)
        except (NotExported, OSError) as error:
            log.warning("export failed", job=str(job.pk), error=str(error))
            return True
    _end(job, "done")
    return True


def _perform(job: ExportJob, folder: Path, *, now: datetime) -> RunReport | None:
    """Decides what is sent and writes it; None where there is nothing new. What is refused is kept with the job as well."""
    try:
        ExportJob.objects.filter(pk=job.pk).update(state="running", attempts=job.attempts + 1)
        seal(now=now)
        span = StoreDays(job.store, job.first_day, job.last_day)
        with transaction.atomic():
            job.run = decide_run(job.profile, span, now=now)
            job.save(update_fields=["run"])
    except NotExported as refusal:
        _end(job, "failed", words=str(refusal))
        raise
    failpoint("export-decided")
    if job.run is None:
        _end(job, "done")
        return None
    return _write(job, folder, now=now)


def _write(job: ExportJob, folder: Path, *, now: datetime) -> RunReport:
    """Writes the run of a job, and ends the job where its files are not kept here."""
    assert job.run is not None  # noqa: S101 - it was decided
    run = job.run

    def passed(count: int) -> None:
        ExportJob.objects.filter(pk=job.pk).update(entries_done=count)
        failpoint("export-between-pages")

    try:
        files = write_run(run, folder, passed=passed, now=now)
    except (NotExported, OSError) as error:
        words = str(error) if isinstance(error, NotExported) else f"Its files cannot be written: {error.strerror}."
        _end(job, "failed", words=words)
        raise
    if not job.keeps:
        _end(job, "done")
    return RunReport(run, list(days_of(run)), files)


def _keep_files(job: ExportJob, folder: Path, files: list[FileFacts]) -> None:
    with transaction.atomic():
        KeptPiece.objects.filter(job=job).delete()
        for facts in files:
            with (folder / facts.name).open("rb") as file:
                for position, data in enumerate(iter(partial(file.read, PIECE), b"")):
                    KeptPiece.objects.create(job=job, name=facts.name, position=position, data=data)


def _new_job(
    profile: ExportProfile,
    span: StoreDays,
    *,
    keeps: bool,
    now: datetime,
    person: User | None = None,
    address: str | None = None,
) -> ExportJob:
    return ExportJob.objects.create(
        profile=profile,
        store=span.store,
        first_day=span.first,
        last_day=span.last,
        person=person,
        address=address,
        asked_at=now,
        keeps=keeps,
    )


def _interrupted(profile: ExportProfile, store: Store) -> list[ExportJob]:
    """Jobs of commands whose run was decided and never written; those that had decided nothing are over."""
    jobs = ExportJob.objects.filter(profile=profile, store=store, keeps=False)
    undecided = jobs.filter(state__in=["waiting", "running"], run__isnull=True)
    undecided.update(state="failed", words="Interrupted before anything was decided.", ended_at=timezone.now())
    unwritten = jobs.filter(run__isnull=False, run__written__isnull=True)
    return list(unwritten.select_related("profile", "store").order_by("run__number"))


def _end(job: ExportJob, state: str, *, words: str = "") -> None:
    ExportJob.objects.filter(pk=job.pk).update(state=state, words=words, ended_at=timezone.now())


def _forget(*, now: datetime) -> None:
    """Deletes kept files of a week ago. Their runs stay, and can be repeated."""
    KeptPiece.objects.filter(job__ended_at__lt=now - KEPT_FOR).delete()


@contextmanager
def _alone(profile: ExportProfile, store: Store) -> Iterator[None]:
    """Nobody else exports this profile's store meanwhile. Raises NotExported where somebody does."""
    key = f"export {profile.pk} of {store.pk}"
    with connection.cursor() as cursor:
        cursor.execute(TRY_LOCK, [key])
        if cursor.fetchone() != (True,):
            raise _AtWork(f"{profile} is being exported for {store.code} just now. Try again once that has ended.")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(UNLOCK, [key])
