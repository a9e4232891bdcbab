"""What is sent: decided, numbered and kept before the first byte is written (books, "Exports").

A revision takes the entries of a store and day that have a seal number above everything that was sent of them before, up to
the store's newest. Seal numbers are given once, to entries whose transactions have ended: the set never changes.
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import Max

from backoffice.books.exports.coding import CodeMap, refuse_holes
from backoffice.books.exports.formats import check_codes
from backoffice.books.exports.models import ExportedSum, ExportMap, ExportProfile, ExportRevision, ExportRun
from backoffice.books.exports.profiles import LOCK_PROFILE
from backoffice.books.exports.reading import MovedSum, Range, sums_of
from backoffice.books.exports.refusals import NotExported
from backoffice.fleet.models import Store, Terminal
from backoffice.ledger.models import Account, PaymentAccount
from backoffice.trail.events import EXPORTED, record_event

MOST_DAYS = 3_700
FEC_CURRENCY = "EUR"

# The sealer keeps the last number of each kind; its trees' lock need not be held, since numbers only grow.
SELECT_NEWEST = "SELECT coalesce((SELECT (numbers->>'entry')::bigint FROM evidence_storetree WHERE store_id = %s), 0)"
SELECT_DAYS = """
WITH sent AS (
    SELECT business_date, max(upto) AS upto, max(number) AS number FROM exports_exportrevision
    WHERE profile_id = %(profile_id)s AND store_id = %(store_id)s AND business_date BETWEEN %(first)s AND %(last)s
    GROUP BY business_date
)
SELECT f.business_date, coalesce(sent.upto, 0), coalesce(sent.number, 0), count(*), max(f.number)
FROM evidence_leaf f LEFT JOIN sent USING (business_date)
WHERE f.kind = 'entry' AND f.store_id = %(store_id)s AND f.business_date BETWEEN %(first)s AND %(last)s
    AND f.number > coalesce(sent.upto, 0) AND f.number <= %(upto)s
GROUP BY 1, 2, 3 ORDER BY 1
"""


class StoreDays(NamedTuple):
    """The business dates from first to last, of one store."""

    store: Store
    first: date
    last: date


class _NewDay(NamedTuple):
    """A day with something that was not sent before."""

    day: date
    sent_upto: int
    sent_number: int
    entry_count: int
    newest: int


def check_span(span: StoreDays) -> None:
    """Raises NotExported for a span that ends before it begins, or is longer than any books."""
    if span.first > span.last:
        raise NotExported(f"{span.first} is after {span.last}: an export goes from an earlier day to a later one.")
    if (span.last - span.first).days > MOST_DAYS:
        raise NotExported("An export covers ten years at most.")


def decide_run(profile: ExportProfile, span: StoreDays, *, now: datetime) -> ExportRun | None:
    """Decides what is sent of what is sealed; None where everything was sent before.

    Raises NotExported where the map has a hole: then nothing counts as sent.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(LOCK_PROFILE, [profile.pk])
        cursor.execute(SELECT_NEWEST, [span.store.pk])
        (upto,) = cursor.fetchone()
        wanted: dict[str, Any] = {
            "profile_id": profile.pk,
            "store_id": span.store.pk,
            "first": span.first,
            "last": span.last,
        }
        cursor.execute(SELECT_DAYS, wanted | {"upto": upto})
        days = [_NewDay._make(row) for row in cursor.fetchall()]
        current = ExportMap.objects.filter(profile=profile).latest("version")
        run = _make_run(profile, current, span, upto=upto, now=now)
        moved = [(day, sums) for day in days if (sums := sums_of(_range(run, day)))]
        if not moved:
            return None
        _check_map(run, [each for _, sums in moved for each in sums])
        run.save(force_insert=True)
        _keep(run, moved)
        name = f"{profile.name}, {span.first} to {span.last}"
        record_event(EXPORTED, about="export", object_id=str(run.pk), object_name=name, store_id=span.store.pk)
    return run


def _make_run(profile: ExportProfile, current: ExportMap, span: StoreDays, *, upto: int, now: datetime) -> ExportRun:
    newest = ExportRun.objects.filter(profile=profile).aggregate(newest=Max("number"))["newest"]
    return ExportRun(
        profile=profile,
        number=(newest or 0) + 1,
        map=current,
        store=span.store,
        first_day=span.first,
        last_day=span.last,
        upto=upto,
        currency=profile.currency or span.store.currency,
        names=_names(span.store, current),
        decided_at=now,
    )


def _names(store: Store, current: ExportMap) -> dict[str, Any]:
    """Whatever may be called otherwise one day. Methods are told apart only where the map does."""
    methods = PaymentAccount.objects.filter(store=store).order_by("method").values_list("method", "account_id")
    return {
        "store": [store.code, store.name],
        "terminals": {str(pk): name for pk, name in Terminal.objects.filter(store=store).values_list("pk", "name")},
        "accounts": dict(Account.objects.values_list("code", "name")),
        "methods": dict(methods) if any(line[2] for line in current.lines) else {},
    }


def _range(run: ExportRun, day: _NewDay) -> Range:
    return Range(run.store_id, day.day, day.sent_upto, run.upto, run.currency, run.names["methods"])


def _check_map(run: ExportRun, moved: list[MovedSum]) -> None:
    if run.profile.format == "fec" and run.currency != FEC_CURRENCY:
        raise NotExported(f"An FEC is in {FEC_CURRENCY}, and this store's books are in {run.currency}.")
    codes = CodeMap(run.map.lines, run.names["accounts"])
    refuse_holes(codes, {each[:3] for each in moved})
    # Accounts may have been added since the profile was made, and an account that keeps its own code has that of the chart.
    check_codes(run.profile.format, [found for each in moved if (found := codes.find(*each[:3]))])


def _keep(run: ExportRun, moved: list[tuple[_NewDay, list[MovedSum]]]) -> None:
    revisions = ExportRevision.objects.bulk_create(_revision(run, day) for day, _ in moved)
    ExportedSum.objects.bulk_create(
        ExportedSum(
            revision=revision,
            account_id=each.account,
            tax_code=each.tax_code,
            method=each.method,
            debit=each.debit,
            credit=each.credit,
        )
        for revision, (_, sums) in zip(revisions, moved, strict=True)
        for each in sums
    )


def _revision(run: ExportRun, day: _NewDay) -> ExportRevision:
    number = day.sent_number + 1
    return ExportRevision(
        run=run,
        profile=run.profile,
        store=run.store,
        business_date=day.day,
        number=number,
        after=day.sent_upto,
        upto=run.upto,
        entry_count=day.entry_count,
        reference=f"{run.names['store'][0]}-{day.day:%Y%m%d}-r{number}",
    )


def days_of(run: ExportRun) -> Iterator[tuple[ExportRevision, list[ExportedSum]]]:
    """The revisions of a run in the order of their days, each with its sums."""
    revisions = run.revisions.order_by("business_date").prefetch_related("sums")
    for revision in revisions:
        yield revision, sorted(revision.sums.all(), key=lambda each: (each.account_id, each.tax_code, each.method))
