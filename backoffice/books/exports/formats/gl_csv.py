"""General ledger as CSV (RFC 4180): each line of each entry, or sums by store, day and account."""

import csv
from collections.abc import Iterator
from pathlib import Path

from backoffice.books.exports.formats.sending import Sending, Sent
from backoffice.books.exports.formats.texts import no_formula

ENTRY_COLUMNS = (
    "reference",
    "revision",
    "seal_number",
    "business_date",
    "posted_at",
    "sealed_on",
    "store",
    "terminal",
    "source",
    "source_id",
    "order_number",
    "description",
    "account",
    "tax_code",
    "method",
    "code",
    "code_name",
    "debit",
    "credit",
    "currency",
)
SUMMARY_COLUMNS = (
    "revision",
    "business_date",
    "store",
    "store_name",
    "account",
    "tax_code",
    "method",
    "code",
    "code_name",
    "debit",
    "credit",
    "currency",
)


def write_gl_entries(sending: Sending, folder: Path, name: str) -> None:
    """Every line of every entry, in one file."""
    _write(folder / f"{name}.csv", ENTRY_COLUMNS, _entry_rows(sending))


def write_gl_summary(sending: Sending, folder: Path, name: str) -> None:
    """One line for each account, tax code and payment method of a store's day, in one file."""
    _write(folder / f"{name}.csv", SUMMARY_COLUMNS, _summary_rows(sending))


def _write(path: Path, columns: tuple[str, ...], rows: Iterator[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)  # its own default is RFC 4180
        writer.writerow(columns)
        writer.writerows(rows)


def _entry_rows(sending: Sending) -> Iterator[list[str]]:
    store = no_formula(sending.store_code)
    for sent in sending.entries():
        head = _entry_head(sent, store)
        for posting in sent.postings:
            yield [
                *head,
                no_formula(posting.account),
                no_formula(posting.tax_code),
                no_formula(posting.method),
                no_formula(posting.code.code),
                no_formula(posting.code.name),
                sending.amount(posting.debit),
                sending.amount(posting.credit),
                sending.run.currency,
            ]


def _entry_head(sent: Sent, store: str) -> list[str]:
    return [
        no_formula(sent.reference),
        no_formula(sent.revision),
        str(sent.number),
        str(sent.business_date),
        sent.posted_at.isoformat(timespec="microseconds") if sent.posted_at else "",
        str(sent.sealed_on),
        store,
        no_formula(sent.terminal),
        sent.source_kind,
        str(sent.source_id),
        "" if sent.order_number is None else str(sent.order_number),
        sent.title,
    ]


def _summary_rows(sending: Sending) -> Iterator[list[str]]:
    for revision, sums in sending.days:
        for each in sums:
            code = sending.code_of(each.account_id, each.tax_code, each.method)
            yield [
                no_formula(revision.reference),
                str(revision.business_date),
                no_formula(sending.store_code),
                no_formula(sending.store_name),
                no_formula(each.account_id),
                no_formula(each.tax_code),
                no_formula(each.method),
                no_formula(code.code),
                no_formula(code.name),
                sending.amount(each.debit),
                sending.amount(each.credit),
                sending.run.currency,
            ]
