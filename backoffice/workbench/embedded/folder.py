"""What a stack keeps in its data folder besides the servers' data: its lock, secrets and addresses."""

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

from backoffice.domain.evidence.notes import KEY_BYTES, SigningKey
from backoffice.env import STACK_FILE, STACK_MARK
from backoffice.workbench.embedded import StackError

LOCK = "lock"
SECRETS = "secrets.json"
SEAL_KEY = "seal-key"
MEMORY = Path("/dev/shm")  # we make a folder in it that nobody else may enter  # noqa: S108  # nosec B108
SECRET_BYTES = {"postgres_password": 24, "valkey_password": 24, "secret_key": 48, "token": 16}  # lengths  # nosec B105


class DataFolder:
    """A stack's folder, which only one process at a time can hold."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self._lock: int | None = None
        owner = f"{os.getuid()}-{hashlib.sha256(str(self.path).encode()).hexdigest()[:16]}"
        self._metrics = MEMORY / f"backoffice-{owner}" if os.access(MEMORY, os.W_OK) else self.path / "metrics"

    def acquire(self) -> None:
        """Makes the folder and takes its lock, which the kernel releases however we end. Raises StackError."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StackError(f"The data folder {self.path} cannot be used: {error.strerror}.") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(lock, 32).decode(errors="replace").strip()
            os.close(lock)
            raise StackError(
                f"A Back Office is already running in {self.path} (process {holder or 'unknown'}).\n"
                "Stop it first, or give this one a folder of its own with --data-dir."
            ) from None
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        self._lock = lock

    def release(self) -> None:
        """Frees the memory and releases the lock. Its file stays: if it were removed, two processes could hold a lock each."""
        if self._lock is not None:
            shutil.rmtree(self._metrics, ignore_errors=True)
            os.close(self._lock)
            self._lock = None

    def secrets(self) -> dict[str, str]:
        """The stack's passwords and keys by name, made at the first start and kept from then on."""
        path = self.path / SECRETS
        known: dict[str, str] = _read_secrets(path) if path.exists() else {}
        if not known.keys() >= SECRET_BYTES.keys():
            known = {name: secrets.token_urlsafe(size) for name, size in SECRET_BYTES.items()} | known
            write_private(path, json.dumps(known, indent=2))
        return known

    def seal_key(self) -> Path:
        """The file of the key that signs the seals of the books, made at the first start. Its name is unlike any other's."""
        path = self.path / SEAL_KEY
        if not path.exists():
            key = SigningKey(f"backoffice.localhost/{secrets.token_hex(4)}", secrets.token_bytes(KEY_BYTES))
            write_private(path, f"{key.secret_text}\n")
        return path

    def make_metrics(self) -> Path:
        """An empty folder for metrics, in memory: a process that counts into a file is killed when the disk is full."""
        shutil.rmtree(self._metrics, ignore_errors=True)
        self._metrics.mkdir(mode=0o700)
        return self._metrics

    def write_addresses(self, environment: Mapping[str, str]) -> None:
        """Writes the addresses of the running stack, for the commands to find."""
        lines = {**environment, STACK_MARK: str(self.path)}
        write_private(self.path / STACK_FILE, "".join(f"{name}={value}\n" for name, value in lines.items()))

    def remove_addresses(self) -> None:
        """Makes commands report that nothing runs here. Does nothing if another process holds the folder."""
        if self._lock is None:
            return
        with contextlib.suppress(FileNotFoundError):
            (self.path / STACK_FILE).unlink()


def _read_secrets(path: Path) -> dict[str, str]:
    """The secrets in a file. Raises StackError if it holds none: without them the data beside it cannot be opened."""
    try:
        known = json.loads(path.read_text())
    except (OSError, ValueError):
        known = None
    if not isinstance(known, dict) or not all(isinstance(value, str) for value in known.values()):
        raise StackError(
            f"{path} is damaged. It has the password of the database beside it: bring it back from a backup, "
            f"or delete the folder {path.parent} if nothing in it is needed."
        )
    return known


def write_private(path: Path, text: str) -> None:
    """Replaces a file atomically, so that other users can never read it and nobody, not even after a crash, half of it."""
    new = path.with_name(path.name + ".new")
    with contextlib.suppress(FileNotFoundError):
        new.unlink()
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
