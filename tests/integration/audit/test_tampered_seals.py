"""Sealed books that somebody changed as a superuser: every kind of row, changed, removed, added or cut off, is named."""

import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from backoffice.books.evidence.checkpoints import sign_checkpoint
from backoffice.books.evidence.keys import signing_key
from backoffice.domain.evidence.notes import TreeHead, sign
from tests.integration.evidence.sealing import NOON, seal_here
from tests.till import Till, a_movement, a_sale

pytestmark = pytest.mark.django_db

Verify = Callable[[], tuple[int, dict[str, Any]]]
Tamper = Callable[..., None]

ENTRY = "(SELECT entry_id FROM ledger_entrysource WHERE source_id = %(order)s)"
BATCH = "(SELECT batch_id FROM sales_order WHERE order_id = %(order)s)"
LEAF = f"kind = 'entry' AND row_id = {ENTRY}"


@pytest.fixture
def order(till: Till, verify: Verify) -> dict[str, Any]:
    """A posted and sealed order among others, in books of two days that agree."""
    order = a_sale(1002)
    till.sell(a_sale(1001), order, a_sale(1003), movements=[a_movement()])
    seal_here()
    sign_checkpoint(now=NOON)
    till.sell(a_sale(1004), a_sale(1005))
    seal_here(now=NOON + timedelta(days=1))
    sign_checkpoint(now=NOON)
    code, report = verify()
    assert (code, report["differences"]) == (0, [])
    return order


def found(verify: Verify) -> list[str]:
    """The differences, each as one text."""
    code, report = verify()
    assert code == 1
    return [f"{each['where']}: {each['what']}, {each['expected']}, {each['found']}" for each in report["differences"]]


