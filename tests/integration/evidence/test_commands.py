"""The commands of evidence: what they print, and what they refuse in words."""

import base64
import json
import re
import stat
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from backoffice.books.evidence.keys import signing_key
from backoffice.books.evidence.sealer import seal
from backoffice.domain.evidence.notes import check_note
from tests.integration.api.test_heartbeats import beat
from tests.integration.evidence.sealing import rows
from tests.till import Till, a_sale

CHECKOUT = Path(__file__).resolve().parents[3]
DOCUMENT = (CHECKOUT / "docs" / "evidence.md").read_text()
(SCRIPT,) = re.findall(r"<!-- the script that checks a proof -->\n```python\n(.*?)```", DOCUMENT, re.DOTALL)


def said(command: str, *words: str) -> str:
    out = StringIO()
    call_command(command, *words, stdout=out)
    return out.getvalue()


def checked(proof: Any, *, key: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What the document's script says of a proof, in a process that knows nothing of this service."""
    (folder / "check_proof.py").write_text(SCRIPT)
    return subprocess.run(
        [sys.executable, "-I", "check_proof.py", key],
        input=proof if isinstance(proof, str) else json.dumps(proof),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def order(till: Till) -> dict[str, Any]:
    """A posted order among others."""
    order = a_sale(1002)
    till.sell(a_sale(1001), order, a_sale(1003))
    return order


def test_a_checkpoint_is_the_note_alone_and_covers_what_is_posted(order: dict[str, Any]) -> None:
    note = said("checkpoint")
    head = check_note(note, signing_key().checking)
    assert head.size == rows("SELECT size FROM evidence_installationtree")[0][0]
    assert rows(
        "SELECT FROM evidence_leaf f JOIN ledger_entrysource s ON s.entry_id = f.row_id WHERE s.source_id = %s",
        order["order_id"],
    )
    assert said("checkpoint") == note, "nothing new: the same note"


def test_its_key_is_printed_for_the_auditor(order: dict[str, Any]) -> None:
    assert said("checkpoint", "--public-key") == f"{signing_key().checking}\n"


def test_the_script_of_the_document_checks_a_proof_without_us(order: dict[str, Any], tmp_path: Path) -> None:
    done = checked(said("prove", order["order_id"]), key=said("checkpoint", "--public-key").strip(), folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Order {order['order_id']} is entry " in done.stdout
    assert "account 1000 : debit 240, credit 0 EUR" in done.stdout
    assert "account 2100 FR-5.5: debit 0, credit 13 EUR" in done.stdout
    assert len(SCRIPT.splitlines()) < 55


def test_a_proof_holds_after_the_books_have_grown(till: Till, order: dict[str, Any], tmp_path: Path) -> None:
    before = said("prove", order["order_id"])
    till.sell(a_sale(1004))
    seal(now=timezone.now())
    after = said("prove", order["order_id"])
    assert json.loads(before)["checkpoint"] != json.loads(after)["checkpoint"]
    for proof in (before, after):
        assert checked(proof, key=str(signing_key().checking), folder=tmp_path).returncode == 0


def changed_leaf(proof: dict[str, Any]) -> None:
    place = proof["leaf"].index("240")
    proof["leaf"][place] = "241"


def another_order(proof: dict[str, Any]) -> None:
    proof["order_id"] = proof["leaf"][7] = str(uuid4())


def changed_path(proof: dict[str, Any]) -> None:
    proof["leaf_path"][0] = "00" * 32


def changed_place(proof: dict[str, Any]) -> None:
    proof["leaf_index"] ^= 1


def changed_day(proof: dict[str, Any]) -> None:
    proof["day"][4] = "00" * 32


def changed_root_path(proof: dict[str, Any]) -> None:
    proof["day_path"] = proof["day_path"][:-1]


def changed_size(proof: dict[str, Any]) -> None:
    origin, size, rest = proof["checkpoint"].split("\n", 2)
    proof["checkpoint"] = f"{origin}\n{int(size) + 1}\n{rest}"


def changed_root(proof: dict[str, Any]) -> None:
    lines = proof["checkpoint"].split("\n")
    lines[2] = base64.b64encode(bytes(32)).decode()
    proof["checkpoint"] = "\n".join(lines)


def an_order_with_its_own_story(proof: dict[str, Any]) -> None:
    proof["order_id"] = str(uuid4())


@pytest.mark.parametrize(
    "tamper",
    [
        changed_leaf,
        another_order,
        changed_path,
        changed_place,
        changed_day,
        changed_root_path,
        changed_size,
        changed_root,
        an_order_with_its_own_story,
    ],
)
def test_the_script_finds_what_was_changed_in_a_proof(
    till: Till, order: dict[str, Any], tmp_path: Path, tamper: Any
) -> None:
    seal(now=timezone.now())
    till.sell(a_sale(1004))  # so that the installation's tree has paths
    proof = json.loads(said("prove", order["order_id"]))
    tamper(proof)
    done = checked(proof, key=str(signing_key().checking), folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("WRONG: ")


def test_the_script_takes_no_other_key(order: dict[str, Any], tmp_path: Path) -> None:
    call_command(
        "create_seal_key", "--name", "elsewhere.example/1", "--file", str(tmp_path / "key"), stdout=(out := StringIO())
    )
    done = checked(said("prove", order["order_id"]), key=out.getvalue().strip(), folder=tmp_path)
    assert done.returncode == 1
    assert "the checkpoint is not one of elsewhere.example/1" in done.stderr


def test_there_is_no_proof_of_what_is_not_in_the_books(till: Till) -> None:
    held = a_sale(1001, total=1)
    till.sell(held)
    for order_id in (held["order_id"], str(uuid4())):
        with pytest.raises(CommandError, match="has no entry in the books"):
            said("prove", order_id)


def test_no_proof_is_made_of_an_entry_that_was_changed(order: dict[str, Any]) -> None:
    said("checkpoint")
    with connection.cursor() as cursor:
        cursor.execute("SELECT entry_id FROM ledger_entrysource WHERE source_id = %s", [order["order_id"]])
        (entry_id,) = cursor.fetchone()
        leaf = "ledger_journalentry_default"
        cursor.execute("SELECT tableoid::regclass::text FROM ledger_journalentry WHERE id = %s", [entry_id])
        (leaf,) = cursor.fetchone()
        try:
            cursor.execute(
                f"ALTER TABLE {leaf} DISABLE TRIGGER USER; ALTER TABLE ledger_journalentry DISABLE TRIGGER USER"
            )
            cursor.execute(
                "UPDATE ledger_journalentry SET posted_at = posted_at + interval '1 s' WHERE id = %s", [entry_id]
            )
            with pytest.raises(CommandError, match="not what was sealed"):
                said("prove", order["order_id"])
        finally:
            cursor.execute(
                "UPDATE ledger_journalentry SET posted_at = posted_at - interval '1 s' WHERE id = %s", [entry_id]
            )
            cursor.execute(
                f"ALTER TABLE {leaf} ENABLE TRIGGER USER; ALTER TABLE ledger_journalentry ENABLE TRIGGER USER"
            )


def test_a_key_is_readable_by_its_owner_alone_and_never_replaced(tmp_path: Path) -> None:
    file = tmp_path / "key"
    printed = said("create_seal_key", "--name", "books.example/1", "--file", str(file))
    assert printed.startswith("books.example/1+")
    assert "PRIVATE" not in printed
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(CommandError, match="never replaced"):
        said("create_seal_key", "--name", "books.example/1", "--file", str(file))


@pytest.mark.parametrize("name", ["", "two words", "a+b", "a\nb"])
def test_a_key_has_a_name_that_a_note_can_hold(tmp_path: Path, name: str) -> None:
    with pytest.raises(CommandError, match="neither spaces nor a plus"):
        said("create_seal_key", "--name", name, "--file", str(tmp_path / "key"))


def test_a_key_that_others_can_read_signs_nothing(order: dict[str, Any], tmp_path: Path, settings: Any) -> None:
    settings.SEAL_KEY_FILE = str(tmp_path / "key")
    said("create_seal_key", "--name", "books.example/1")
    (tmp_path / "key").chmod(0o644)
    with pytest.raises(CommandError, match="can be read by others"):
        said("checkpoint")


@pytest.mark.parametrize(
    ("file", "words"), [(None, "SEAL_KEY_FILE names no file"), ("/nonexistent/key", "create_seal_key")]
)
def test_without_a_key_everything_is_sealed_and_nothing_signed(
    order: dict[str, Any], settings: Any, file: str | None, words: str
) -> None:
    settings.SEAL_KEY_FILE = file
    assert said("seal").startswith("Sealed: ")
    with pytest.raises(CommandError, match=words):
        said("checkpoint")


def test_the_key_stands_nowhere_in_the_database(order: dict[str, Any]) -> None:
    said("checkpoint")
    secret = Path(django_settings.SEAL_KEY_FILE).read_text().strip().rpartition("+")[2]
    for table in ("checkpoint", "verifierkey", "installationtree", "dayroot"):
        assert not rows(f"SELECT FROM evidence_{table} t WHERE t::text LIKE %s", f"%{secret}%")


def test_a_terminal_gets_the_newest_checkpoint_with_its_heartbeat(till: Till, order: dict[str, Any]) -> None:
    note = said("checkpoint")
    assert beat(till).json()["checkpoint"] == note
