"""Where the service finds its servers and secrets: the environment, or the embedded stack's own file."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

DEFAULT_DATA_DIR = "var"
STACK_FILE = "env"
STACK_MARK = "BACKOFFICE_STACK"  # the data folder of the stack that an environment's addresses belong to


def data_dir_of(argv: Sequence[str]) -> Path:
    """The folder that `--data-dir DIR` or `--data-dir=DIR` names on a command line; `var` by default."""
    for position, word in enumerate(argv):
        if word.startswith("--data-dir="):
            return Path(word.partition("=")[2])
        if word == "--data-dir" and position + 1 < len(argv):
            return Path(argv[position + 1])
    return Path(DEFAULT_DATA_DIR)


def words_for_django(argv: Sequence[str]) -> list[str]:
    """The command line without `--data-dir`, unless it is for a command of ours: Django's own do not know the option."""
    words = list(argv)
    here = Path(__file__).parent
    ours = {
        path.stem for room in (here, here / "workbench") for path in (room / "management" / "commands").glob("*.py")
    }
    if len(words) > 1 and words[1] in ours:
        return words
    for position, word in enumerate(words):
        if word.startswith("--data-dir="):
            return words[:position] + words[position + 1 :]
        if word == "--data-dir":
            return words[:position] + words[position + 2 :]
    return words


def read_stack_file(data_dir: Path) -> Mapping[str, str]:
    """The NAME=value lines that a running stack wrote to `DATA_DIR/env`; empty if none is running or we may not read it."""
    try:
        text = (data_dir / STACK_FILE).read_text()
    except OSError:  # absent, or not readable by us
        return {}
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def load_stack_environment(argv: Sequence[str]) -> None:
    """Adds the stack's addresses to the environment, unless DATABASE_URL already names a server."""
    if "DATABASE_URL" in os.environ:
        return
    for name, value in read_stack_file(data_dir_of(argv)).items():
        os.environ.setdefault(name, value)


def names_own_servers(environment: Mapping[str, str]) -> bool:
    """Whether the servers in an environment were chosen by a person, and not written there by a running stack."""
    return "DATABASE_URL" in environment and STACK_MARK not in environment
