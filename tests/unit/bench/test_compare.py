"""A run's file says what was measured on what, and the comparer puts such files side by side."""

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from tests.bench.compare import main
from tests.bench.results import Run, add_json_option

FIGURES = {"batches of 500": {"orders_per_s": 10_000.123456, "accept_p99_ms": 30.0}}


def options(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=float, default=1.0)
    parser.add_argument("--folder", type=Path)
    add_json_option(parser)
    return parser.parse_args(words)


def run(file: Path, figures: dict[str, Any], *words: str, command: str = "bench", is_complete: bool = True) -> str:
    Run(command, options("--json", str(file), *words)).write(figures, is_complete=is_complete)
    return str(file)


def rate(orders_per_s: float) -> dict[str, Any]:
    return {"batches of 500": {"orders_per_s": orders_per_s}}


def test_a_file_tells_the_figures_and_what_they_were_measured_on(tmp_path: Path) -> None:
    run(tmp_path / "run.json", FIGURES, "--folder", str(tmp_path))
    written = json.loads((tmp_path / "run.json").read_text())
    assert written["figures"] == {"batches of 500": {"orders_per_s": 10_000.1235, "accept_p99_ms": 30.0}}
    assert written["options"] == {"times": 1.0, "folder": str(tmp_path)}
    assert (written["command"], written["is_complete"]) == ("bench", True)
    assert set(written["machine"]) == {"cores", "python"}
    assert {"commit", "is_changed", "began_at", "duration_s"} <= written.keys()


def test_a_run_that_breaks_off_leaves_no_figures_of_another(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    run(file, FIGURES)
    Run("bench", options("--json", str(file)))
    assert not file.exists()


def test_without_a_file_nothing_is_written(tmp_path: Path) -> None:
    Run("bench", options()).write(FIGURES, is_complete=True)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_refused_before_the_run(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "no such folder" / "run.json"):
        with pytest.raises(SystemExit):
            options("--json", str(path))


def test_medians_stand_side_by_side_with_their_ratio(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = [run(tmp_path / f"old{place}", rate(each)) for place, each in enumerate((100, 900, 200))]
    new = [run(tmp_path / f"new{place}", rate(each)) for place, each in enumerate((150, 350))]
    assert main([*old, "--", *new]) == 0
    assert "| batches of 500 | orders_per_s | 200 | 250 | 1.25 |" in capsys.readouterr().out


def test_a_figure_of_one_side_only_stands_alone_and_texts_are_passed_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = run(tmp_path / "old", {"books": {"orders": 0, "trouble": ["none"], "is_right": True}})
    new = run(tmp_path / "new", {"books": {"orders": 5}, "night 1": {"web": {"highest_mib": 70.5}}})
    assert main([old, "--", new]) == 0
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| ")][1:]
    assert rows == ["| books | orders | 0 | 5 | – |", "| night 1: web | highest_mib | – | 70.50 | – |"]


def test_other_options_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([run(tmp_path / "old", rate(1)), "--", run(tmp_path / "new", rate(1), "--times", "0.1")]) == 0
    assert "Not the same in all runs: times (1.0 / 0.1)." in capsys.readouterr().out


def test_runs_that_say_nothing_about_each_other_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bench, storm = run(tmp_path / "bench", rate(1)), run(tmp_path / "storm", rate(1), command="storm")
    lossy = run(tmp_path / "lossy", rate(1), is_complete=False)
    for words, reason in (
        ([bench, "--", storm], "different commands: bench, storm"),
        ([bench, "--", lossy], "the run is not complete"),
        ([bench, storm], "OLD.json"),
        ([bench, "--"], "OLD.json"),
    ):
        assert main(words) == 2
        assert reason in capsys.readouterr().err
