"""How fast single things are found in a full database, and whether PostgreSQL reads a growing table from end to end for it.

`python -m tests.bench.console` with the DATABASE_URL of a filled database: every list of the console with its filters and
searches, its pages, and what terminals look up. Each kind is asked for with many different keys; each statement that a
kind needs is explained once.
"""

import argparse
import json
import os
import random
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

import django
from django.db import connection

# A table of so few rows fits into some pages: reading it whole is the shortest way.
SMALL_ROWS = 1_000
TIMES = 24
REPORTS = ("sales", "tax", "over_short", "no_receipt", "risk", "cash", "offline")


@dataclass
class Found:
    """One kind of request: each answer's milliseconds, how many of one answer's are PostgreSQL's (`sql_ms`), and the growing
    tables that are read from end to end for it."""

    kind: str
    ms: list[float] = field(default_factory=list)
    statements: int = 0
    sql_ms: float = 0.0
    scanned: list[str] = field(default_factory=list)

    def percentile(self, share: float) -> float:
        """In milliseconds."""
        ordered = sorted(self.ms)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share / 100))]


@dataclass
class Ask:
    """A kind of request: its addresses, and the token of who asks where it is a terminal."""

    kind: str
    addresses: Sequence[str]
    tokens: Sequence[str] = ()


