"""The tables of the hostile storm, and its figures for a program."""

import argparse
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tests.bench.hostile.strangers import STRANGERS
from tests.bench.hostile.terminals import TERMINALS
from tests.bench.hostile.verdict import KINDS, LONGEST, P50, P99, Night, mark

ATTACKS = {**TERMINALS, **STRANGERS}
ODDEST = 6  # answers of an attacker that are named


def report(night: Night, options: argparse.Namespace, broken: Sequence[str]) -> str:
    """Markdown: what tills noticed, what processes held, what attackers were told, and the verdict."""
    title = (
        f'`make storm ARGS="--hostile"`, seed {options.seed}, scale {options.scale:g}: {options.terminals:,} terminals '
        f"within {options.within:g} s, {options.live} of them live with an order every {options.live_every:g} s, beside "
        f"{len(night.told)} attacks, on {os.cpu_count()} cores with clients and attackers beside."
    )
    parts = [title, _tills(night), _tables(night), _memory(night), _attackers(night), _verdict(broken)]
    return "\n\n".join(parts)


def figures(night: Night) -> dict[str, dict[str, Any]]:
    """The same, for a program."""
    told: dict[str, dict[str, Any]] = {
        name: {"count": len(night.waits_ms(kind)), **_marks(night.waits_ms(kind))} for kind, name in KINDS.items()
    }
    for name in night.noticed.seen:
        told[f"feed {name}"] = {"count": len(night.feed_ms(name)), **_marks(night.feed_ms(name))}
    told["tills"] = {
        "met_the_restart": len(night.met_restart()),
        "longest_of_those_ms": mark(night.met_restart(), LONGEST),
        "repeated": night.noticed.repeats(),
        "most_repeated_by_one": _most_repeats(night),
        "settled_after_last_s": night.drained_s,
        "everything_processed_after_s": night.rest_s,
    }
    if night.restart is not None:
        told["postgresql restart"] = {"away_s": night.restart.away_s, "denied_after_s": night.restart.denied_s}
    told["in the tables"] = night.counted._asdict() | {
        "acknowledged_orders": len(night.noticed.order_ids),
        "sent_orders": night.noticed.sent_orders,
        "books_agree": night.books,
    }
    for role, peak in night.peaks.items():
        told[f"memory of {role}"] = {
            **peak._asdict(),
            "grown_mb": peak.grown_mb,
            "limit_mb": night.limits.grown_mb[role],
        }
    for each in night.told:
        told[f"attack: {each.attack}"] = {
            "requests": each.requests,
            "answers": each.told,
            "failures": list(each.errors),
        }
    return told


def _tills(night: Night) -> str:
    noticed = night.noticed
    lines = [
        "| what well-behaved tills waited for | how many | p50, ms | p99, ms | longest, ms |",
        "|---|---:|---:|---:|---:|",
    ]
    waits = {name: night.waits_ms(kind) for kind, name in KINDS.items()}
    waits |= {f"another till's live order, in the feed {name}": night.feed_ms(name) for name in noticed.seen}
    if night.restart is not None:
        waits["messages that met the restart of PostgreSQL"] = night.met_restart()
    lines += [
        f"| {name} | {len(values):,} | "
        + " | ".join(f"{mark(values, share):,.0f}" for share in (P50, P99, LONGEST))
        + " |"
        for name, values in waits.items()
    ]
    repeats = ", ".join(f"{times:,} × {what}" for what, times in sorted(noticed.repeats().items())) or "nothing"
    words = (
        f"From the first try to the acknowledgement, with every refusal in between. Tills repeated {repeats}; one till "
        f"{_most_repeats(night)} times at most."
    )
    if night.restart is not None:
        words += (
            f" PostgreSQL was killed and away for {night.restart.away_s:.1f} s; `/readyz` had it back after another "
            f"{night.restart.denied_s:.1f} s."
        )
    return "\n".join([*lines, "", words])


def _tables(night: Night) -> str:
    noticed, counted = night.noticed, night.counted
    return (
        f"In the tables afterwards: {counted.posted:,} orders of {len(noticed.order_ids):,} acknowledged and "
        f"{noticed.sent_orders:,} sent, {counted.doubled:,} of them twice; {counted.batches:,} of {len(noticed.batch_ids):,} "
        f"batches processed; {counted.reconciled:,} of {len(noticed.shift_ids):,} shifts reconciled, "
        f"{night.drained_s:.1f} s after the last close. The attackers' own batches were processed "
        f"{night.rest_s:.1f} s after they had ended. `verify_books`: {'no difference' if night.books else 'DIFFERENCES'}."
    )


def _memory(night: Night) -> str:
    lines = [
        "| memory of the process that grew most, MB | before | highest | more | limit |",
        "|---|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {role} | {peak.before_mb:,.0f} | {peak.highest_mb:,.0f} | {peak.grown_mb:,.0f} | {night.limits.grown_mb[role]:,.0f} |"
        for role, peak in night.peaks.items()
    ]
    return "\n".join(lines)


def _attackers(night: Night) -> str:
    lines = ["| attack | what it does | requests | 503 | 429 | other answers |", "|---|---|---:|---:|---:|---|"]
    for each in night.told:
        others = Counter({what: times for what, times in each.told.items() if what not in {"503", "429"}})
        named = ", ".join(f"{times:,} × {what}" for what, times in others.most_common(ODDEST)) or "–"
        refused = f"{each.told['503']:,} | {each.told['429']:,}"
        lines.append(f"| {each.attack} | {ATTACKS[each.attack].what} | {each.requests:,} | {refused} | {named} |")
    return "\n".join(lines)


def _verdict(broken: Sequence[str]) -> str:
    if not broken:
        return "Every promise was kept."
    return "\n".join(["**Broken promises**", "", *(f"- {each}" for each in broken)])


def _marks(values: Sequence[float]) -> Mapping[str, float]:
    return {"p50_ms": mark(values, P50), "p99_ms": mark(values, P99), "longest_ms": mark(values, LONGEST)}


def _most_repeats(night: Night) -> int:
    return max(Counter(till for till, _, _ in night.noticed.repeated).values(), default=0)
