"""The colours of heat maps: what is beside what, and in how many steps."""

import pytest

from backoffice.books.reports.shape import Column, ReportRow, Shading, Sheet
from backoffice.review.shading import shades_of

COLUMNS = (Column("store", "Store"), *(Column(key, key, "money", is_shaded=True) for key in "ab"), Column("sum", "Sum"))


def shaded(shading: Shading, *rows: tuple[int | None, int | None]) -> list[dict[str, str]]:
    cells = [{"store": "A shop", "a": a, "b": b, "sum": 10**9} for a, b in rows]
    sheet = Sheet("Sold", "EUR", COLUMNS, [ReportRow(each, {}) for each in cells], shading=shading)
    return [dict(each) for each in shades_of(sheet)]


@pytest.mark.parametrize(
    ("shading", "rows", "shades"),
    [
        ("row", [(100, 20), (5, 1)], [{"a": "much-5", "b": "much-1"}, {"a": "much-5", "b": "much-1"}]),
        ("largest", [(100, 21), (5, 60)], [{"a": "much-5", "b": "much-2"}, {"a": "much-1", "b": "much-3"}]),
        ("zero", [(-100, 41), (1, -80)], [{"a": "short-5", "b": "over-3"}, {"a": "over-1", "b": "short-4"}]),
        ("row", [(None, 0), (-3, 2)], [{}, {"a": "", "b": "much-4"}]),
        ("", [(100, 20)], [{}]),
        ("zero", [], []),
    ],
)
def test_a_cell_is_shaded_in_five_steps_beside_what_it_is_compared_with(
    shading: Shading, rows: list[tuple[int | None, int | None]], shades: list[dict[str, str]]
) -> None:
    assert shaded(shading, *rows) == shades
