"""What a terminal writes down of its own talk with Back Office, for the checker: see check/journals.py for the files."""

import base64
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import httpx

ROOT = "/api/v1/"


class Recorder(httpx.BaseTransport):
    """Between the client and the line. Every PUT is on the disk before it leaves, every 2xx before the client sees it."""

    def __init__(self, journals: Path, name: str, line: httpx.BaseTransport) -> None:
        self._sent = Lines(journals / f"{name}.sent")
        self._acknowledged = Lines(journals / f"{name}.acknowledged")
        self._drawers = Lines(journals / f"{name}.drawers")
        self._line = line
        self._known: set[tuple[str, str]] = set()
        self.terminal = self.store = ""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        body = request.read()
        path, digest = request.url.path.removeprefix(ROOT), hashlib.sha256(body).hexdigest()
        if request.method == "PUT" and (path, digest) not in self._known:
            self._sent.add(
                {
                    "terminal": self.terminal,
                    "store": self.store,
                    "path": path,
                    "sha256": digest,
                    "encoding": request.headers.get("Content-Encoding", ""),
                    "body": base64.b64encode(body).decode(),
                }
            )
            self._known.add((path, digest))
        response = self._line.handle_request(request)
        response.read()  # half an answer is none: this raises what the client would have raised
        if request.method == "PUT" and response.is_success:
            told = {"path": path, "sha256": digest, "status": response.status_code, "orders": _orders(response)}
            self._acknowledged.add(told)
        return response

    def drawer_holds(self, shift_id: str, cash: int) -> None:
        """What head office will find in a drawer, on the disk before the close that leaves the counting to it."""
        self._drawers.add({"shift_id": shift_id, "cash": cash})

    def close(self) -> None:
        self._line.close()


def _orders(response: httpx.Response) -> int:
    """How many orders a receipt is for, so that a run can show how far it is; the checker does not look at it."""
    try:
        return int(response.json()["orders"])
    except (ValueError, KeyError):
        return 0


class Lines:
    """A file to which whole lines are added, each on the disk before the next step."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)
        if self._file.tell():
            self._file.write(b"\n")  # ends a line that a killed predecessor may have begun

    def add(self, line: dict[str, Any]) -> None:
        data = memoryview(json.dumps(line).encode() + b"\n")
        while data:
            data = data[self._file.write(data) :]
        os.fsync(self._file.fileno())
