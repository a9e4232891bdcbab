"""Parquet, for analysis: NAME-journal.parquet and NAME-sales-lines.parquet.

DuckDB makes them, from a CSV file beside them: a third of pyarrow's size, with a limit on its memory, and with one thread the
same bytes each time.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from backoffice.books.exports.formats.orders import sold_lines
from backoffice.books.exports.formats.sending import Sending

JOURNAL = {
    "reference": "VARCHAR",
    "revision": "VARCHAR",
    "seal_number": "BIGINT",
    "business_date": "DATE",
    "posted_at": "TIMESTAMPTZ",
    "sealed_on": "DATE",
    "store": "VARCHAR",
    "terminal": "VARCHAR",
    "source": "VARCHAR",
    "source_id": "VARCHAR",
    "order_number": "BIGINT",
    "account": "VARCHAR",
    "tax_code": "VARCHAR",
    "method": "VARCHAR",
    "code": "VARCHAR",
    "code_name": "VARCHAR",
    "debit_minor": "BIGINT",
    "credit_minor": "BIGINT",
    "currency": "VARCHAR",
}
SALES_LINES = {
    "revision": "VARCHAR",
    "store": "VARCHAR",
    "currency": "VARCHAR",
    "seal_number": "BIGINT",
    "event": "VARCHAR",
    "business_date": "DATE",
    "order_id": "VARCHAR",
    "order_number": "BIGINT",
    "closed_at": "TIMESTAMPTZ",
    "terminal": "VARCHAR",
    "cashier": "VARCHAR",
    "order_kind": "VARCHAR",
    "order_type": "VARCHAR",
    "position": "SMALLINT",
    "kind": "VARCHAR",
    "sku": "VARCHAR",
    "name": "VARCHAR",
    "quantity": "DECIMAL(20, 4)",
    "unit_price": "DECIMAL(20, 4)",
    "discount_minor": "BIGINT",
    "amount_minor": "BIGINT",
    "tax_minor": "BIGINT",
    "taxes": "VARCHAR",
}
# The same bytes each time: one thread, and groups of rows of one size.
SETTINGS = {
    "threads": "1",
    "memory_limit": "128MB",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}
ROWS_IN_GROUP = 20_480


def write_parquet(sending: Sending, folder: Path, name: str) -> None:
    """Both files."""
    _convert(folder / f"{name}-journal.parquet", JOURNAL, _journal_rows(sending))
    _convert(folder / f"{name}-sales-lines.parquet", SALES_LINES, _sold_rows(sending))


def _journal_rows(sending: Sending) -> Iterator[tuple[Any, ...]]:
    for sent in sending.entries():
        head = (
            sent.reference,
            sent.revision,
            sent.number,
            sent.business_date,
            sent.posted_at,
            sent.sealed_on,
            sending.store_code,
            sent.terminal,
            sent.source_kind,
            str(sent.source_id),
            sent.order_number,
        )
        for posting in sent.postings:
            where = (posting.account, posting.tax_code, posting.method, posting.code.code, posting.code.name)
            yield (*head, *where, posting.debit, posting.credit, sending.run.currency)


def _sold_rows(sending: Sending) -> Iterator[tuple[Any, ...]]:
    for line in sold_lines(sending):
        yield (line.revision, sending.store_code, sending.run.currency, *line.row)


def _convert(path: Path, columns: Mapping[str, str], rows: Iterable[tuple[Any, ...]]) -> None:
    between = path.with_suffix(".csv")
    with between.open("w", encoding="utf-8", newline="") as file:
        file.writelines(",".join(map(_cell, row)) + "\n" for row in rows)
    with duckdb.connect(":memory:", config={**SETTINGS, "temp_directory": str(path.parent)}) as database:
        database.execute("SET TimeZone = 'UTC'")
        types = ", ".join(f"'{name}': '{kind}'" for name, kind in columns.items())
        database.execute(
            f"COPY (SELECT * FROM read_csv($source, columns = {{{types}}}, auto_detect = false, header = false,"  # noqa: S608 - names of this program  # nosec B608
            " delim = ',', quote = '\"', escape = '\"', nullstr = '', allow_quoted_nulls = false))"
            f" TO '{_sql(path)}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROWS_IN_GROUP})",
            {"source": str(between)},
        )
    between.unlink()


def _sql(path: Path) -> str:
    return str(path).replace("'", "''")


def _cell(value: Any) -> str:
    """Texts in quotation marks, so that an empty one is told from what is not there."""
    match value:
        case None:
            return ""
        case datetime():
            return value.astimezone(UTC).isoformat()
        case int() | Decimal() | date():
            return str(value)
        case _:
            return '"' + str(value).replace('"', '""') + '"'
