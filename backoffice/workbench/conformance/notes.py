"""What was seen of each rule, and the report on it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from backoffice.workbench.conformance.rules import RULES

# More of the same would help nobody.
MOST_FINDINGS = 5

Verdict = Literal["kept", "broken", "not exercised", "not used"]


@dataclass(frozen=True)
class Result:
    """One rule: `kept` and `broken` count occasions, `findings` describes the first of those that broke it."""

    code: str
    section: str
    sentence: str
    verdict: Verdict
    kept: int
    broken: int
    findings: list[str]


class Notebook:
    """Counts the occasions on which a rule was kept, and describes those on which it was broken."""

    def __init__(self) -> None:
        self._kept: Counter[str] = Counter()
        self._broken: Counter[str] = Counter()
        self._findings: dict[str, list[str]] = {}

    def kept(self, code: str) -> None:
        """Notes an occasion to break the rule on which the terminal kept it."""
        self._kept[RULES[code] and code] += 1

    def broke(self, code: str, what: str) -> None:
        """Notes that the terminal broke the rule; `what` describes how."""
        self._broken[RULES[code] and code] += 1
        findings = self._findings.setdefault(code, [])
        if what not in findings and len(findings) < MOST_FINDINGS:
            findings.append(what)

    def note(self, code: str, *, right: bool, what: str) -> bool:
        """Notes the rule as kept if `right`, otherwise as broken; returns `right`."""
        if right:
            self.kept(code)
        else:
            self.broke(code, what)
        return right

    def results(self) -> list[Result]:
        """Every rule, in the order of the rules."""
        return [
            Result(
                code=code,
                section=rule.section,
                sentence=rule.sentence,
                verdict=self._verdict(code),
                kept=self._kept[code],
                broken=self._broken[code],
                findings=self._findings.get(code, []),
            )
            for code, rule in RULES.items()
        ]

    def _verdict(self, code: str) -> Verdict:
        if self._broken[code]:
            return "broken"
        if self._kept[code]:
            return "kept"
        return "not used" if RULES[code].unless else "not exercised"


@dataclass(frozen=True)
class ConformanceReport:
    """The verdict on a terminal: it passes if nothing was broken and everything required was exercised."""

    seed: int
    results: Sequence[Result]
    steps_left: Sequence[str]
    mishaps: Sequence[str]

    @property
    def passed(self) -> bool:
        """Whether the terminal conforms, as far as this kit can tell."""
        return not self.steps_left and not any(r.verdict in {"broken", "not exercised"} for r in self.results)

    def of(self, verdict: Verdict) -> list[str]:
        """The codes of the rules with a verdict."""
        return [result.code for result in self.results if result.verdict == verdict]

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "passed": self.passed,
            "seed": self.seed,
            "steps_left": list(self.steps_left),
            "mishaps": list(self.mishaps),
            "rules": [asdict(result) for result in self.results],
        }

    def as_text(self) -> str:
        """For people: a table, then what was broken, in words."""
        width = max(len(result.code) for result in self.results)
        rows = [f"{r.code:<{width}}  {r.section:<5} {_mark(r):<14} {r.sentence}" for r in self.results]
        return "\n".join([*rows, "", *self._broken_in_words(), *self._rest_in_words(), self._last_line()]) + "\n"

    def _broken_in_words(self) -> Iterable[str]:
        for result in self.results:
            if result.findings:
                yield f"{result.section} {result.sentence}"
                yield from (f"    {finding}" for finding in result.findings)
                if result.broken > len(result.findings):
                    yield f"    ({result.broken} occasions in all)"
                yield ""

    def _rest_in_words(self) -> Iterable[str]:
        for title, lines in (
            ("What happened to it:", self.mishaps),
            ("Steps that were not finished:", self.steps_left),
        ):
            if lines:
                yield title
                yield from (f"    {line}" for line in lines)
                yield ""

    def _last_line(self) -> str:
        counts = {verdict: len(self.of(verdict)) for verdict in ("kept", "broken", "not exercised", "not used")}
        tally = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
        return f"{'PASSED' if self.passed else 'NOT PASSED'}: of {len(self.results)} rules {tally} (seed {self.seed})."


def _mark(result: Result) -> str:
    return {"kept": f"kept {result.kept}x", "broken": "BROKEN"}.get(result.verdict, result.verdict)
