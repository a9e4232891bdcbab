import io
from collections.abc import Callable
from dataclasses import replace

from backoffice.workbench.simulator.board import Board
from backoffice.workbench.simulator.crowd import shift_rows
from backoffice.workbench.simulator.report import print_rows
from backoffice.workbench.simulator.till import Till


def test_without_a_terminal_the_story_is_plain_lines(install: Callable[..., Till]) -> None:
    out = io.StringIO()
    till = install()
    till.witness = Board(out, planned=2)
    with till.witness.shown():
        till.begin("Anna")
        till.serve()
    assert out.getvalue().splitlines() == ["PARIS Till 1: Anna opens shift 1", "1 of 2 orders"]


def test_the_table_has_a_row_for_every_shift(install: Callable[..., Till]) -> None:
    till = install()
    till.begin("Anna")
    till.finish(till.ring_up())
    till.end()
    till.settled()
    out = io.StringIO()
    print_rows(shift_rows([till]), out)
    row = next(line for line in out.getvalue().splitlines() if "Anna" in line)
    assert [cell.strip() for cell in row.split("│")[1:10]] == ["PARIS", "Till 1", "1", "Anna", "1", "1", "0", "0", "0"]
    assert "reconciled" in row


def test_a_drawer_that_nobody_has_counted_is_told_as_such(install: Callable[..., Till]) -> None:
    till = install()
    till.begin("Anna")
    till.finish(till.ring_up())
    till.end(blind=True)
    till.settled()
    out = io.StringIO()
    (blind,) = shift_rows([till])
    print_rows([blind, replace(blind, over_short=0)], out)
    rows = [line.split("│") for line in out.getvalue().splitlines() if "Anna" in line]
    assert [row[12].strip() for row in rows] == ["not counted", "0.00"]
