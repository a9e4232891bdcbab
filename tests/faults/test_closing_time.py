"""All shops close at the same minute: every upload and every close is acknowledged, or told when to come again."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx

from tests.faults.conftest import TAKEN, Mortal
from tests.journeys.http_till import HttpTill, a_store_code
from tests.promises import broken_promises
from tests.till import a_sale

TERMINALS = 200
CLIENTS = 64  # that many requests are under way at any moment
ORDERS = 10
PATIENCE_S = 120

# What `create_store` and `issue_activation_code` do, without two hundred starts of Python.
ACTIVATE = """
import json
from django.utils import timezone
from backoffice.ingestion.stores import activate, issue_activation_code
codes = [issue_activation_code(store_code={code!r}, terminal_name=f"Till {{n}}", now=timezone.now()) for n in range({many})]
print(json.dumps([activate(code=code, device={{}}, now=timezone.now()).token for code in codes]))
"""


class QuickTill(HttpTill):
    """A terminal that has been activated already."""

    def __init__(self, http: httpx.Client, token: str) -> None:
        self.http, self.token, self.shift_id = http, token, uuid4()

    def send(self, *request: Any, **how: Any) -> Any:
        """As terminals do: what is 503 is sent again, when it was told to."""
        while (answer := super().send(*request, **how)).status_code == 503:
            time.sleep(int(answer.headers["Retry-After"]))
        return answer


def close_for_the_day(till: QuickTill) -> tuple[list[str], list[int]]:
    """A shift that was offline all day: what was sold, and what the terminal was answered."""
    assert till.open().status_code == 201
    orders, batch_id = [a_sale(1001 + place) for place in range(ORDERS)], str(uuid4())
    statuses = [till.upload(*orders, batch_id=batch_id).status_code]
    statuses.append(till.close(*orders, batches=[batch_id]).status_code)
    return [order["order_id"] for order in orders], statuses


def test_two_hundred_terminals_that_close_at_the_same_minute_are_all_acknowledged(mortal: Mortal) -> None:
    script = ACTIVATE.format(code=a_store_code(mortal), many=TERMINALS)
    tokens = json.loads(mortal.manage("shell", "--no-imports", "--command", script).splitlines()[-1])
    limits = httpx.Limits(max_connections=CLIENTS)
    with httpx.Client(base_url=f"{mortal.base_url}/api/v1/", timeout=60, limits=limits) as http:
        tills = [QuickTill(http, token) for token in tokens]
        with ThreadPoolExecutor(CLIENTS) as pool:
            told = list(pool.map(close_for_the_day, tills))
        assert {status for _, statuses in told for status in statuses} <= TAKEN
        deadline = time.monotonic() + PATIENCE_S
        while waiting := [till for till in tills if till.shift()["state"] != "reconciled"]:
            assert time.monotonic() < deadline, f"{len(waiting)} shifts are not settled"
            tills = waiting
    with mortal.database as connection, connection.cursor() as cursor:
        sold = [order_id for orders, _ in told for order_id in orders]
        assert len(sold) == TERMINALS * ORDERS
        assert broken_promises(cursor, acknowledged=sold) == []
