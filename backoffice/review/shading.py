"""The colours of a heat map. They say nothing that the figures in its cells do not say."""

from collections.abc import Iterable, Mapping, Sequence

from backoffice.books.reports.shape import Column, ReportRow, Sheet

STEPS = 5


def shades_of(sheet: Sheet) -> Sequence[Mapping[str, str]]:
    """For each row the colour of its shaded cells by their keys: `much-1` to `much-5`; around nothing `over-…`, `short-…`."""
    shaded = [column for column in sheet.columns if column.is_shaded] if sheet.shading else []
    most = _largest(sheet.rows, shaded)
    return [
        {
            column.key: _shade(value, _largest([row], shaded) if sheet.shading == "row" else most, sheet.shading)
            for column in shaded
            if (value := row.cells[column.key])
        }
        for row in sheet.rows
    ]


def _largest(rows: Iterable[ReportRow], columns: Sequence[Column]) -> int:
    return max((abs(row.cells[column.key] or 0) for row in rows for column in columns), default=0)


def _shade(value: int, most: int, shading: str) -> str:
    """A fifth of the most, or less, is the first step. Below nothing is a colour of its own only around nothing."""
    step = -(-abs(value) * STEPS // most)
    if shading == "zero":
        return f"{'over' if value > 0 else 'short'}-{step}"
    return f"much-{step}" if value > 0 else ""
