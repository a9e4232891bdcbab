"""How long an export of a million orders takes, and how much memory: `python -m tests.bench.exports --orders 1000000`.

One store, filled as `fill` does over two years, sealed, and exported by the command in a process of its own, once for each
format. Prints a table in Markdown.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import django

FORMATS = ("gl-csv", "gl-csv-summary", "beancount", "hledger", "fec", "jsonl", "parquet")
MIB = 1024
ONE_STORE = 10**9


def fill_one_store(orders: int) -> None:
    """Fills a single store, with the database that DATABASE_URL names."""
    django.setup()
    from tests.bench import fleet  # noqa: PLC0415 - after django.setup()
    from tests.bench.fill import fill, growing_tables, tidy  # noqa: PLC0415

    with patch.object(fleet, "TERMINALS_PER_STORE", ONE_STORE):
        fill(orders=orders, today=datetime.now(UTC).date(), code="FILL")
    tidy(growing_tables())


def measured(words: list[str], environment: dict[str, str]) -> tuple[str, float, float]:
    """What a command of ours printed, seconds, and the most memory that it held, in MiB."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "manage.py", *words], env=environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, words
    return said, time.perf_counter() - began, usage.ru_maxrss / MIB


def export_all(environment: dict[str, str], folder: Path, formats: list[str]) -> None:
    """Exports two years of the store in every format, and prints a row for each."""
    print("| format | entries | files | seconds | peak memory |\n|---|---:|---:|---:|---:|", flush=True)
    today = date.today()  # noqa: DTZ011 - two years around it
    days = ["--from", str(today - timedelta(days=900)), "--to", str(today)]
    for format_name in formats:
        measured(["export_profile", format_name, "--format", format_name], environment)
        words = ["export", format_name, "--store", "FILL-1", *days, "--out", str(folder / format_name)]
        said, took_s, peak = measured(words, environment)
        report = json.loads(said)
        size = sum(each["bytes"] for each in report["files"]) / MIB / MIB
        entries = sum(each["entries"] for each in report["revisions"])
        print(f"| {format_name} | {entries:,} | {size:,.0f} MiB | {took_s:,.0f} | {peak:,.0f} MiB |", flush=True)


def main() -> None:
    """Starts a private service, fills it, and measures."""
    from backoffice.workbench.embedded import postgres  # noqa: PLC0415 - not in the process that fills
    from backoffice.workbench.embedded.stack import Stack  # noqa: PLC0415
    from tests.bench.growth import SUPERUSER  # noqa: PLC0415

    parser = argparse.ArgumentParser(prog="python -m tests.bench.exports", description=__doc__)
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--formats", nargs="+", choices=FORMATS, default=list(FORMATS))
    parser.add_argument("--fill", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.fill:
        fill_one_store(options.orders)
        return
    with ExitStack() as exits:
        folder = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="backoffice-exports-")))
        folder.chmod(0o755)
        exits.enter_context(patch.object(postgres, "FIRST_STATEMENTS", SUPERUSER))
        stack = exits.enter_context(Stack(folder / "stack", log=exits.enter_context((folder / "log").open("w"))))
        environment = {**os.environ, **stack.environment, "ALLOWED_HOSTS": "testserver"}
        filling = [sys.executable, "-m", "tests.bench.exports", "--fill", "--orders", str(options.orders)]
        subprocess.run(filling, env=environment, check=True)
        _, took_s, _ = measured(["seal"], environment)
        print(f"Sealed in {took_s:,.0f} s.", flush=True)
        export_all(environment, folder, options.formats)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
    main()
