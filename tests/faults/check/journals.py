"""Reading what terminals wrote down of their own requests.

A folder holds three files for each terminal, of one JSON object a line, written by whoever sends for it:

- `NAME.sent`, flushed to the disk before the request leaves:
  `{"terminal": UUID, "store": CODE, "path": "shifts/…", "sha256": HEX, "encoding": "gzip" or "", "body": BASE64}`,
  where `path` is that of a PUT below /api/v1/, and the digest is of the body as sent. Repeats need not be written again.
- `NAME.acknowledged`, flushed to the disk before the terminal learns of the answer, for answers of 2xx only:
  `{"path": …, "sha256": …, "status": 202}`.
- `NAME.drawers`, flushed to the disk before a close that leaves the counting to head office: what it will find,
  `{"shift_id": UUID, "cash": 19500}`. Of several lines of one shift the last counts.

A sender that was killed may leave the beginning of a line, which its successor ends; nothing was sent of it.
"""

import base64
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class BrokenJournal(Exception):
    """Something was acknowledged that was not written down before: the journals prove nothing."""


@dataclass(frozen=True)
class Sent:
    """One request. `what` is `shift`, `batch` or `close`; `body` is decoded; `batch_id` is empty but for batches."""

    terminal: str
    store: str
    what: str
    shift_id: str
    batch_id: str
    body: bytes
    acknowledged: bool


def journals(folder: Path) -> list[Path]:
    """The `.sent` file of every terminal."""
    return sorted(folder.glob("*.sent"))


def requests(journal: Path) -> Iterator[Sent]:
    """What one terminal sent about its shifts, in that order, each content once. Raises BrokenJournal."""
    acknowledged = {(line["path"], line["sha256"]) for line in whole_lines(journal.with_suffix(".acknowledged"))}
    seen = set()
    for line in whole_lines(journal):
        key = line["path"], line["sha256"]
        if key in seen:
            continue
        seen.add(key)
        body = base64.b64decode(line["body"])
        root, shift_id, *rest = line["path"].split("/")
        if root != "shifts":
            continue
        yield Sent(
            terminal=line["terminal"],
            store=line["store"],
            what={0: "shift", 1: "close", 2: "batch"}[len(rest)],
            shift_id=shift_id,
            batch_id=rest[1] if len(rest) == 2 else "",
            body=gzip.decompress(body) if line["encoding"] == "gzip" else body,
            acknowledged=key in acknowledged,
        )
    if unknown := acknowledged - seen:
        raise BrokenJournal(f"{journal}: acknowledged, but not written down as sent: {sorted(unknown)[:3]}")


def drawers(journal: Path) -> dict[str, int]:
    """By shift, the cash that head office finds in the drawers of one terminal that were closed blind."""
    return {line["shift_id"]: line["cash"] for line in whole_lines(journal.with_suffix(".drawers"))}


def whole_lines(path: Path) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    with path.open("rb") as file:
        for line in file:
            try:
                yield json.loads(line)
            except ValueError:
                continue  # begun by a sender that was killed before it sent anything
