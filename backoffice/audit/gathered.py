"""What an audit gathers, or the share of one that a process has taken: it goes from one process to another."""

from collections import defaultdict
from dataclasses import dataclass, field

from backoffice.audit.findings import Figures, Findings, Ticks, Waiting
from backoffice.audit.fleet import AuditedTill
from backoffice.audit.ledger import Ledger


@dataclass
class Met:
    """The numbers of rows that the bytes led to; for movements the number of their version.

    `decided` are versions that a decision led to; the bytes may be those of a detached month.
    """

    orders: Ticks = field(default_factory=Ticks)
    movements: Ticks = field(default_factory=Ticks)
    versions: Ticks = field(default_factory=Ticks)
    held: Ticks = field(default_factory=Ticks)
    decided: Ticks = field(default_factory=Ticks)
    lines: int = 0
    payments: int = 0

    def merge(self, other: "Met") -> None:
        """Adds what another part of the audit has met."""
        for name in ("orders", "movements", "versions", "held", "decided"):
            getattr(self, name).merge(getattr(other, name))
        self.lines += other.lines
        self.payments += other.payments


class Gathered:
    """Differences, what waits, which rows were met, what was derived: figures by store and currency, drawers by terminal.

    `peak_bytes` is the most memory that the processes which gathered it held.
    """

    def __init__(self) -> None:
        self.findings = Findings()
        self.waiting = Waiting()
        self.met = Met()
        self.ledger = Ledger(self.findings)
        self.figures: dict[tuple[int, str], Figures] = defaultdict(Figures)
        self.drawers: dict[int, tuple[AuditedTill, int]] = {}
        self.peak_bytes = 0

    def merge(self, other: "Gathered") -> None:
        """Adds another share."""
        self.findings.merge(other.findings)
        self.waiting.merge(other.waiting)
        self.met.merge(other.met)
        self.ledger.merge(other.ledger)
        for key, figures in other.figures.items():
            self.figures[key].merge(figures)
        self.drawers |= other.drawers
        self.peak_bytes += other.peak_bytes
