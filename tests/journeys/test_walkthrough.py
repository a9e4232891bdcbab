"""The last chapter of docs/terminal-protocol.md, run as it is written: curl, from activation to a reconciled shift."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.conftest import CHECKOUT, RunningStack
from tests.told import remember_secrets

DOCUMENT = CHECKOUT / "docs" / "terminal-protocol.md"
BLOCKS = re.compile(r"^```(sh|json)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Where the chapter waits a moment, the test waits until it is so.
A_MOMENT = "sleep 1\n"
UNTIL_PROCESSED = 'until curl -s $API/batches/$CACHE -H "$AUTH" | grep -q \'"processed"\'; do sleep 0.2; done\n'
MADE_ANEW = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-.{22}|\d{4}-\d\d-\d\dT[\d:.]+Z|[\w-]{43}")


def steps() -> list[tuple[str, str | None]]:
    """Each command of the chapter with the answer that it shows, if it shows one."""
    chapter = DOCUMENT.read_text().partition("\n## 11. ")[2].partition("\n## 12. ")[0]
    blocks = BLOCKS.findall(chapter)
    found: list[tuple[str, str | None]] = []
    for kind, text in blocks:
        if kind == "sh":
            found.append((text, None))
        else:
            found[-1] = (found[-1][0], text)
    return found


def last_object(output: str) -> Any:
    """The last JSON document that commands printed."""
    position, found = output.index("{"), None
    while position >= 0:
        found, end = json.JSONDecoder().raw_decode(output, position)
        position = output.find("{", end)
    return found


def agrees(shown: Any, answered: Any) -> bool:
    """Whether an answer is what the chapter shows: "…" stands for anything, and what is made anew need not be the same."""
    if isinstance(shown, dict):
        return all(name == "…" or (name in answered and agrees(shown[name], answered[name])) for name in shown)
    if isinstance(shown, list):
        if shown and shown[-1] == "…":
            shown, answered = shown[:-1], answered[: len(shown) - 1]
        return len(shown) == len(answered) and all(map(agrees, shown, answered))
    if isinstance(shown, str) and MADE_ANEW.fullmatch(shown):
        return isinstance(answered, str) and MADE_ANEW.fullmatch(answered) is not None
    return bool(shown in (answered, "…"))


def test_the_first_shift_goes_as_the_document_says(stack: RunningStack, tmp_path: Path) -> None:
    [(start, _), *rest] = steps()
    assert start == "make up\n"
    script = ["set -eu", f"cd {tmp_path}"]
    for number, (commands, _) in enumerate(rest):
        here = commands.replace("http://127.0.0.1:8000", stack.base_url).replace(A_MOMENT, UNTIL_PROCESSED)
        here = here.replace(".venv/bin/python manage.py", f"{sys.executable} {CHECKOUT}/manage.py")
        script += [here, f'printf "\\n=== {number}\\n"']
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        env={**os.environ, **stack.environment},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    remember_secrets(done.stdout)
    answers = re.split(r"\n=== \d+\n", done.stdout)
    compared = 0
    for (commands, shown), output in zip(rest, answers, strict=False):
        if shown is not None:
            answered = last_object(output)
            assert agrees(json.loads(shown), answered), f"{commands}\nshown: {shown}\nanswered: {output}"
            compared += 1
    assert compared == sum(shown is not None for _, shown in rest) >= 6


def test_an_answer_that_differs_is_noticed() -> None:
    assert agrees({"a": [1, "…"], "…": "…"}, {"a": [1, 2], "b": 3})
    assert not agrees({"a": 1}, {"a": 2})
    assert not agrees({"a": [1, 2]}, {"a": [1]})
    assert not agrees({"id": "c42ed0ef-6994-47e9-92cf-cf07726376a7"}, {"id": None})
