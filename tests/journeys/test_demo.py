"""The demo is a promise: a fresh folder, a day with everything going wrong, and right books at its end."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import CHECKOUT


def test_the_demo_ends_with_books_that_equal_the_tills_own(tmp_path: Path) -> None:
    servers = {"DATABASE_URL", "REDIS_URL", "BACKOFFICE_STACK", "BASE_URL", "SECRET_KEY"}
    tmp_path.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "manage.py", "demo", "--once", "--port", "0", "--data-dir", str(tmp_path / "demo")],
        cwd=CHECKOUT,
        env={name: value for name, value in os.environ.items() if name not in servers},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for currency in ("EUR", "USD", "JPY"):
        assert currency in done.stdout
    assert done.stdout.count("│ approved │") == 6
    for decision in (
        "safe counted",
        "posted as sent",
        "corrected and posted",
        "drawer counted",
        "its difference explained",
    ):
        assert decision in done.stdout
    assert re.search(r"│ ruth +│ otto +│", done.stdout)
    assert len(re.findall(r"[0-9]+ entries exported as [A-Z0-9]+-[0-9]{8}-r1", done.stdout)) == 3
    assert "145 orders, no difference" in done.stdout
    assert "In the demo the password is enough" in done.stdout
