"""FEC: the file of accounting entries that French tax inspectors ask for (article A. 47 A-1 of the LPF).

18 fields in their order, separated by tabs, records ended by CR LF, UTF-8, dates as YYYYMMDD, amounts with a decimal comma.
Numbers are seal numbers, which run without a gap in each store, so that each store is a journal of its own. Entries stand in
the order in which they were validated, which is that of their seals.
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from backoffice.books.exports.coding import Code
from backoffice.books.exports.formats.sending import Sending, Sent
from backoffice.books.exports.formats.texts import one_line
from backoffice.books.exports.refusals import NotExported

FIELDS = (
    "JournalCode",
    "JournalLib",
    "EcritureNum",
    "EcritureDate",
    "CompteNum",
    "CompteLib",
    "CompAuxNum",
    "CompAuxLib",
    "PieceRef",
    "PieceDate",
    "EcritureLib",
    "Debit",
    "Credit",
    "EcritureLet",
    "DateLet",
    "ValidDate",
    "Montantdevise",
    "Idevise",
)
NO_SIREN = "0" * 9
DIGITS_FIRST = 3


def check_fec(code: Code) -> None:
    """Raises NotExported for an account whose number does not begin with three digits, as the French chart's do."""
    first = code.code[:DIGITS_FIRST]
    if not (len(first) == DIGITS_FIRST and first.isascii() and first.isdecimal()):
        raise NotExported(f"{code.code!r} is no account of an FEC: its number begins with three digits.")


def write_fec(sending: Sending, folder: Path, name: str) -> None:
    """One file under its official name, in a folder of the run: NAME/SIRENFECYYYYMMDD.txt."""
    within = folder / name
    within.mkdir()
    official = f"{sending.run.profile.siren or NO_SIREN}FEC{_day(sending.run.last_day)}.txt"
    with (within / official).open("w", encoding="utf-8", newline="") as file:
        file.write("\t".join(FIELDS) + "\r\n")
        for sent in sending.entries_by_number():
            file.writelines("\t".join(row) + "\r\n" for row in _rows(sending, sent))


def _rows(sending: Sending, sent: Sent) -> Iterator[list[str]]:
    day = _day(sent.business_date)
    piece = str(sent.order_number) if sent.order_number is not None else sent.reference
    title = ", ".join(filter(None, (sent.title, sent.terminal)))
    for posting in sent.postings:
        yield [
            _text(sending.store_code),
            _text(sending.store_name),
            str(sent.number),
            day,
            _text(posting.code.code),
            _text(posting.code.name),
            "",
            "",
            _text(piece),
            day,
            _text(title),
            sending.amount(posting.debit).replace(".", ","),
            sending.amount(posting.credit).replace(".", ","),
            "",
            "",
            _day(sent.sealed_on),
            "",
            "",
        ]


def _day(day: date | None) -> str:
    assert day is not None  # noqa: S101 - an entry is sealed
    return f"{day:%Y%m%d}"


def _text(text: str) -> str:
    """Either separator that the law allows would be taken for one."""
    return one_line(text).replace("|", "\N{FULLWIDTH VERTICAL LINE}") or "-"
