"""A till that is going to die saves what it has not sent, as a file that it signs (§12)."""

import base64
import gzip
import hashlib
import hmac
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from backoffice_terminal import CacheSaved, CredentialInvalid, Draft, NotActivated, Terminal
from backoffice_terminal.packing import batch_body
from backoffice_terminal.testing import FakeBackOffice, problem

Ring = Callable[[], Draft]


def read(path: Path, *, token: str) -> Any:
    """What the file holds; fails the test if it is not signed with the key of this token."""
    head, packed = path.read_bytes().split(b"\n", 1)
    mark, _, key, signature = head.split(b" ")
    assert mark == b"backoffice-cache/1"
    own = Ed25519PrivateKey.from_private_bytes(hmac.digest(token.encode(), b"backoffice-cache/1", hashlib.sha256))
    assert base64.b64decode(key) == own.public_key().public_bytes_raw()
    signed = head.rsplit(b" ", 1)[0] + b"\n" + packed
    Ed25519PublicKey.from_public_bytes(base64.b64decode(key)).verify(base64.b64decode(signature), signed)
    return json.loads(gzip.decompress(packed))


def token_of(till: Terminal) -> str:
    return str(till.journal.fact("token"))


def test_everything_that_was_not_acknowledged_is_in_it(till: Terminal, baguette: Ring, tmp_path: Path) -> None:
    till.sell(baguette())
    till.go_offline()
    cached = [till.sell(baguette()).order.number for _ in range(3)]
    till.cash_in(5_000, reason="change")
    assert till.save_cache(tmp_path / "cache") == CacheSaved(shifts=1, orders=3, movements=1)
    content = read(tmp_path / "cache", token=token_of(till))
    assert content["terminal_id"] == till.journal.fact("terminal_id")
    assert content["store_id"] == till.store.id
    (shift,) = content["shifts"]
    assert shift["close"] is None
    body = json.loads(shift["batches"][0]["body"])
    assert [order["number"] for order in body["orders"]] == cached
    assert body["cash_movements"][0]["amount"] == 5_000


def test_a_till_that_lives_after_all_sends_the_very_same(
    till: Terminal, baguette: Ring, server: FakeBackOffice, tmp_path: Path
) -> None:
    till.go_offline()
    till.sell(baguette())
    till.save_cache(tmp_path / "cache")
    (batch,) = read(tmp_path / "cache", token=token_of(till))["shifts"][0]["batches"]
    till.go_online()
    sent = till.journal.batch(batch["batch_id"])
    assert sent.state == "processed" or sent.state == "accepted"
    assert batch_body(sent.sent_at, *till.journal.members(sent)).decode() == batch["body"]
    assert till.save_cache(tmp_path / "again") == CacheSaved(0, 0, 0)


def test_a_close_that_was_not_sent_names_the_batches_beside_it(
    till: Terminal, baguette: Ring, server: FakeBackOffice, tmp_path: Path
) -> None:
    till.sell(baguette())
    till.go_offline()
    till.sell(baguette())
    server.script = [httpx.ConnectError("cut")] * 9
    with pytest.raises(Exception, match=r"cut|answer|connect"):
        till.close_shift(cash_counted=20_240)
    till.save_cache(tmp_path / "cache")
    (shift,) = read(tmp_path / "cache", token=token_of(till))["shifts"]
    close = json.loads(shift["close"])
    assert (close["order_count"], close["cash_counted"]) == (2, 20_240)
    assert close["batches"][-1] == shift["batches"][0]["batch_id"]
    assert len(close["batches"]) == 2


def test_a_revoked_till_still_signs(till: Terminal, baguette: Ring, server: FakeBackOffice, tmp_path: Path) -> None:
    token = token_of(till)
    server.script = [problem(401, "credential-invalid")]
    till.go_offline()
    till.sell(baguette())
    with pytest.raises(CredentialInvalid):
        till.go_online()
    assert not till.is_activated
    assert till.save_cache(tmp_path / "cache").orders == 1
    read(tmp_path / "cache", token=token)


def test_it_signs_with_the_token_that_has_worked(till: Terminal, tmp_path: Path) -> None:
    token = token_of(till)
    till.journal.note("token_next", "asked for, and the answer to its first use was lost")
    till.save_cache(tmp_path / "cache")
    read(tmp_path / "cache", token=token)


def test_a_till_that_never_was_activated_has_nothing_to_sign_with(boot: Callable[[], Terminal], tmp_path: Path) -> None:
    with pytest.raises(NotActivated):
        boot().save_cache(tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_a_full_disk_leaves_the_file_of_before(till: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    till.save_cache(tmp_path / "cache")
    before = (tmp_path / "cache").read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        till.save_cache(tmp_path / "cache")
    assert (tmp_path / "cache").read_bytes() == before


def test_what_back_office_refused_goes_with_it(
    till: Terminal, baguette: Ring, server: FakeBackOffice, tmp_path: Path
) -> None:
    server.script = [problem(422, "envelope-invalid")]
    till.sell(baguette())
    assert till.refused()
    assert till.save_cache(tmp_path / "cache").orders == 1
