"""The tests' till over real HTTP, against a running Back Office."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

import httpx

from tests.conftest import RunningStack
from tests.till import Till
from tests.told import Remembering

PATIENCE_S = 30.0


def a_store_code(stack: RunningStack, **facts: str) -> str:
    """A store of the journey's own."""
    code = f"J{uuid4().hex[:8]}"
    facts = {"timezone": "Europe/Paris", "currency": "EUR"} | facts
    stack.clerk.does("create_store", code, *(word for name, value in facts.items() for word in (f"--{name}", value)))
    return code


class HttpTill(Till):
    """Activated through the address that a shop would use, by a code of the command's, or one that was shown to somebody."""

    def __init__(self, stack: RunningStack, store_code: str = "", *, name: str = "Till 1", code: str = "") -> None:
        self.http = httpx.Client(base_url=f"{stack.base_url}/api/v1/", timeout=30, transport=Remembering())
        code = code or stack.activation_code(store_code, name)
        answer = self.send("POST", "activations", {"activation_code": code, "device": {"name": name}})
        assert answer.status_code == 201, answer.text
        self.token = answer.json()["token"]
        self.shift_id = uuid4()

    def send(
        self,
        method: str,
        path: str,
        message: Any = None,
        *,
        raw: bytes | None = None,
        environ: Mapping[str, Any] | None = None,
        **headers: str,
    ) -> Any:
        assert not environ, "a real web server says for itself what a request was"
        body = raw if raw is not None else (None if message is None else json.dumps(message).encode())
        if self.token is not None:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        return self.http.request(method, path, content=body, headers=headers)

    def processed(self, batch_id: str) -> dict[str, Any]:
        """The receipt of a batch once it is processed."""
        return eventually(lambda: self.receipt(batch_id), lambda receipt: receipt["state"] == "processed")

    def settled(self) -> dict[str, Any]:
        """The till's shift once it is neither open nor closing."""
        return eventually(self.shift, lambda shift: shift["state"] not in {"open", "closing"})


def eventually(look: Callable[[], Any], enough: Callable[[Any], bool], *, patience_s: float = PATIENCE_S) -> Any:
    """What `look` sees once that is `enough`; fails the test, showing what it saw last, when patience ends."""
    deadline = time.monotonic() + patience_s
    while not enough(seen := look()):
        assert time.monotonic() < deadline, f"not within {patience_s} s, but: {seen}"
        time.sleep(0.05)
    return seen
