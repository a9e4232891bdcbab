"""What processes count as they work. All counters are defined here; docs/operations.md explains them.

Counting takes a microsecond or two and never fails a request. With METRICS_DIR set, all processes on this machine count
into files there and any of them can report the sum; without it, each reports its own.
"""

import os
from datetime import timedelta

import prometheus_client
from django.conf import settings
from prometheus_client import Counter, Histogram, values

from backoffice.metrics.slots import Slots

prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
slots = Slots.usable(settings.METRICS_DIR)
if slots is not None:
    os.environ.update(PROMETHEUS_MULTIPROC_DIR=settings.METRICS_DIR)
    values.ValueClass = values.MultiProcessValue(slots.number)  # type: ignore[no-untyped-call]

# --- The door ---------------------------------------------------------------------------------------------------------

_requests = Counter("backoffice_requests", "Requests answered, by address and status.", ["address", "status"])
_upload_seconds = Histogram(
    "backoffice_upload_seconds",
    "From the last byte of an upload to its 2xx answer; wait: whether the till asked to wait for the outcome.",
    ["wait"],
    buckets=(0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10),
)
_accepted_batches = Counter("backoffice_batches_accepted", "Batches stored, not counting repeats.")
_accepted_orders = Counter("backoffice_orders_accepted", "Orders in the batches that were stored.")
requests_unmetered = Counter(
    "backoffice_requests_unmetered", "Requests that passed without a rate limit because Redis did not answer."
)
tries_unmetered = Counter(
    "backoffice_tries_unmetered",
    "Logins and activations that passed without a limit because Redis did not answer.",
)
logins_refused = Counter("backoffice_logins_refused", "Logins that were not tried because there had been too many.")
requests_throttled = Counter("backoffice_requests_throttled", "Requests answered 429.")

# --- The workshop -----------------------------------------------------------------------------------------------------

_processed_batches = Counter("backoffice_batches_processed", "Batches turned into sales and books.")
_processed_orders = Counter(
    "backoffice_orders_processed", "Orders and cash movements processed, by outcome.", ["outcome"]
)
_processing_seconds = Histogram(
    "backoffice_processing_seconds",
    "Work on one batch, from the start of its transaction to its end; small batches may share one.",
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
_settling_seconds = Histogram(
    "backoffice_settling_seconds",
    "From a batch's receipt to the end of its processing.",
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600),
)
batches_retried = Counter("backoffice_batches_retried", "Attempts at a batch after one that crashed or was killed.")
batches_failed = Counter("backoffice_batches_failed", "Times that a batch was set aside after five crashes.")

# --- The bell ---------------------------------------------------------------------------------------------------------

bell_failures = Counter("backoffice_bell_failures", "Rings that the broker did not accept in time.")

# Looked up once, since finding a labelled metric costs more than counting. Those of `outcome` and `wait` start at 0, so
# that Prometheus sees the first event as an increase.
_outcomes = {outcome: _processed_orders.labels(outcome) for outcome in ("posted", "duplicate", "conflict", "held")}
_answered: dict[tuple[str, int], Counter] = {}
_waited = {True: _upload_seconds.labels("yes"), False: _upload_seconds.labels("no")}


def count_request(*, address: str, status: int) -> None:
    """Counts a request. `address` is one of a few names, never text from a client."""
    counter = _answered.get((address, status))
    if counter is None:
        counter = _answered[address, status] = _requests.labels(address, str(status))
    counter.inc()


def count_upload(*, seconds: float, waited: bool) -> None:
    """Counts an upload that was answered 2xx, new or repeated."""
    _waited[waited].observe(seconds)


def count_accepted(*, orders: int) -> None:
    """Counts a batch that was stored, and its orders."""
    _accepted_batches.inc()
    _accepted_orders.inc(orders)


def count_processed(*, outcomes: dict[str, int], seconds: float, since_receipt: timedelta) -> None:
    """Counts a processed batch; `outcomes` are the numbers of its orders and movements by outcome."""
    _processed_batches.inc()
    for outcome, count in outcomes.items():
        _outcomes[outcome].inc(count)
    _processing_seconds.observe(seconds)
    _settling_seconds.observe(max(0.0, since_receipt.total_seconds()))
