"""`python -m tests.rehearsal`, which `make rehearse` runs: fetches what it needs, rehearses, and removes all of it again."""

import argparse
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.rehearsal import downloads, stage
from tests.rehearsal.needs import missing
from tests.rehearsal.versions import make_repository

MARK = ".complete"
ACTS = ("install", "misfortunes", "backups", "changes", "ending")


def main() -> int:
    options = parsed()
    lacking = list(missing(Path(tempfile.gettempdir())))
    if lacking:
        print("This machine cannot rehearse yet.", *lacking, sep="\n- ")
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        with folder_for(options) as work:
            fetch(options.downloads or work / "downloads", work)
            print(f"Rehearsing {make_repository(work / 'repository')}", flush=True)
            return stage.enter("tests.rehearsal.inside", [str(work), work.name, *options.acts])
    except downloads.DownloadError as error:
        print(f"Something could not be fetched: {error}")
        return 2
    except KeyboardInterrupt:
        print("\nEnded; all of it is removed.")
        return 130


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make rehearse", description=__doc__)
    parser.add_argument("--downloads", type=Path, metavar="FOLDER", help="keep what is fetched there, and use it again")
    parser.add_argument("--keep", action="store_true", help="keep the folder with the logs")
    parser.add_argument("--acts", nargs="+", default=ACTS, choices=ACTS, help="these alone; the first must be install")
    return parser.parse_args()


@contextmanager
def folder_for(options: argparse.Namespace) -> Iterator[Path]:
    """A folder of this rehearsal's own. It is removed at the end with what the engine left in the kernel."""
    work = Path(tempfile.mkdtemp(prefix="backoffice-rehearsal-"))
    work.chmod(0o755)  # PostgreSQL and others must find their way through it
    try:
        yield work
    finally:
        stage.remove_cgroups(work.name)
        if options.keep:
            print(f"Kept: {work}")
        else:
            shutil.rmtree(work)


def fetch(folder: Path, work: Path) -> None:
    """Fetches into `folder` what is not there from another time, and links it into `work`."""
    folder.mkdir(parents=True, exist_ok=True)
    archive = downloads.mirror()
    for name, get in (
        ("engine", lambda to: downloads.fetch_engine(to, archive)),
        ("trixie", lambda to: downloads.fetch_trixie(to, archive)),
        ("wheels", downloads.fetch_wheels),
    ):
        done = folder / f"{name}{MARK}"
        if not done.exists():
            print(f"Fetching: {name} …", flush=True)
            shutil.rmtree(folder / name, ignore_errors=True)
            get(folder / name)
            done.touch()
        (work / name).symlink_to((folder / name).resolve())


if __name__ == "__main__":
    sys.exit(main())
