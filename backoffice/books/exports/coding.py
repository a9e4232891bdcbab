"""Which external code a posting has: a profile's map, read from a CSV file and looked up from the narrowest line to the widest."""

import csv
import io
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from backoffice.books.exports.refusals import NotExported

COLUMNS = ("account", "tax_code", "method", "code", "name", "tax_rate")
NEEDED = ("account", "code")
MOST_LINES = 10_000
MAX_TEXT = 200
SHOWN = 20
NO_TAX = "Tax Exempt"


class Code(NamedTuple):
    """Where something goes in another program: `tax_rate` is the name that Xero knows a rate by."""

    code: str
    name: str
    tax_rate: str = NO_TAX


class MapLine(NamedTuple):
    """One line of a map; an empty tax code or method is any."""

    account: str
    tax_code: str
    method: str
    code: str
    name: str
    tax_rate: str


class CodeMap:
    """Codes by account, tax code and payment method. Without lines every account keeps its own code and name."""

    def __init__(self, lines: Iterable[Sequence[str]], account_names: Mapping[str, str]) -> None:
        self._codes: dict[tuple[str, str, str], Code] = {}
        for account, tax_code, method, code, name, tax_rate in lines:
            named = name or account_names.get(account, code)
            self._codes[account, tax_code, method] = Code(code, named, tax_rate or NO_TAX)
        self._names = None if self._codes else account_names

    def find(self, account: str, tax_code: str, method: str) -> Code | None:
        """The code, by account with tax code and method, with one of them, or alone; None where there is a hole."""
        if self._names is not None:
            return Code(account, self._names.get(account, account))
        for key in ((account, tax_code, method), (account, tax_code, ""), (account, "", method), (account, "", "")):
            if key in self._codes:
                return self._codes[key]
        return None

    def codes(self) -> list[Code]:
        """Every code that it may give, each once."""
        if self._names is not None:
            return [Code(account, name) for account, name in self._names.items()]
        return list({each.code: each for each in self._codes.values()}.values())


def read_map(text: str, *, accounts: Collection[str]) -> list[MapLine]:
    """The lines of a map from CSV with a header: account and code, and where wanted tax_code, method, name, tax_rate.

    Raises NotExported and names the line.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        rows = [row for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise NotExported(f"Line {reader.line_num} of the map is not CSV: {error}.") from None
    header = [cell.strip() for cell in rows[0]] if rows else []
    _check_header(header)
    if len(rows) - 1 > MOST_LINES:
        raise NotExported(f"The map has more than {MOST_LINES:,} lines.")
    lines = [_read_line(place, header, row, accounts) for place, row in enumerate(rows[1:], start=2)]
    if not lines:
        raise NotExported("The map has no lines. Leave it out, and every account keeps its own code.")
    seen: dict[tuple[str, str, str], int] = {}
    for place, line in enumerate(lines, start=2):
        first = seen.setdefault((line.account, line.tax_code, line.method), place)
        if first != place:
            raise NotExported(f"Lines {first} and {place} of the map are about the same: {_in_words(*line[:3])}.")
    return lines


def _check_header(header: Sequence[str]) -> None:
    missing = [name for name in NEEDED if name not in header]
    unknown = [name for name in header if name not in COLUMNS]
    if missing or unknown or len(set(header)) != len(header):
        wrong = f"{', '.join(missing)} is missing" if missing else f"{', '.join(unknown) or 'one stands twice'}"
        raise NotExported(
            f"The first line of the map must name its columns ({', '.join(COLUMNS)}; {' and '.join(NEEDED)} are needed):"
            f" {wrong}."
        )


def _read_line(place: int, header: Sequence[str], row: Sequence[str], accounts: Collection[str]) -> MapLine:
    if len(row) != len(header):
        raise NotExported(f"Line {place} of the map has {len(row)} columns, its first line {len(header)}.")
    cells = dict.fromkeys(COLUMNS, "") | {name: cell.strip() for name, cell in zip(header, row, strict=True)}
    line = MapLine(**cells)
    if line.account not in accounts:
        raise NotExported(f"Line {place} of the map is about account {line.account!r}, which is not in the chart.")
    if not line.code:
        raise NotExported(f"Line {place} of the map has no code for {_in_words(*line[:3])}.")
    if any(len(cell) > MAX_TEXT or not cell.isprintable() for cell in line):
        raise NotExported(f"Line {place} of the map has a text that is too long, or cannot be shown.")
    return line


def refuse_holes(found: CodeMap, moved: Iterable[tuple[str, str, str]]) -> None:
    """Raises NotExported and names what moved and has no code."""
    holes = sorted({key for key in moved if found.find(*key) is None})
    if holes:
        named = "; ".join(_in_words(*key) for key in holes[:SHOWN])
        more = f"; and {len(holes) - SHOWN} more" if len(holes) > SHOWN else ""
        raise NotExported(f"The map has no code for what has moved: {named}{more}. Nothing was written.")


def _in_words(account: str, tax_code: str, method: str) -> str:
    parts = [f"account {account}", f"tax code {tax_code}" if tax_code else "", f"method {method}" if method else ""]
    return ", ".join(filter(None, parts))
