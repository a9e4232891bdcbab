"""What a live order pays for being seen: ids, its line in the log, and the metrics. `python -m tests.bench.bench_seen`.

Everything that such a request adds to its own work, without the work: the middleware around it, two bindings of ids,
the counts at the door and in the workshop, and the one line. The line goes to a file, as to a container's log.
"""

import os
import statistics
import sys
import tempfile
import time
from datetime import timedelta

ROUNDS, REQUESTS = 20, 2_000


def main() -> None:
    """Prints microseconds of processor time a request: the median of the rounds, and the best."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder, tempfile.TemporaryFile("w", buffering=1) as log:
        os.environ |= {"METRICS_DIR": folder, "BACKOFFICE_ROLE": "web", "DJANGO_SETTINGS_MODULE": "backoffice.settings"}
        shown, sys.stderr = sys.stderr, log
        import django

        django.setup()
        rounds = [measure() for _ in range(ROUNDS)]
        sys.stderr = shown
    print(f"a live order is seen at {statistics.median(rounds):.1f} µs (best round {min(rounds):.1f})")


def measure() -> float:
    """Microseconds of processor time a request, over one round."""
    from uuid import uuid4

    import structlog
    from django.http import HttpRequest, HttpResponse
    from django.urls import ResolverMatch
    from structlog.contextvars import bind_contextvars

    from backoffice import metrics
    from backoffice.tracing import RequestTrace

    log = structlog.get_logger("backoffice.ingestion.batch.claims")
    batch_id, terminal = uuid4(), uuid4()
    request = HttpRequest()
    request.META |= {"HTTP_PREFER": "wait=10"}
    request.resolver_match = ResolverMatch(measure, (), {}, url_name="batch-upload")
    waited = timedelta(milliseconds=5)

    def answer(_: HttpRequest) -> HttpResponse:
        bind_contextvars(terminal=str(terminal))
        bind_contextvars(batch_id=str(batch_id))
        metrics.count_accepted(orders=1)
        metrics.count_processed(outcomes={"posted": 1}, seconds=0.004, since_receipt=waited)
        ids = {"batch_id": str(batch_id), "terminal": str(terminal), "request_id": "0" * 32}
        log.info("batch processed", **ids, posted=1, ms=4.0)
        return response

    response = HttpResponse(status=200)
    trace = RequestTrace(answer)
    began = time.process_time()
    for _ in range(REQUESTS):
        trace(request)
    return (time.process_time() - began) / REQUESTS * 1e6


if __name__ == "__main__":
    main()
