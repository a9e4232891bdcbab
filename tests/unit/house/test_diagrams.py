"""docs/states.md shows the states as the service has them."""

import re
import shutil
from pathlib import Path

import pytest

from backoffice.domain.states import BATCH_TRANSITIONS, SHIFT_TRANSITIONS, STORE_DAY_TRANSITIONS, BatchState
from tests.house import diagrams
from tests.house.sources import CHECKOUT
from tests.unit.docs.documents import rows, section


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    shutil.copy(CHECKOUT / diagrams.DOCUMENT, tmp_path / "docs")
    return tmp_path


def test_a_diagram_says_where_all_begin_what_follows_and_where_it_ends():
    assert diagrams.diagram(BATCH_TRANSITIONS).splitlines() == [
        "```mermaid",
        "stateDiagram-v2",
        "    [*] --> received",
        "    received --> failed",
        "    received --> processed",
        "    failed --> processed",
        "    processed --> [*]",
        "```",
    ]


def test_the_diagrams_of_the_document_are_those_of_the_tables():
    assert list(diagrams.diagrams_out_of_date()) == []


def test_a_diagram_that_differs_is_found_and_drawn_anew(checkout: Path):
    document = checkout / diagrams.DOCUMENT
    written = document.read_text()
    document.write_text(written.replace("    open --> closing\n", "    open --> approved\n"))
    (found,) = diagrams.diagrams_out_of_date(checkout)
    assert (found.name, found.place) == ("SHIFT_TRANSITIONS", "docs/states.md:7")
    diagrams.write(checkout)
    assert document.read_text() == written


def test_a_diagram_that_is_missing_is_found(checkout: Path):
    document = checkout / diagrams.DOCUMENT
    document.write_text(document.read_text().replace("<!-- drawn from BATCH_TRANSITIONS -->", ""))
    assert [found.says for found in diagrams.diagrams_out_of_date(checkout)] == [
        "the diagram of BATCH_TRANSITIONS is missing"
    ]


@pytest.mark.parametrize(
    ("heading", "transitions"),
    [
        ("## A shift", SHIFT_TRANSITIONS),
        ("## A batch", BATCH_TRANSITIONS),
        ("## A store day", STORE_DAY_TRANSITIONS),
    ],
)
def test_the_document_says_of_every_transition_when_it_happens(heading: str, transitions):
    told = [
        (re.sub("`", "", cells[0]), re.sub("`", "", cells[1]))
        for cells in rows(section(CHECKOUT / diagrams.DOCUMENT, heading))
    ]
    assert told[0] == ("from", "to")
    assert sorted(told[1:]) == sorted((state, after) for state, following in transitions.items() for after in following)


def test_a_batch_that_is_processed_stays_so_and_none_becomes_received_again():
    assert set(BATCH_TRANSITIONS) == set(BatchState)
    assert BATCH_TRANSITIONS[BatchState.PROCESSED] == frozenset()
    assert all(BatchState.RECEIVED not in following for following in BATCH_TRANSITIONS.values())
