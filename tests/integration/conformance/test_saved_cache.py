"""A till of ours dies without a line: what it saved is taken in by a Back Office that runs, and nothing is missing."""

import json
import time
from pathlib import Path

from backoffice_terminal import Device, TaxRate, Terminal

from tests.conftest import RunningStack
from tests.told import Remembering, remember_secrets

PATIENCE_S = 30.0
SET_UP = """
from django.contrib.auth.models import User
from django.utils import timezone
from backoffice.ingestion.stores import create_store, issue_activation_code
create_store(code="DYING", name="Dying", timezone="Europe/Paris", currency="EUR", prices_include_tax=True)
for name in ("dying-ruth", "dying-otto"):
    User.objects.create_superuser(name)
print(issue_activation_code(store_code="DYING", terminal_name="Till 1", now=timezone.now()))
"""


def sell(till: Terminal) -> None:
    draft = till.draft()
    draft.add(unit_price=120, taxes=[TaxRate("FR-5.5", "0.055")])
    draft.pay_cash(tendered=200)
    till.sell(draft)


def test_a_till_dies_and_its_shift_is_reconciled_all_the_same(stack: RunningStack, tmp_path: Path) -> None:
    code = stack.manage("shell", "--verbosity=0", "--command", SET_UP).split()[-1]
    remember_secrets(code)
    till = Terminal(tmp_path / "till.sqlite", stack.base_url, transport=Remembering())
    till.activate(code, Device("Till 1"))
    shift = till.open_shift(cashier="Anna", opening_float=0)
    sell(till)
    till.go_offline()
    for _ in range(3):
        sell(till)
    till.cash_in(5_000, reason="change")
    assert till.save_cache(tmp_path / "till.cache")[1:] == (3, 1)
    till.close()
    asked = ("decide", "import-cache", str(tmp_path / "till.cache"), "--as=dying-ruth", "--reason=till-dead")
    done = json.loads(stack.manage(*asked, "--agreed-by=dying-otto"))
    assert [batch["is_new"] for batch in done["after"]["batches"]] == [True]
    # It lives after all, on the same disk: nothing of it is in the books twice.
    till = Terminal(tmp_path / "till.sqlite", stack.base_url, transport=Remembering())
    till.go_online()
    till.close_shift(cash_counted=till.expected_cash(shift.shift_id))
    deadline = time.monotonic() + PATIENCE_S
    while till.look(shift.shift_id).state == "closing" and time.monotonic() < deadline:
        till.sync()
        time.sleep(0.05)
    view = till.look(shift.shift_id)
    till.close()
    assert (view.state, view.computed.order_count, view.differences) == ("reconciled", 4, ())
