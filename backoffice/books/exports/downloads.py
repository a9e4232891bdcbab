"""Files of exports that the console has asked for: kept for a week, handed out to who may run exports, each time noted."""

from datetime import datetime
from typing import NamedTuple

import structlog
from django.contrib.auth.models import User
from django.db import connection, transaction

from backoffice.books.exports.models import ExportDownload, ExportJob, KeptPiece
from backoffice.trail.events import DOWNLOADED, record_event

log = structlog.get_logger(__name__)

# An answer is held in memory as a whole.
MOST_BYTES = 64 * 1024 * 1024
SELECT_NAMES = """
SELECT name, sum(length(data))::bigint FROM exports_keptpiece WHERE job_id = %s GROUP BY name ORDER BY name
"""


class TooLarge(Exception):
    """A file that no answer can hold; the text says how else it is had."""


class KeptFile(NamedTuple):
    """A file that can still be downloaded."""

    name: str
    bytes: int

    @property
    def file_name(self) -> str:
        return self.name.rpartition("/")[2]


def kept_names(job: ExportJob) -> list[KeptFile]:
    """The files of a job that are still here."""
    with connection.cursor() as cursor:
        cursor.execute(SELECT_NAMES, [job.pk])
        return [KeptFile._make(row) for row in cursor.fetchall()]


def take_file(job: ExportJob, name: str, *, person: User, address: str | None, now: datetime) -> bytes:
    """What a file holds, after it was noted who takes it. Raises TooLarge."""
    size = sum(kept.bytes for kept in kept_names(job) if kept.name == name)
    if size > MOST_BYTES:
        assert job.run is not None  # noqa: S101 - it has files
        raise TooLarge(
            f"This file is too large for a browser. On the server: manage.py export {job.profile.name}"
            f" --again {job.run.number} --out FOLDER"
        )
    with transaction.atomic():
        ExportDownload.objects.create(job=job, name=name, person=person, address=address, taken_at=now)
        record_event(DOWNLOADED, about="export", object_id=str(job.pk), object_name=name, store_id=job.store_id)
        pieces = KeptPiece.objects.filter(job=job, name=name).order_by("position").values_list("data", flat=True)
        content = b"".join(map(bytes, pieces))
    log.info("export downloaded", user=person.get_username(), address=address, job=str(job.pk), file=name)
    return content
