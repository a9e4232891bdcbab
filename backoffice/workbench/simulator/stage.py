"""Where the demo plays: an empty folder, a stack in it, and this process configured to talk to that stack."""

import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

import environ
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import CommandError

from backoffice.env import STACK_MARK
from backoffice.workbench.embedded.folder import LOCK, DataFolder
from backoffice.workbench.embedded.leftovers import end_leftovers

# Marks a folder as the demo's own, so that the next demo may empty it.
MARK = "made-by-demo"
_ADDRESSES = ("DATABASE_URL", "REDIS_URL", "BASE_URL", STACK_MARK)


def without_addresses(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment in which the demo's stack starts its own servers, whatever servers the caller's names."""
    return {name: value for name, value in environment.items() if name not in _ADDRESSES}


def clear_stage(data_dir: Path) -> None:
    """Empties the folder of an earlier demo.

    Raises CommandError if the folder holds anything else, StackError if a demo is running in it.
    """
    if data_dir.exists() and any(data_dir.iterdir()) and not (data_dir / MARK).exists():
        raise CommandError(
            f"{data_dir} is not a demo's folder, so the demo will not empty it. Name another with --data-dir."
        )
    folder = DataFolder(data_dir)
    folder.acquire()
    try:
        end_leftovers(folder.path, token=folder.secrets()["token"])
        (folder.path / MARK).touch()
        for entry in folder.path.iterdir():
            if entry.name in (LOCK, MARK):
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
    finally:
        folder.release()


def speak_to(environment: Mapping[str, str]) -> None:
    """Configures this process for the stack it has just started; Django read its settings before that."""
    os.environ.update(environment)
    settings.SECRET_KEY = environment["SECRET_KEY"]  # activation codes are hashed with it
    found = environ.Env.db_url_config(environment["DATABASE_URL"])
    settings.DATABASES["default"].update({name: found[name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")})


def new_admin(name: str) -> str:
    """Creates a user who may see everything in the console; returns the password."""
    password = secrets.token_urlsafe(9)
    get_user_model().objects.create_superuser(username=name, password=password)
    return password
