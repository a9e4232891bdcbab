"""Two commits side by side: `python -m tests.bench.compare OLD.json [OLD2.json …] -- NEW.json [NEW2.json …]`.

Each file is one run (`results`). Prints, for every figure, the median of the old runs, that of the new ones, and new ÷ old.
"""

import json
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

Figures = dict[tuple[str, str], float]
"""Numbers by row and name."""


def main(words: Sequence[str]) -> int:
    """Exit code 2 where there is nothing to compare."""
    old_files, dash, new_files = _divide(words)
    if not (old_files and dash and new_files):
        sys.stderr.write(f"{__doc__}\n")
        return 2
    old, new = _read(old_files), _read(new_files)
    if troubles := list(_troubles([*old, *new])):
        sys.stderr.write("".join(f"{trouble}\n" for trouble in troubles))
        return 2
    print(f"`{old[0]['command']}`, medians. Old: {_whose(old)}. New: {_whose(new)}.")
    for difference in _differences([*old, *new]):
        print(f"Not the same in all runs: {difference}.")
    print()
    print("\n".join(table(medians(old), medians(new))))
    return 0


def _divide(words: Sequence[str]) -> tuple[list[str], bool, list[str]]:
    if "--" not in words:
        return list(words), False, []
    place = list(words).index("--")
    return list(words[:place]), True, list(words[place + 1 :])


def _read(files: Sequence[str]) -> list[dict[str, Any]]:
    return [{"file": file, **json.loads(Path(file).read_text())} for file in files]


def _troubles(runs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Why these runs say nothing about each other."""
    if len(commands := {run["command"] for run in runs}) > 1:
        yield f"These are runs of different commands: {', '.join(sorted(commands))}."
    for run in runs:
        if not run["is_complete"]:
            yield f"{run['file']}: the run is not complete, so its figures mean nothing."


def _whose(runs: Sequence[Mapping[str, Any]]) -> str:
    commits = sorted({f"{(run['commit'] or 'unknown')[:9]}{', changed' * bool(run['is_changed'])}" for run in runs})
    return f"{len(runs)} of {' and '.join(commits)}"


def _differences(runs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What else than the code may have made the figures."""
    for part in ("machine", "options"):
        for name in dict.fromkeys(name for run in runs for name in run[part]):
            values = dict.fromkeys(str(run[part].get(name)) for run in runs)
            if len(values) > 1:
                yield f"{name} ({' / '.join(values)})"


def medians(runs: Sequence[Mapping[str, Any]]) -> Figures:
    """Of the runs that have the figure."""
    found: dict[tuple[str, str], list[float]] = {}
    for run in runs:
        for key, value in _numbers(run["figures"]):
            found.setdefault(key, []).append(value)
    return {key: statistics.median(values) for key, values in found.items()}


def _numbers(figures: Mapping[str, Any], row: str = "") -> Iterator[tuple[tuple[str, str], float]]:
    """Every number, with the names that lead to it; texts and lists are passed over."""
    for name, value in figures.items():
        if isinstance(value, Mapping):
            yield from _numbers(value, f"{row}: {name}" if row else name)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield (row, name), value


def table(old: Figures, new: Figures) -> Iterator[str]:
    """Markdown; a figure that only one side has stands there without the other."""
    yield "| row | figure | old | new | new ÷ old |"
    yield "|---|---|---:|---:|---:|"
    for key in dict.fromkeys([*old, *new]):
        before, after = old.get(key), new.get(key)
        ratio = "–" if not before or after is None else f"{after / before:.2f}"
        yield f"| {key[0]} | {key[1]} | {_text(before)} | {_text(after)} | {ratio} |"


def _text(value: float | None) -> str:
    if value is None:
        return "–"
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 100 else f"{value:.2f}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
