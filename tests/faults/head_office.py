"""Head office in a process of its own: counts the drawers that cashiers closed blind, a little after they closed.

It finds in a drawer what the terminal wrote down of it: see check/journals.py for the files. Whenever it is interrupted, it
may begin again: a drawer waits until it was counted.
"""

import argparse
import os
import sys
import time
from pathlib import Path

import django

from tests.faults.check.journals import drawers, journals

ROUND_S = 1.0


def count_round(folder: Path) -> None:
    """Counts every drawer that waits. Raises what the database raises."""
    # Once Django is set up.
    from django.utils import timezone  # noqa: PLC0415

    from backoffice.ingestion.drawers import record_count  # noqa: PLC0415
    from backoffice.sales.models import Shift  # noqa: PLC0415

    waiting = list(Shift.objects.filter(awaits_count=True).values_list("shift_id", flat=True))
    found = {shift_id: cash for journal in journals(folder) for shift_id, cash in drawers(journal).items()}
    for shift_id in waiting:
        if (cash := found.get(str(shift_id))) is not None:
            record_count(shift_id=shift_id, counted=cash, now=timezone.now())


def main() -> int:
    """Until somebody ends it. Without a database it waits for one."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.head_office", description=__doc__)
    parser.add_argument("--journals", type=Path, required=True, help="where the terminals' recorders write")
    folder = parser.parse_args().journals
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
    django.setup()
    from django.db import DatabaseError, InterfaceError, connection  # noqa: PLC0415
    from psycopg_pool import PoolTimeout  # noqa: PLC0415

    while True:
        try:
            count_round(folder)
        except (DatabaseError, InterfaceError, PoolTimeout) as error:
            sys.stderr.write(f"head office: {error}\n")
            connection.close()
        time.sleep(ROUND_S)


if __name__ == "__main__":
    sys.exit(main())
