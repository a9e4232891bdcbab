"""A data folder that is copied from a migrated one: as good as one of its own making, and nobody else's."""

import json
import os
from io import StringIO
from pathlib import Path

import psycopg
import pytest

from backoffice.workbench.embedded.folder import SECRETS, DataFolder
from backoffice.workbench.embedded.log import Log
from backoffice.workbench.embedded.migrations import Migrations
from backoffice.workbench.embedded.stack import Stack
from tests.migrated import CHECKOUT, MIGRATED, migrated


def test_its_stack_need_not_migrate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = migrated(tmp_path / "data")
    monkeypatch.setattr(Migrations, "apply", lambda *_, **__: pytest.fail("migrated once more"))
    own = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    with Stack(folder, roles=(), environment=own, log=(log := StringIO())) as stack:
        url = stack.environment["DATABASE_URL"]
        Migrations(CHECKOUT, record=stack.data_dir / MIGRATED).apply_if_needed(url, own, log=Log(log))
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT count(*) FROM fleet_store").fetchone() == (0,)


def test_two_of_them_share_no_secret_but_the_databases_password(tmp_path: Path) -> None:
    one, other = (DataFolder(migrated(tmp_path / name)) for name in ("one", "other"))
    assert {name for name, secret in one.secrets().items() if secret == other.secrets()[name]} == {"postgres_password"}
    assert json.loads((other.path / SECRETS).read_text()) == other.secrets()
