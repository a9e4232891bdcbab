"""What a rehearsal says in the end: its table, and what it does not prove."""

from collections.abc import Sequence

from tests.rehearsal.play import Row

HEAD = ("step", "took", "sold meanwhile", "of those offline", "slowest sale", "at the door", "")
NOT_PROVEN = """\
- The base images are stand-ins: Debian trixie with this machine's CPython, PostgreSQL and Valkey from the wheels that the tests use, Caddy from its wheel. Their entrypoints do what the real ones document; the real ones have not run.
- No registry: nothing was pulled, so digests, `docker compose pull` and `docker pull` are not shown, and the build took its wheels from a folder.
- No world: Caddy signed its certificate itself, for `localhost`. That it obtains one, that ports can be reached from outside, and that the inner networks lead nowhere is not shown: the engine has a network of its own with nothing else in it.
- One till, one machine, one engine: Debian's, which is older than Docker's own. Load is what `make bench` measures.
- The plain Debian host (systemd) is not rehearsed, nor are a new major version of PostgreSQL, a restore on another machine, a month that leaves, and the cases of “At night” beyond its first look.
"""


def table(rows: Sequence[Row]) -> str:
    """The steps as a table of Markdown."""
    lines = [line(HEAD), line(["---"] + ["---:"] * 4 + ["---"] * 2)]
    for row in rows:
        live = [sale for sale in row.sales if sale.is_live]
        slowest = f"{max(sale.seconds for sale in row.sales):.1f} s" if row.sales else ""
        sold = [str(len(row.sales)), str(len(row.sales) - len(live)), slowest] if row.sales else ["", "", ""]
        lines.append(line([row.title, f"{row.seconds:.0f} s", *sold, str(row.seen or ""), "; ".join(row.notes)]))
    return "\n".join(lines)


def line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