# What was done, and words of the difference that tells it.
CHANGES = {
    "an entry's time": (
        f"UPDATE ledger_journalentry SET posted_at = posted_at + interval '1 us' WHERE id = {ENTRY}",
        "journal entry",
    ),
    "an entry's shift": (
        f"UPDATE ledger_journalentry SET shift_id = gen_random_uuid() WHERE id = {ENTRY}",
        "journal entry",
    ),
    "an entry's terminal": (
        f"UPDATE ledger_journalentry SET terminal_id = terminal_id + 1 WHERE id = {ENTRY}",
        "journal entry",
    ),
    "an entry that is gone": (f"DELETE FROM ledger_journalentry WHERE id = {ENTRY}", "journal entry"),
    "an entry put behind the seals": (
        (
            "INSERT INTO ledger_journalentry (id, business_date, store_id, terminal_id, shift_id, source_kind, source_id, currency,"
            f" posted_at, xid) SELECT -1, business_date, store_id, terminal_id, shift_id, 'order', gen_random_uuid(), currency,"
            f" posted_at, '1' FROM ledger_journalentry WHERE id = {ENTRY}"
        ),
        "journal entry -1 of order",
    ),
    "a line's tax code": (
        f"UPDATE ledger_journalline SET tax_code = 'X' WHERE entry_id = {ENTRY} AND tax_code <> ''",
        "FR-5.5|X",
    ),
    "a line's position": (
        f"UPDATE ledger_journalline SET position = 7 WHERE entry_id = {ENTRY} AND debit > 0",
        "journal entry",
    ),
    "a line's account": (
        f"UPDATE ledger_journalline SET account_id = '1010' WHERE entry_id = {ENTRY} AND debit > 0",
        "journal entry",
    ),
    "a line's drawer": (f"UPDATE ledger_journalline SET drawer_id = NULL WHERE entry_id = {ENTRY}", "journal entry"),
    "amounts of both sides": (
        f"UPDATE ledger_journalline SET debit = debit * 2, credit = credit * 2 WHERE entry_id = {ENTRY}",
        "journal entry",
    ),
    "a line that is gone": (
        f"DELETE FROM ledger_journalline WHERE entry_id = {ENTRY} AND tax_code <> ''",
        "journal entry",
    ),
    "a line that was added": (
        (
            "INSERT INTO ledger_journalline (entry_id, position, business_date, store_id, account_id, debit, credit, currency)"
            f" SELECT entry_id, 9, business_date, store_id, '6900', 1, 0, currency FROM ledger_journalline WHERE entry_id = {ENTRY} LIMIT 1"
        ),
        "journal entry",
    ),
    "a batch's digest": (f"UPDATE inbox_batch SET digest = sha256('x') WHERE batch_id = {BATCH}", "sealed as batch 1"),
    "a batch's time": (
        f"UPDATE inbox_batch SET received_at = received_at - interval '1 s' WHERE batch_id = {BATCH}",
        "sealed as batch 1",
    ),
    "a batch that is gone": (f"DELETE FROM inbox_batch WHERE batch_id = {BATCH}", "sealed as batch 1"),
    "a store's identifier": ("UPDATE fleet_store SET uuid = gen_random_uuid()", "sealed as entry 1"),
    "a leaf's hash": (f"UPDATE evidence_leaf SET hash = sha256('x') WHERE {LEAF}", "journal entry"),
    "a leaf's number": (f"UPDATE evidence_leaf SET number = 77 WHERE {LEAF}", "number of journal entry"),
    "a leaf's record": (f"UPDATE evidence_leaf SET row_id = -5 WHERE {LEAF}", "journal entry -5"),
    "a leaf that is gone": (f"DELETE FROM evidence_leaf WHERE {LEAF}", "leaf is missing"),
    "the last leaf of a day": (
        "DELETE FROM evidence_leaf WHERE (day, position) IN (SELECT day, max(position) FROM evidence_leaf GROUP BY day)",
        "leaves are cut off",
    ),
    "a day of leaves": (
        "DELETE FROM evidence_leaf WHERE day = (SELECT min(day) FROM evidence_leaf)",
        "leaves are cut off",
    ),
    "a leaf that was added": (
        (
            "INSERT INTO evidence_leaf (store_id, day, position, kind, version, number, row_id, hash)"
            " SELECT store_id, max(day), 1000, 'entry', 1, 1000, -9, sha256('x') FROM evidence_leaf GROUP BY store_id"
        ),
        "leaf is missing",
    ),
    "the root of a day": ("UPDATE evidence_dayroot SET root = sha256('x') WHERE position = 0", "root of"),
    "the hash of a root": (
        "UPDATE evidence_dayroot SET hash = sha256('x') WHERE position = 0",
        "root 0 of the installation's tree: hash",
    ),
    "the size of a root": ("UPDATE evidence_dayroot SET size = size - 1 WHERE position = 1", "root"),
    "a root that is gone": ("DELETE FROM evidence_dayroot WHERE position = 0", "root is missing"),
    "the newest root": (
        "DELETE FROM evidence_dayroot WHERE position = (SELECT max(position) FROM evidence_dayroot)",
        "the books end before it",
    ),
    "a root that was added": (
        (
            "INSERT INTO evidence_dayroot (position, store_id, day, size, root, hash, sealed_at)"
            " SELECT position + 100, store_id, day, size, root, hash, sealed_at FROM evidence_dayroot WHERE position = 0"
        ),
        "root is missing",
    ),
    "a checkpoint's size": ("UPDATE evidence_checkpoint SET size = size + 5", "checkpoint of size"),
    "a checkpoint's text": (
        "UPDATE evidence_checkpoint SET note = replace(note, E'\\n1\\n', E'\\n2\\n')",
        "signed note",
    ),
    "a checkpoint's signature": (
        "UPDATE evidence_checkpoint SET note = left(note, -6) || 'AAAA=' || E'\\n' WHERE id = (SELECT min(id) FROM evidence_checkpoint)",
        "signed note",
    ),
    "a time stamp": (
        (
            "INSERT INTO evidence_stamp (checkpoint_id, reply, authority, stamped_at)"
            " SELECT min(id), 'x', 'nobody', now() FROM evidence_checkpoint"
        ),
        "time stamps",
    ),
    "a public key": ("DELETE FROM evidence_verifierkey", "signed note"),
    "the installation's tree": ("UPDATE evidence_installationtree SET packed = sha256(packed)", "the sealer's tree"),
    "a store's tree": ("UPDATE evidence_storetree SET size = size + 1", "the sealer's tree of the store"),
    "a store's last numbers": ("UPDATE evidence_storetree SET numbers = '{\"entry\": 1}'", "last numbers"),
    "a store's tree that is gone": ("DELETE FROM evidence_storetree", "the sealer's tree of the store"),
    "a daily balance": (
        "UPDATE evidence_dailybalance SET debit = debit + 1 WHERE account_id = '1000'",
        "daily balance of account 1000",
    ),
    "a daily balance that is gone": (
        "DELETE FROM evidence_dailybalance WHERE account_id = '4000'",
        "daily balance of account 4000",
    ),
    "a daily balance that was added": (
        "INSERT INTO evidence_dailybalance SELECT store_id, business_date, '9999', currency, 1, 0 FROM evidence_dailybalance LIMIT 1",
        "daily balance of account 9999",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_it_is_found_and_named(order: dict[str, Any], verify: Verify, tamper: Tamper, change: str) -> None:
    statement, words = CHANGES[change]
    if "%(order)s" in statement:
        statement = statement.replace("%(order)s", f"'{order['order_id']}'::uuid")
    tamper(statement)
    differences = found(verify)
    assert any(word in difference for difference in differences for word in words.split("|")), differences


def test_an_entry_that_the_sealer_was_led_past_is_found(
    till: Till, order: dict[str, Any], verify: Verify, tamper: Tamper
) -> None:
    till.sell(a_sale(1006))
    assert verify()[0] == 0
    tamper("UPDATE evidence_sealmark SET row_id = row_id + 1000000")
    assert any("has no seal, and is older" in difference for difference in found(verify))


def cut_off_everything_after_noon(tamper: Tamper) -> None:
    """The whole second day, and every trace of it that the database has: what is left agrees with itself."""
    later = "(SELECT row_id FROM evidence_leaf WHERE day = '2026-03-03' AND kind = 'entry')"
    batches = "(SELECT item_id FROM evidence_leaf WHERE day = '2026-03-03' AND kind = 'batch')"
    for statement in (
        "DELETE FROM evidence_dailybalance b USING (SELECT store_id, business_date, account_id FROM ledger_journalline) l WHERE b.store_id = l.store_id",
        f"DELETE FROM ledger_journalline WHERE entry_id IN {later}",
        f"DELETE FROM ledger_journalentry WHERE id IN {later}",
        f"DELETE FROM ledger_entrysource WHERE entry_id IN {later}",
        f"DELETE FROM sales_payment WHERE order_id IN {later}",
        f"DELETE FROM sales_orderline WHERE order_id IN {later}",
        f"DELETE FROM sales_order WHERE id IN {later}",
        f"DELETE FROM sales_identity WHERE row_id IN {later}",
        f"DELETE FROM inbox_batch WHERE batch_id IN {batches}",
        "DELETE FROM evidence_leaf WHERE day = '2026-03-03'",
        "DELETE FROM evidence_dayroot WHERE day = '2026-03-03'",
        "DELETE FROM evidence_checkpoint WHERE size > 1",
        "UPDATE evidence_sealmark SET row_id = (SELECT max(id) FROM ledger_journalentry)",
        "UPDATE evidence_installationtree SET day = '2026-03-02', size = 1, packed = (SELECT hash FROM evidence_dayroot)",
        "DELETE FROM evidence_storetree",
    ):
        tamper(statement)


def anchored(anchor: Path) -> tuple[int, list[str]]:
    """The exit code of `verify_books --anchor`, and its differences as texts."""
    out, code = StringIO(), 0
    try:
        call_command("verify_books", "--json", "--anchor", str(anchor), stdout=out)
    except SystemExit as end:
        code = int(str(end.code))
    return code, [f"{each['where']}: {each['what']}" for each in json.loads(out.getvalue())["differences"]]


@pytest.fixture
def anchor(order: dict[str, Any], tmp_path: Path) -> Path:
    """A checkpoint of both days, kept elsewhere."""
    path = tmp_path / "anchor.note"
    path.write_text(sign_checkpoint(now=timezone.now()))
    return path


def test_books_that_went_on_continue_an_anchor(till: Till, anchor: Path) -> None:
    assert anchored(anchor) == (0, [])
    till.sell(a_sale(1006))
    assert anchored(anchor) == (0, [])
    seal_here(now=NOON + timedelta(days=2))
    assert anchored(anchor) == (0, [])


def test_a_tail_that_was_cut_off_without_a_trace_is_found_by_an_anchor(
    till: Till, anchor: Path, tamper: Tamper
) -> None:
    cut_off_everything_after_noon(tamper)
    code, differences = anchored(anchor)
    assert code == 1
    assert any("the books end before it" in difference for difference in differences), differences


def test_a_history_that_was_sealed_anew_is_found_by_an_anchor(till: Till, anchor: Path, tamper: Tamper) -> None:
    for statement in (
        "UPDATE ledger_journalentry SET posted_at = posted_at + interval '1 s'",
        "DELETE FROM evidence_leaf",
        "DELETE FROM evidence_dayroot",
        "DELETE FROM evidence_checkpoint",
        "DELETE FROM evidence_storetree",
        "DELETE FROM evidence_dailybalance",
        "UPDATE evidence_sealmark SET xid = 0, row_id = 0",
        "UPDATE evidence_installationtree SET day = NULL, size = 0, packed = ''",
    ):
        tamper(statement)
    seal_here()
    seal_here(now=NOON + timedelta(days=1))
    till.sell(a_sale(1006))
    seal_here(now=NOON + timedelta(days=1))
    sign_checkpoint(now=NOON)
    code, differences = anchored(anchor)
    assert code == 1
    assert [difference for difference in differences if "the books do not continue it" in difference], differences


def test_an_anchor_of_another_installation_is_refused_in_words(
    order: dict[str, Any], tmp_path: Path, settings: Any
) -> None:
    ours = settings.SEAL_KEY_FILE
    settings.SEAL_KEY_FILE = str(tmp_path / "key")
    call_command("create_seal_key", "--name", "elsewhere.example/1", stdout=StringIO())
    (tmp_path / "note").write_text(sign(TreeHead("elsewhere.example/1", 1, bytes(32)), signing_key()))
    settings.SEAL_KEY_FILE = ours
    with pytest.raises(CommandError, match=r"another installation: elsewhere\.example/1\. These books are backoffice"):
        anchored(tmp_path / "note")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text.replace("\n2\n", "\n3\n"), "signature is wrong"),
        (lambda text: text[:-8], "cannot be read"),
        (lambda _: "", "cannot be read"),
        (lambda _: "\x00" * 100, "cannot be read"),
    ],
)
def test_an_anchor_that_was_changed_is_refused_in_words(anchor: Path, change: Callable[[str], str], words: str) -> None:
    anchor.write_text(change(anchor.read_text()))
    with pytest.raises(CommandError, match=words):
        anchored(anchor)


def test_an_anchor_that_is_not_there_is_refused_in_words(order: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        anchored(tmp_path / "none")


def test_after_a_dump_was_restored_into_another_cluster_the_books_agree_at_once(
    till: Till, order: dict[str, Any], verify: Verify, tamper: Tamper
) -> None:
    tamper("UPDATE evidence_sealmark SET xid = xid + 1000000")
    till.sell(a_sale(1006))
    assert verify()[1]["differences"] == []


def test_books_that_were_never_sealed_agree_as_before(till: Till, verify: Verify) -> None:
    till.sell(a_sale(1001))
    assert verify()[1]["differences"] == []
