"""The documents against what they speak of: links, commands, and the command that CI runs."""

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

from tests.unit.docs.documents import CHECKOUT, DOCUMENTS, README, anchors, blocks, links

MAKE = re.compile(r"(?<![\w-])make +(?!-)([a-z][a-z-]*)")
MANAGE = re.compile(r"manage\.py +([a-z_]+)")
TARGET = re.compile(r"^([a-z-]+):.*## ", re.MULTILINE)
CODE = re.compile(r"`([^`\n]+)`")
MACHINE = re.compile(r"(?<![\w.])/(?:work|root|home)/")


def name_of(path: Path) -> str:
    return str(path.relative_to(CHECKOUT))


def code_in(path: Path) -> str:
    """All that is set as code: blocks of a shell, and words between back-quotes."""
    text = path.read_text()
    return "\n".join([*blocks(text, "sh"), *blocks(text, ""), *CODE.findall(text)])


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    for link in links(document):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = link.partition("#")
        found = (document.parent / target).resolve() if target else document
        assert found.exists(), link
        assert found.is_relative_to(CHECKOUT), link
        if anchor:
            assert anchor in anchors(found), link


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_command_that_is_named_exists(document: Path) -> None:
    code = code_in(document)
    assert set(MAKE.findall(code)) <= set(TARGET.findall((CHECKOUT / "Makefile").read_text()))
    assert set(MANAGE.findall(code)) <= set(get_commands())


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_no_document_names_a_path_of_somebodys_machine(document: Path) -> None:
    assert MACHINE.search(document.read_text()) is None


def test_the_readme_says_how_ci_runs_the_tests() -> None:
    steps = re.findall(r"^step (.+)$", (CHECKOUT / ".ci" / "run").read_text(), re.MULTILINE)
    assert "make test" in steps
    assert any("make test" in block.splitlines() for block in blocks(README.read_text(), "sh"))


def test_the_index_of_decisions_names_every_one_by_its_title() -> None:
    folder = CHECKOUT / "docs" / "adr"
    index = (folder / "README.md").read_text()
    for decision in sorted(folder.glob("0*.md")):
        number, _, title = decision.read_text().splitlines()[0].removeprefix("# ").partition(". ")
        assert f"| {number} | [{title}]({decision.name}) |" in index
        assert decision.name.startswith(f"{int(number):04}-")


def test_every_decision_that_the_code_names_is_written() -> None:
    written = {path.name[:4] for path in (CHECKOUT / "docs" / "adr").glob("0*.md")}
    for folder in ("backoffice", "pos_api"):
        for path in (CHECKOUT / folder).rglob("*.py"):
            for number in re.findall(r"\bADR (\d+)", path.read_text()):
                assert f"{int(number):04}" in written, path
