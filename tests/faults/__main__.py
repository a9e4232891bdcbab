"""`make faults`: kills every part of a running Back Office, over and over, and proves that no order was lost or doubled.

Starts servers of its own. Every decision follows from the seed; when exactly a process is hit depends on the machine.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from tests.bench.results import Run, add_json_option
from tests.faults.fleet import Day
from tests.faults.naive import NaiveService, naive_processes
from tests.faults.run import Plan, figures, report, run
from tests.faults.service import Service, with_the_others

# One close in so many leaves the counting to head office.
BLIND = 0.25
# One order in so many is paid in a way that is left to people.
CHEQUES = 0.01
OWN_MOUNTS = "TESTS_FAULTS_OWN_MOUNTS"


def main() -> int:
    """Exit code 0: nothing lost, nothing doubled, every account exact, and the run came to its end."""
    options = parse()
    enter_own_mounts()
    record = Run("faults", options)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Ended."))
    folder = options.folder or Path(tempfile.mkdtemp(prefix="backoffice-faults-"))
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    plan = Plan(
        kills=options.kills,
        terminals=options.terminals,
        duration_limit_s=options.duration_limit * 60,
        day=Day(
            seed=options.seed,
            quota=-(-options.orders // options.terminals),
            batch=options.batch,
            shift=options.batch * 6,
            blind=0.0 if options.naive else BLIND,
            cheques=0.0 if options.naive else CHEQUES,
        ),
    )
    disk = small_disk(folder, megabytes=options.wal_mb)
    if disk is None and options.wal_mb:
        say("No full disk in this run: that takes root, to mount a small one.")
    start = (
        partial(NaiveService, roles=(), companions=naive_processes)
        if options.naive
        else partial(Service, companions=partial(with_the_others, seed=options.seed))
    )
    with start(folder / "service", wal_disk=disk) as service:
        record.note_postgresql(service.database_url)
        result = run(service, plan, folder=folder, say=say)
    if disk is not None:
        subprocess.run(["umount", str(disk)], check=False)
    print(report(result))
    record.write(figures(result), is_complete=result.clean)
    if result.clean and options.folder is None:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        say(f"Logs, journals and data: {folder}")
    return 0 if result.clean else 1


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--seed", default="1")
    parser.add_argument(
        "--kills", type=int, default=60, help="of the service's processes, by SIGKILL or an immediate stop"
    )
    parser.add_argument("--orders", type=int, default=60_000, help="to be acknowledged, over all terminals")
    parser.add_argument("--terminals", type=int, default=12)
    parser.add_argument("--batch", type=int, default=500, help="orders that a terminal makes before it sends")
    parser.add_argument("--duration-limit", type=float, default=90.0, help="minutes after which the run has failed")
    parser.add_argument("--wal-mb", type=int, default=1500, help="size of the disk that is filled; 0: none is")
    parser.add_argument("--naive", action="store_true", help="the same against a queue of Celery and Redis alone")
    parser.add_argument("--folder", type=Path, help="keep everything there (default: a temporary folder)")
    add_json_option(parser)
    return parser.parse_args()


def enter_own_mounts() -> None:
    """As root, goes on in a mount namespace of its own: the small disk vanishes with the last process, however it ends."""
    if os.geteuid() != 0 or OWN_MOUNTS in os.environ or shutil.which("unshare") is None:
        return
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode == 0:
        os.environ[OWN_MOUNTS] = "1"
        os.execvp("unshare", ["unshare", "--mount", sys.executable, "-m", "tests.faults", *sys.argv[1:]])


def small_disk(folder: Path, *, megabytes: int) -> Path | None:
    """A file system in memory for PostgreSQL's write-ahead log; None where none is wanted, or this process may not mount one."""
    if OWN_MOUNTS not in os.environ or not megabytes:
        return None
    disk = folder / "wal"
    disk.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", str(disk)], check=True)
    return disk


def say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
