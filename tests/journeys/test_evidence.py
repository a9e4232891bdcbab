"""From a sale at a till to a proof that somebody checks who trusts nobody here, over a whole running service."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import RunningStack
from tests.integration.api.test_heartbeats import beat
from tests.integration.evidence.test_commands import checked
from tests.journeys.http_till import HttpTill, a_store_code
from tests.till import a_sale, outcomes

CHECKOUT = Path(__file__).resolve().parents[2]


def test_a_customer_can_check_a_receipt_and_an_auditor_the_books(stack: RunningStack, tmp_path: Path) -> None:
    till = HttpTill(stack, a_store_code(stack))
    assert till.open().status_code == 201
    order = a_sale(1001)
    assert outcomes(till.processed(till.upload(order).json()["batch_id"])) == ["posted"]

    anchor = tmp_path / "anchor.note"
    anchor.write_text(stack.manage("checkpoint"))
    key = stack.manage("checkpoint", "--public-key").strip()
    assert checked(stack.manage("prove", order["order_id"]), key=key, folder=tmp_path).returncode == 0
    assert beat(till).json()["checkpoint"] is not None

    later = a_sale(1002)
    till.processed(till.upload(later).json()["batch_id"])
    stack.manage("seal")
    assert json.loads(stack.manage("verify_books", "--json", "--anchor", str(anchor)))["differences"] == []

    anchor.write_text(anchor.read_text().replace("localhost", "elsewhere"))
    refused = subprocess.run(
        [sys.executable, "manage.py", "verify_books", "--anchor", str(anchor)],
        env={**stack.environment, "PATH": ""},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert refused.returncode == 1
    assert "The anchor is of another installation: backoffice.elsewhere/" in refused.stderr


@pytest.mark.parametrize(("role", "knows"), [("web", False), ("beat", False), ("worker", True)])
def test_of_the_service_only_the_worker_is_told_where_the_key_is(
    stack: RunningStack, role: str, *, knows: bool
) -> None:
    told = Path(f"/proc/{stack.pids[role]}/environ").read_bytes().split(b"\0")
    assert any(word.startswith(b"SEAL_KEY_FILE=") for word in told) is knows
