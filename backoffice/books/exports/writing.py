"""The files of a run: written under temporary names, compared with what was written before, and renamed at the end."""

import hashlib
import os
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from backoffice.books.exports.formats import WRITERS
from backoffice.books.exports.formats.sending import Passed, Sending
from backoffice.books.exports.formats.texts import in_file_name
from backoffice.books.exports.models import ExportRun, ExportWritten
from backoffice.books.exports.planning import days_of
from backoffice.books.exports.refusals import NotExported
from backoffice.failpoints import failpoint

READ_AT_ONCE = 1024 * 1024


class FileFacts(NamedTuple):
    """A file as it was written; `name` is its path below the folder that was named."""

    name: str
    bytes: int
    sha256: str


def write_run(run: ExportRun, folder: Path, *, passed: Passed, now: datetime) -> list[FileFacts]:
    """Writes a run's files below a folder. Again, they are the same: what differs is not put into its place.

    Raises NotExported where they do differ, since the books are then not what was sent; OSError where they cannot be written.
    """
    name = _name(run)
    partial = folder / f".{name}.partial"
    shutil.rmtree(partial, ignore_errors=True)  # of a process that died
    partial.mkdir(parents=True)
    try:
        WRITERS[run.profile.format](Sending(run, list(days_of(run)), passed=passed), partial, name)
        failpoint("export-written")
        files = [_facts(path, partial) for path in sorted(partial.rglob("*")) if path.is_file()]
        _compare(run, files)
        for file in files:
            (folder / file.name).parent.mkdir(exist_ok=True)
            (partial / file.name).replace(folder / file.name)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    failpoint("export-renamed")
    ExportWritten.objects.get_or_create(run=run, defaults={"files": _kept(files), "written_at": now})
    return files


def _name(run: ExportRun) -> str:
    """What the names of a run's files begin with: no other run of any profile has it."""
    days = f"{run.first_day:%Y%m%d}-{run.last_day:%Y%m%d}"
    return f"{run.profile.name}-{in_file_name(run.names['store'][0])}-{days}-run{run.number}"


def _facts(path: Path, folder: Path) -> FileFacts:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(READ_AT_ONCE):
            digest.update(piece)
        os.fsync(file.fileno())
    return FileFacts(path.relative_to(folder).as_posix(), path.stat().st_size, digest.hexdigest())


def _compare(run: ExportRun, files: list[FileFacts]) -> None:
    before = ExportWritten.objects.filter(run=run).first()
    if before is not None and before.files != _kept(files):
        raise NotExported(
            f"Run {run.number} of {run.profile} would not be what it was when it was first written: the books, or this"
            " program, have changed. Nothing was written; `manage.py verify_books` says which."
        )


def _kept(files: list[FileFacts]) -> list[dict[str, Any]]:
    return [file._asdict() for file in files]
