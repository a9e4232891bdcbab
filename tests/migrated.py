"""Data folders of stacks, copied from one whose database is made and migrated: both take a processor six seconds."""

import fcntl
import json
import os
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

from backoffice.env import names_own_servers
from backoffice.workbench.embedded.folder import SECRETS, write_private
from backoffice.workbench.embedded.log import Log
from backoffice.workbench.embedded.migrations import Migrations
from backoffice.workbench.embedded.stack import Stack

CHECKOUT = Path(__file__).resolve().parent.parent
VAR = CHECKOUT / "var"
MIGRATED = "migrated"  # where a stack notes which migrations its database has
PASSWORD = "postgres_password"


def migrated(folder: Path) -> Path:
    """`folder`, with a database that a stack there need not migrate. With servers of one's own it stays as it is."""
    if not names_own_servers(os.environ):
        original = _original()
        folder.mkdir()
        subprocess.run(["cp", "-a", str(original / "postgres"), str(original / MIGRATED), str(folder)], check=True)
        # The database knows this one. All other secrets are new: by its token a stack finds the processes that are its own.
        password = json.loads((original / SECRETS).read_text())[PASSWORD]
        write_private(folder / SECRETS, json.dumps({PASSWORD: password}))
    return folder


def _original() -> Path:
    """The folder to copy, made anew when a migration has changed. Other runs wait until it is there."""
    original = VAR / f"test-migrated-{_fingerprint()}"
    VAR.mkdir(exist_ok=True)
    with (VAR / "test-migrated.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not original.exists():
            for old in VAR.glob("test-migrated-*"):
                shutil.rmtree(old)
            making = VAR / "test-migrated-new"
            _make(making)
            making.rename(original)
    return original


def _make(folder: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    with (
        (VAR / "test-migrated.log").open("w") as log,
        Stack(folder, roles=(), environment=environment, log=log) as servers,
    ):
        migrations = Migrations(CHECKOUT, record=folder / MIGRATED)
        environment |= servers.environment
        migrations.apply_if_needed(environment["DATABASE_URL"], environment, log=Log(log))


def _fingerprint() -> str:
    migrations = sorted(CHECKOUT.glob("backoffice/**/migrations/*.py"))
    decides = [*migrations, CHECKOUT / "requirements.txt", CHECKOUT / "backoffice" / "settings.py"]
    return sha256(b"\0".join(path.read_bytes() for path in decides)).hexdigest()[:12]
