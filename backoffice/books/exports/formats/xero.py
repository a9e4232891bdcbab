"""Xero's manual journals as CSV: debits above 0, credits below, and no file of more than 300 lines."""

import csv
from collections.abc import Iterator
from pathlib import Path

from backoffice.books.exports.coding import Code
from backoffice.books.exports.formats.sending import Sending, Sent
from backoffice.books.exports.formats.texts import no_formula, one_line
from backoffice.books.exports.refusals import NotExported

COLUMNS = (
    "*Narration",
    "*Date",
    "Description",
    "*AccountCode",
    "*TaxRate",
    "*Amount",
    "TrackingName1",
    "TrackingOption1",
    "TrackingName2",
    "TrackingOption2",
)
MOST_LINES = 300
MAX_CODE = 10


def check_xero(code: Code) -> None:
    """Raises NotExported for a code that is longer than Xero's are."""
    if len(code.code) > MAX_CODE:
        raise NotExported(f"{code.code!r} is no account code of Xero: they have {MAX_CODE} characters at most.")


def write_xero(sending: Sending, folder: Path, name: str) -> None:
    """NAME-001.csv and so on, each with whole journals."""
    for number, rows in enumerate(_files(sending), start=1):
        with (folder / f"{name}-{number:03}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            writer.writerows(rows)


def _files(sending: Sending) -> Iterator[list[list[str]]]:
    """The lines of one file after the other. A journal is never divided, since each part must balance."""
    rows: list[list[str]] = []
    for sent in sending.transactions():
        journal = _journal(sending, sent)
        if len(journal) > MOST_LINES:
            raise NotExported(
                f"{sent.reference} has {len(journal)} lines, and Xero takes {MOST_LINES} at once: map more of them to one code."
            )
        if len(rows) + len(journal) > MOST_LINES:
            yield rows
            rows = []
        rows += journal
    if rows:
        yield rows


def _journal(sending: Sending, sent: Sent) -> list[list[str]]:
    """One journal, with what moves on one code under one tax rate as a line for each side."""
    sums: dict[tuple[str, str, str, bool], int] = {}
    for posting in sent.postings:
        key = (posting.code.code, posting.code.tax_rate, posting.code.name, posting.debit > 0)
        sums[key] = sums.get(key, 0) + posting.debit - posting.credit
    title = no_formula(one_line(f"{sent.reference} {sent.title}"))
    return [
        [
            title,
            f"{sent.business_date:%d/%m/%Y}",
            no_formula(one_line(name)),
            no_formula(code),
            no_formula(tax_rate),
            sending.amount(minor),
            "",
            "",
            "",
            "",
        ]
        for (code, tax_rate, name, _), minor in sums.items()
    ]
