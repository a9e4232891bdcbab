"""The formats: each writes a run's files into an empty folder, and knows which codes it can take."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from backoffice.books.exports.coding import Code
from backoffice.books.exports.formats.fec import check_fec, write_fec
from backoffice.books.exports.formats.gl_csv import write_gl_entries, write_gl_summary
from backoffice.books.exports.formats.orders import write_jsonl
from backoffice.books.exports.formats.plain_text import check_beancount, check_hledger, write_beancount, write_hledger
from backoffice.books.exports.formats.sending import Sending
from backoffice.books.exports.formats.xero import check_xero, write_xero

Writer = Callable[[Sending, Path, str], None]
"""Writes the files of a run into an empty folder, under a name to begin with."""

ENTRY, DAY = "entry", "day"
# The first is what a profile gets that does not say.
GRANULARITIES: Mapping[str, Sequence[str]] = {
    "gl-csv": [ENTRY],
    "gl-csv-summary": [DAY],
    "beancount": [ENTRY, DAY],
    "hledger": [ENTRY, DAY],
    "fec": [ENTRY],
    "xero": [DAY, ENTRY],
    "jsonl": [ENTRY],
    "parquet": [ENTRY],
}
CHECKS: Mapping[str, Callable[[Code], None]] = {
    "beancount": check_beancount,
    "hledger": check_hledger,
    "fec": check_fec,
    "xero": check_xero,
}


def check_codes(format_name: str, codes: Iterable[Code]) -> None:
    """Raises NotExported for a code that the format cannot carry."""
    check = CHECKS.get(format_name)
    if check is not None:
        for code in codes:
            check(code)


def _write_parquet(sending: Sending, folder: Path, name: str) -> None:
    # Its library takes a sixth of a second and 40 MB: whoever exports nothing of the kind does without it.
    from backoffice.books.exports.formats.parquet import write_parquet  # noqa: PLC0415

    write_parquet(sending, folder, name)


WRITERS: Mapping[str, Writer] = {
    "gl-csv": write_gl_entries,
    "gl-csv-summary": write_gl_summary,
    "beancount": write_beancount,
    "hledger": write_hledger,
    "fec": write_fec,
    "xero": write_xero,
    "jsonl": write_jsonl,
    "parquet": _write_parquet,
}