def asks(*, seed: int = 4, times: int = TIMES) -> list[Ask]:
    """Everything that is asked, with keys drawn from what the database holds."""
    from django.urls import reverse  # noqa: PLC0415 - after django.setup()

    from backoffice.fleet.models import Store, Terminal  # noqa: PLC0415
    from tests.bench.fleet import known_tokens  # noqa: PLC0415

    rng = random.Random(seed)
    stores, terminals = list(Store.objects.all()), list(Terminal.objects.filter(activated_at__isnull=False))
    keys = _keys(rng, times)

    def some(make: Callable[[int], Mapping[str, object] | None], page: str) -> list[str]:
        address = reverse(f"admin:{page}")
        return [f"{address}?{urlencode(make(place) or {})}" for place in range(times)]

    def store(_: int) -> dict[str, object]:
        return {"store": rng.choice(stores).pk}

    def terminal(_: int) -> dict[str, object]:
        return {"terminal": rng.choice(terminals).pk}

    def day(place: int) -> dict[str, object]:
        return {"day": keys["day"][place]}

    def month(place: int) -> dict[str, object]:
        last = date.fromisoformat(keys["day"][place])
        return {"first": last - timedelta(days=30), "last": last, "since": last - timedelta(days=30), "at": last}

    def one_day(place: int) -> dict[str, object]:
        return {"first": keys["day"][place], "last": keys["day"][place]}

    def everything(_: int) -> dict[str, object]:
        return {}

    def of(**fixed: object) -> Callable[[int], dict[str, object]]:
        return lambda _: fixed

    def both(*parts: Callable[[int], dict[str, object]]) -> Callable[[int], dict[str, object]]:
        return lambda place: {name: value for part in parts for name, value in part(place).items()}

    lists: dict[str, tuple[str, Callable[[int], dict[str, object]]]] = {
        "dashboard": ("index", everything),
        "orders": ("sales_order_changelist", everything),
        "orders, a page far back": ("sales_order_changelist", lambda place: {"after": keys["order"][place]}),
        "orders of a store": ("sales_order_changelist", store),
        "orders of a terminal": ("sales_order_changelist", terminal),
        "orders of a day": ("sales_order_changelist", day),
        "orders of a store's day": ("sales_order_changelist", both(store, day)),
        "orders of a shift": ("sales_order_changelist", lambda place: {"shift": keys["shift"][place]}),
        "orders made offline": ("sales_order_changelist", of(made="offline")),
        "orders made online": ("sales_order_changelist", of(made="online")),
        "orders of a store made online": ("sales_order_changelist", both(store, of(made="online"))),
        "orders by number": ("sales_order_changelist", lambda place: {"q": keys["number"][place]}),
        "orders by identifier": ("sales_order_changelist", lambda place: {"q": keys["order_id"][place]}),
        "journal": ("ledger_journalentry_changelist", everything),
        "journal, a page far back": ("ledger_journalentry_changelist", lambda place: {"after": keys["order"][place]}),
        "journal of a store": ("ledger_journalentry_changelist", store),
        "journal of a day": ("ledger_journalentry_changelist", day),
        "journal of a store's day": ("ledger_journalentry_changelist", both(store, day)),
        "shifts": ("sales_shift_changelist", everything),
        "shifts of a store": ("sales_shift_changelist", store),
        "shifts of a terminal": ("sales_shift_changelist", terminal),
        "shifts of a day": ("sales_shift_changelist", day),
        "shifts that differ": ("sales_shift_changelist", of(state="discrepant")),
        "shifts reconciled": ("sales_shift_changelist", of(state="reconciled")),
        "shifts of a store reconciled": ("sales_shift_changelist", both(store, of(state="reconciled"))),
        "shifts of a store approved": ("sales_shift_changelist", both(store, of(state="approved"))),
        "shifts approved": ("sales_shift_changelist", of(state="approved")),
        "uploads": ("inbox_batch_changelist", everything),
        "uploads of a store": ("inbox_batch_changelist", store),
        "uploads of a terminal": ("inbox_batch_changelist", terminal),
        "uploads that failed": ("inbox_batch_changelist", of(state="failed")),
        "uploads processed": ("inbox_batch_changelist", of(state="processed")),
        "uploads of a store processed": ("inbox_batch_changelist", both(store, of(state="processed"))),
        "held": ("sales_helditem_changelist", everything),
        "held of a store": ("sales_helditem_changelist", store),
        "terminals": ("fleet_terminal_changelist", everything),
        "terminals of a store": ("fleet_terminal_changelist", store),
        "stores": ("fleet_store_changelist", everything),
        "accounts": ("ledger_account_changelist", everything),
        "journal of an account on a store's day": (
            "ledger_journalentry_changelist",
            both(store, day, of(account="4000")),
        ),
        "trial balance": ("ledger_trial_balance", everything),
        "trial balance at a day": ("ledger_trial_balance", lambda place: {"at": keys["day"][place]}),
        "trial balance of a store at a day": (
            "ledger_trial_balance",
            both(store, lambda place: {"at": keys["day"][place]}),
        ),
        "account of a store by day": ("ledger_account_days", both(store, month, of(account="4000"))),
        **{f"{name} of a month": (f"report_{name}", month) for name in REPORTS},
        **{f"{name} of a store's month": (f"report_{name}", both(store, month)) for name in REPORTS},
        **{
            f"orders of {figure} on a store's day": ("report_orders", both(store, one_day, of(figure=figure)))
            for figure in ("sale", "tax")
        },
        "days of tax in a store's month": ("report_orders", both(store, month, of(figure="tax"))),
    }
    pages = {
        "order": ("sales_order_change", keys["order"]),
        "entry": ("ledger_journalentry_change", keys["order"]),
        "shift": ("sales_shift_change", keys["shift"]),
        "upload": ("inbox_batch_change", keys["batch"]),
        "terminal": ("fleet_terminal_change", [rng.choice(terminals).pk for _ in range(times)]),
    }
    found = [Ask(f"list: {kind}", some(make, page)) for kind, (page, make) in lists.items()]
    found += [
        Ask(f"page: {kind}", [reverse(f"admin:{page}", args=[key]) for key in several])
        for kind, (page, several) in pages.items()
    ]
    tokens = known_tokens(keys["terminal"])
    return [
        *found,
        Ask("terminal: itself", ["/api/v1/terminal"] * times, tokens),
        Ask("terminal: a receipt", [f"/api/v1/batches/{key}" for key in keys["batch"]], tokens),
        Ask(
            "terminal: a receipt, every result", [f"/api/v1/batches/{key}?results=all" for key in keys["batch"]], tokens
        ),
        Ask("terminal: a shift", [f"/api/v1/shifts/{key}" for key in keys["shift"]], tokens),
        Ask("terminal: what the store sold", ["/api/v1/store/orders?limit=200"] * times, tokens),
    ]


def _keys(rng: random.Random, times: int) -> dict[str, list[Any]]:
    """Orders from all over the years, with what belongs to each."""
    from backoffice.fleet.models import Terminal  # noqa: PLC0415
    from backoffice.sales.models import Identity, Shift  # noqa: PLC0415

    with connection.cursor() as cursor:
        # Some rows of some pages: a sample that does not read the table.
        cursor.execute("SELECT shift_id FROM sales_shift TABLESAMPLE SYSTEM (5) WHERE declared IS NOT NULL LIMIT 5000")
        shifts = sorted(row[0] for row in cursor.fetchall())
    if len(shifts) < times:
        shifts = sorted(Shift.objects.filter(declared__isnull=False).values_list("pk", flat=True)[: 10 * times])
    keys: dict[str, list[Any]] = {
        name: [] for name in ("day", "order", "shift", "number", "order_id", "batch", "terminal")
    }
    for shift in Shift.objects.filter(pk__in=rng.sample(shifts, times)):
        number = shift.first_number + rng.randrange(shift.declared["order_count"])
        known = Identity.objects.get(terminal_id=shift.terminal_id, number=number)
        keys["day"].append(shift.business_date.isoformat())
        keys["order"].append(known.row_id)
        keys["shift"].append(shift.pk)
        keys["number"].append(number)
        keys["order_id"].append(known.item_id)
        keys["batch"].append(known.batch_id)
        keys["terminal"].append(Terminal.objects.get(pk=shift.terminal_id))
    return keys


