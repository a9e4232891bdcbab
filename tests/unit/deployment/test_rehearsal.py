"""tests/rehearsal: what it types stands in the handbook, and what it leaves out it names."""

import ast
import importlib
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.rehearsal import acts
from tests.rehearsal.handbook import LEFT_OUT, PLACEHOLDER, Block, block, blocks, fill, sentence
from tests.rehearsal.needs import missing
from tests.rehearsal.play import Row
from tests.rehearsal.table import table
from tests.rehearsal.till import Sale
from tests.unit.deployment.files import CHECKOUT, ENV_EXAMPLE, SERVICES


def calls(name: str) -> list[tuple[str, ...]]:
    """What the acts ask the handbook for: the words of each call of `block` or `sentence`."""
    found = []
    for path in sorted(Path(acts.__path__[0]).glob("[a-z]*.py")):
        known = vars(importlib.import_module(f"{acts.__name__}.{path.stem}"))
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
                words = [word.value if isinstance(word, ast.Constant) else known[word.id] for word in node.args]  # type: ignore[attr-defined]
                found.append(tuple(words))
    return found


def asked(wanted: tuple[str, ...]) -> list[Block]:
    return [found for found in blocks() if found.heading == wanted[0] and wanted[1] in found.text]


def test_what_it_asks_the_handbook_for_is_there_once() -> None:
    assert len(calls("block")) >= 10
    for wanted in calls("block"):
        assert len(asked(wanted)) == 1, wanted
    for (begins,) in calls("sentence"):
        if not PLACEHOLDER.search(begins):
            assert sentence(begins)
            continue
        with pytest.raises(LookupError, match="still to be put in"):
            sentence(begins)


def test_every_block_of_the_handbook_is_rehearsed_or_named_with_its_reason() -> None:
    assert len(blocks()) >= 20
    rehearsed = [found for wanted in calls("block") for found in asked(wanted)]
    for found in blocks():
        left_out = [key for key in LEFT_OUT if key[0] == found.heading and key[1] in found.text]
        assert (found in rehearsed) is not bool(left_out), found


def test_a_placeholder_is_put_in_or_refused() -> None:
    assert fill("git checkout THE-NEW-VERSION  # THE-END", {"THE_NEW_VERSION": "v2"}) == "git checkout v2  # THE-END"
    with pytest.raises(LookupError, match="YOUR-NAME is still to be put in"):
        fill("curl https://YOUR-NAME/livez", {})
    with pytest.raises(LookupError, match="YOUR-NAME does not stand in"):
        fill("curl https://localhost/livez", {"YOUR_NAME": "localhost"})
    with pytest.raises(LookupError, match="0 blocks"):
        block("Install with compose", "no such command")


def test_a_machine_that_lacks_something_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    said = "\n".join(missing(tmp_path))
    assert "It needs root" in said
    assert "apt-get install" in said
    assert "debootstrap" in said


def test_its_table_says_what_the_till_noticed() -> None:
    sales = [Sale(at=0.0, seconds=0.1, is_live=True), Sale(at=1.0, seconds=4.2, is_live=False)]
    (_, _, row) = table([Row("`web` is killed", 12.0, sales, None, ["once"])]).splitlines()
    assert row == "| `web` is killed | 12 s | 2 | 1 | 4.2 s |  | once |"


@pytest.mark.skipif(
    shutil.which("docker") is None
    or subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode != 0,
    reason="no docker client with compose",
)
def test_compose_itself_can_read_the_file(tmp_path: Path) -> None:
    filled = "".join(f"{line}filled\n" if line.endswith("=") else f"{line}\n" for line in ENV_EXAMPLE.splitlines())
    (tmp_path / "env").write_text(filled)
    words = ["docker", "compose", "--env-file", str(tmp_path / "env"), "--file", str(CHECKOUT / "docker-compose.yml")]
    done = subprocess.run([*words, "config", "--services"], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) == SERVICES.keys()
