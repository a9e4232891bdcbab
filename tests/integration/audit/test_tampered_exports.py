"""What was exported, and somebody changed: every kind of row is named."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError

from tests.integration.evidence.sealing import NOON, seal_here
from tests.integration.exports.sending import Target
from tests.till import Till, a_sale

pytestmark = pytest.mark.django_db

Verify = Callable[[], tuple[int, dict[str, Any]]]


@pytest.fixture
def target(till: Till, tmp_path: Path, verify: Verify) -> Target:
    """A day that was exported in two revisions, in books that agree."""
    target = Target(till, tmp_path, "ledger")
    target.define("gl-csv-summary")
    till.sell(a_sale(1001))
    seal_here()
    target.export()
    till.sell(a_sale(1002))
    seal_here(now=NOON + timedelta(hours=1))
    target.export()
    code, report = verify()
    assert (code, report["differences"]) == (0, [])
    return target


# What was done, and words of the difference that tells it.
CHANGES = {
    "a sum": ("UPDATE exports_exportedsum SET debit = debit + 1 WHERE debit > 0", "account 1000: sum"),
    "a sum that is gone": ("DELETE FROM exports_exportedsum WHERE account_id = '4000'", "account 4000: sum"),
    "a sum that was added": (
        "INSERT INTO exports_exportedsum (revision_id, account_id, tax_code, method, debit, credit) SELECT id, '6900', '', '', 5, 0 FROM exports_exportrevision",
        "account 6900: sum",
    ),
    "a range that begins later": (
        "UPDATE exports_exportrevision SET after = after + 1 WHERE number = 1",
        "range of seals",
    ),
    "a range that ends earlier": (
        "UPDATE exports_exportrevision SET upto = upto - 1 WHERE number = 1",
        "range of seals",
    ),
    "a revision's number": ("UPDATE exports_exportrevision SET number = 3 WHERE number = 2", "range of seals"),
    "a reference": ("UPDATE exports_exportrevision SET reference = 'X' WHERE number = 2", "revision X"),
    "a run that reaches further": ("UPDATE exports_exportrun SET upto = upto + 1", "range of seals"),
    "a revision that is gone": ("DELETE FROM exports_exportrevision WHERE number = 2", "entries left out"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_whatever_was_changed_is_found_and_named(
    target: Target, verify: Verify, tamper: Callable[..., None], what: str
) -> None:
    statement, words = CHANGES[what]
    tamper(statement)
    code, report = verify()
    assert code == 1
    found = [f"{each['where']}: {each['what']}" for each in report["differences"]]
    assert any(words in each for each in found), found


def test_a_run_whose_files_would_be_others_now_is_refused(target: Target, tamper: Callable[..., None]) -> None:
    tamper("UPDATE exports_exportedsum SET debit = debit + 1 WHERE debit > 0")
    with pytest.raises(CommandError, match="would not be what it was"):
        target.again(1, into="again")
    assert list((target.folder / "again").iterdir()) == []
