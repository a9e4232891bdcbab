"""The rehearsal itself, in namespaces of its own: `python -m tests.rehearsal.inside FOLDER CGROUP ACT…`."""

import signal
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from tests.rehearsal import images, stage
from tests.rehearsal.acts import backups, changes, ending, install, misfortunes
from tests.rehearsal.engine import engine
from tests.rehearsal.play import Play
from tests.rehearsal.shell import CommandError
from tests.rehearsal.table import NOT_PROVEN, table

ACTS: dict[str, ModuleType] = {
    "install": install,
    "misfortunes": misfortunes,
    "backups": backups,
    "changes": changes,
    "ending": ending,
}


def say(text: str) -> None:
    print(text, flush=True)


def rehearse(work: Path, cgroup: str, acts: Sequence[str]) -> int:
    """Plays some acts, of which the first must be `install`; returns 1 where one of them failed. What was played until then is shown in either case."""
    began = time.monotonic()
    stage.set_up(work)
    play = Play(work, say)
    with engine(work / "engine.log", cgroup=cgroup) as version:
        say(f"Docker Engine {version}: building the base images …")
        images.build(work)
        try:
            for act in acts:
                ACTS[act].play(play)
        except (AssertionError, CommandError, LookupError):
            failure = traceback.format_exc()
            play.look_at_what_failed()
            say(f"\n{table(play.rows)}\n\nFAILED\n{failure}\nAll that was said: {work / 'log'}, {work / 'engine.log'}")
            return 1
    say(f"\n{table(play.rows)}\n\n{time.monotonic() - began:.0f} s in all. What this does not prove:\n\n{NOT_PROVEN}")
    return 0


if __name__ == "__main__":
    # The first process of its namespace gets no signal that it does not ask for.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sys.exit(rehearse(Path(sys.argv[1]), sys.argv[2], sys.argv[3:]))
