"""The repository that the handbook clones: this checkout as it is committed, and later a version after it."""

import subprocess
from pathlib import Path

from tests.unit.deployment.files import CHECKOUT

OLD, NEW, NEWER = "rehearsed", "rehearsed-next", "rehearsed-after-that"
AUTHOR = ("-c", "user.name=Rehearsal", "-c", "user.email=rehearsal@example.com")
# A table that the version before does not know and can live with.
MIGRATION = """from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("fleet", "{leaf}")]
    operations = [migrations.RunSQL("CREATE TABLE rehearsed (id int)", "DROP TABLE rehearsed")]
"""
HEADER = "\theader ?X-Rehearsed yes\n"


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *AUTHOR, *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def make_repository(folder: Path) -> str:
    """Clones what is committed here; returns its short name, and what is left out."""
    git(CHECKOUT, "clone", "--quiet", "--no-hardlinks", f"file://{CHECKOUT}", str(folder))
    git(folder, "checkout", "--quiet", "-B", "rehearsal")
    git(folder, "tag", OLD)
    changed = len(git(CHECKOUT, "status", "--porcelain").splitlines())
    return git(folder, "rev-parse", "--short", OLD) + (f", without {changed} files not committed" if changed else "")


def make_new_version(folder: Path) -> None:
    """The next version: another code, and a table more."""
    migrations = folder / "backoffice" / "fleet" / "migrations"
    leaf = max(path.stem for path in migrations.glob("0*.py"))
    (migrations / f"{int(leaf[:4]) + 1:04}_rehearsed.py").write_text(MIGRATION.format(leaf=leaf))
    package = folder / "backoffice" / "__init__.py"
    package.write_text(package.read_text() + "\nREHEARSED = True\n")
    commit(folder, NEW)


def make_newer_version(folder: Path) -> None:
    """The version after that: Caddy's file is another."""
    caddyfile = folder / "deploy" / "Caddyfile"
    opening = "(headers) {\n"
    caddyfile.write_text(caddyfile.read_text().replace(opening, opening + HEADER))
    commit(folder, NEWER)


def commit(folder: Path, tag: str) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", tag)
    git(folder, "tag", tag)
