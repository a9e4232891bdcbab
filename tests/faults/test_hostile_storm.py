"""`make storm ARGS="--hostile"`, small: every attack once, beside a few tills, and PostgreSQL killed in the middle."""

import json
import subprocess
import sys
from pathlib import Path

from tests.bench.hostile.strangers import STRANGERS
from tests.bench.hostile.terminals import TERMINALS
from tests.conftest import CHECKOUT

TILLS = 12
# Many times what is promised: how long tills wait is measured by the command itself, on a machine that does nothing else.
PATIENCE = 60
SMALL = f"--terminals {TILLS} --live 3 --live-every 1 --within 12 --scale 0.05 --patience {PATIENCE}"


def test_nothing_is_lost_while_everybody_attacks_at_once(tmp_path: Path) -> None:
    figures_file = tmp_path / "figures"
    command = [sys.executable, "-m", "tests.bench.storm", "--hostile", *SMALL.split(), "--json", str(figures_file)]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=580, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(figures_file.read_text())["figures"]
    told = figures["in the tables"]
    assert told["posted"] == told["acknowledged_orders"] == told["sent_orders"] > TILLS * 10
    assert told["reconciled"] == TILLS
    for attack in {**TERMINALS, **STRANGERS}:
        assert figures[f"attack: {attack}"]["requests"] > 0, attack
    assert figures["postgresql restart"]["away_s"] > 0