def measure(ask: Ask, client: Any, growing: Mapping[str, float]) -> Found:
    """Asks for every address once to time it, and for the first once more to see its statements."""
    from django.db import reset_queries  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    found = Found(ask.kind)
    for place, address in enumerate(ask.addresses):
        headers = {"Authorization": f"Bearer {ask.tokens[place]}"} if ask.tokens else {}
        began = time.perf_counter()
        answer = client.get(address, headers=headers)
        found.ms.append((time.perf_counter() - began) * 1000)
        if answer.status_code == 404 and ask.kind == "page: entry":
            continue  # a voided order has none
        assert answer.status_code == 200, f"{answer.status_code} {address} {answer.content[:300]!r}"
    with CaptureQueriesContext(connection) as captured:
        client.get(ask.addresses[-1], headers=headers)
    statements = [query["sql"] for query in captured.captured_queries]
    found.statements = len(statements)
    found.sql_ms = sum(float(query["time"]) for query in captured.captured_queries) * 1000
    found.scanned = sorted({table for statement in statements for table in scans(statement, growing)})
    reset_queries()
    return found


def scans(statement: str, growing: Mapping[str, float]) -> Iterable[str]:
    """The growing tables of more than a few rows that a statement reads from end to end."""
    if not statement.lstrip().upper().startswith(("SELECT", "WITH")):
        return
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}")
        plan = (cursor.fetchone() or ("[]",))[0]
    nodes = [part["Plan"] for part in (plan if isinstance(plan, list) else json.loads(plan))]
    while nodes:
        node = nodes.pop()
        nodes += node.get("Plans", [])
        if node["Node Type"] == "Seq Scan" and growing.get(node["Relation Name"], 0) > SMALL_ROWS:
            yield node["Relation Name"]


def sizes() -> dict[str, float]:
    """The growing tables with about how many rows each has."""
    from tests.bench.fill import growing_tables  # noqa: PLC0415

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT oid::regclass::text, reltuples FROM pg_class WHERE oid = ANY(%s::text[]::regclass[])",
            [growing_tables()],
        )
        return dict(cursor.fetchall())


def keep() -> None:
    """Seals and keeps what was filled in, as the service does within its minutes; the tables are analysed afterwards."""
    from django.utils import timezone  # noqa: PLC0415

    from backoffice.books.evidence.sealer import seal  # noqa: PLC0415
    from backoffice.books.reports.keeping import REBUILT_AT_ONCE, keep_figures  # noqa: PLC0415

    seal(now=timezone.now())
    while keep_figures(today=timezone.now().date(), since=date.min, most=REBUILT_AT_ONCE):
        pass
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE evidence_leaf, evidence_dailybalance, reports_dayfigure, reports_keptday")


def main() -> None:
    """Prints what was found as JSON, a list of `Found`; what it is at goes to stderr."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.console", description=__doc__)
    parser.add_argument("--times", type=int, default=TIMES, help="requests of each kind")
    options = parser.parse_args()
    from django.contrib.auth.models import User  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415

    from backoffice.cycle_collector import tune_cycle_collector  # noqa: PLC0415
    from tests.signing_in import sign_in  # noqa: PLC0415

    user, _ = User.objects.get_or_create(username="bench", defaults={"is_staff": True, "is_superuser": True})
    keep()
    client, growing = Client(), sizes()
    sign_in(client, user)
    client.get("/console/")  # templates are compiled before the clock starts
    tune_cycle_collector()  # as a web process does
    results = []
    for ask in asks(times=options.times):
        found = measure(ask, client, growing)
        sys.stderr.write(
            f"{found.kind:<40} p50 {found.percentile(50):7.1f} ms  p95 {found.percentile(95):7.1f} ms"
            f"  {found.statements:3} statements, {found.sql_ms:4.0f} ms  {' '.join(found.scanned)}\n"
        )
        results.append(asdict(found))
    print(json.dumps(results))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
    os.environ.setdefault("ALLOWED_HOSTS", "testserver")
    django.setup()
    main()
