"""`make fuzz`: bodies that nobody would send, until time is up or a promise is broken.

With atheris what is tried follows the branches that were reached; without it the same mutations are tried blindly. What
was found to be of use is kept in `var/fuzz`, and so is a body that breaks a promise: give its name to try it again.
"""

import argparse
import sys
import time
from pathlib import Path
from random import Random
from typing import Any, NoReturn

HERE = Path(__file__).parent
KEPT = HERE.parent.parent / "var" / "fuzz"
LONGEST = 16 * 1024


def main() -> int:
    """Exit code 0 when time is up, another one when a promise was broken."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0, help="0 takes another one each time")
    parser.add_argument("--blindly", action="store_true", help="without atheris, even where it is installed")
    parser.add_argument("bodies", type=Path, nargs="*", help="only these files, once")
    options = parser.parse_args()
    seed = options.seed or time.time_ns() % 2**31
    KEPT.mkdir(parents=True, exist_ok=True)
    try:
        import atheris  # noqa: PLC0415 - it is not there on every machine
    except ImportError:
        atheris = None
    if not (options.bodies or options.blindly or atheris is None):
        guided(atheris, seconds=options.seconds, seed=seed)
    return blindly(options.bodies, seconds=options.seconds, seed=seed)


def blindly(bodies: list[Path], *, seconds: float, seed: int) -> int:
    """Mutates the corpus; what breaks a promise is written down, and raised."""
    from tests.fuzz.loop import corpus, tried  # noqa: PLC0415 - atheris must come before what it instruments
    from tests.fuzz.promises import check  # noqa: PLC0415

    for path in bodies:
        check(path.read_bytes())
    if bodies:
        return 0
    print(f"Fuzzing blindly for {seconds} s, seed {seed} …")
    until = time.monotonic() + seconds
    count = 0
    for body in tried(corpus(), Random(seed)):
        if time.monotonic() > until:
            break
        try:
            check(body)
        except BaseException:
            (KEPT / "broken").write_bytes(body)
            print(f'Broken. Try it again: make fuzz ARGS="{(KEPT / "broken").relative_to(HERE.parent.parent)}"')
            raise
        count += 1
    print(f"{count} bodies, no promise broken.")
    return 0


def guided(atheris: Any, *, seconds: int, seed: int) -> NoReturn:
    """Lets libFuzzer choose what to go on with; half of its mutations are ours, which keep JSON what it is."""
    with atheris.instrument_imports(include=["backoffice.domain"]):
        from tests.fuzz.mutations import mutate  # noqa: PLC0415
        from tests.fuzz.promises import check  # noqa: PLC0415

    def mutator(data: bytes, most: int, number: int) -> bytes:
        return atheris.Mutate(data, most) if number % 2 else mutate(data, Random(number))[:most]

    arguments = [
        f"-max_total_time={seconds}",
        f"-seed={seed}",
        f"-max_len={LONGEST}",
        "-timeout=10",
        "-reduce_inputs=0",
    ]
    folders = [str(KEPT), str(HERE / "corpus")]
    print(f"Fuzzing for {seconds} s, seed {seed} …")
    atheris.Setup(
        [sys.argv[0], *arguments, f"-artifact_prefix={KEPT}/broken-", "-print_final_stats=1", *folders],
        check,
        custom_mutator=mutator,
    )
    atheris.Fuzz()
    raise AssertionError("libFuzzer ends the process")


if __name__ == "__main__":
    sys.exit(main())
