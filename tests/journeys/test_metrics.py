"""What Prometheus reads from a running Back Office: every documented metric and no other, summed over all processes."""

import re

import httpx

from tests.conftest import RunningStack
from tests.journeys.http_till import HttpTill, a_store_code, eventually
from tests.till import a_sale
from tests.unit.deployment.test_metrics import documented


def samples(stack: RunningStack) -> dict[str, float]:
    """All samples now, by their names with their labels."""
    lines = (line.rpartition(" ") for line in text_of(stack).splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}


def text_of(stack: RunningStack) -> str:
    answer = httpx.get(f"{stack.base_url}/metrics", timeout=30)
    assert answer.status_code == 200
    return answer.text


def names(text: str) -> set[str]:
    return set(re.findall(r"^# TYPE (backoffice_\w+) ", text, re.MULTILINE))


def test_every_metric_is_documented_and_every_documented_one_is_there(stack: RunningStack) -> None:
    wanted = documented().keys()
    assert names(eventually(lambda: text_of(stack), lambda text: names(text) == wanted)) == wanted


def test_what_web_and_worker_count_is_told_by_whichever_process_answers(stack: RunningStack) -> None:
    watched = [
        "backoffice_batches_accepted_total",
        "backoffice_orders_accepted_total",
        "backoffice_batches_processed_total",
        'backoffice_orders_processed_total{outcome="posted"}',
        'backoffice_orders_processed_total{outcome="duplicate"}',
        'backoffice_upload_seconds_count{wait="no"}',
        'backoffice_upload_seconds_count{wait="yes"}',
        "backoffice_processing_seconds_count",
        "backoffice_settling_seconds_count",
    ]
    till = HttpTill(stack, a_store_code(stack))
    till.open()
    before = samples(stack)
    orders = [a_sale(number) for number in range(1001, 1004)]
    till.processed(till.upload(*orders).json()["batch_id"])  # in a worker
    assert till.upload(*orders[:2], Prefer="wait=10").status_code == 200  # in web
    grown = dict(zip(watched, (2, 5, 2, 3, 2, 1, 1, 2, 2), strict=True))
    # The worker counts after its COMMIT, which a till may see first.
    eventually(lambda: samples(stack)[watched[2]] - before[watched[2]], lambda processed: processed == 2)
    for _ in range(10):  # answers of which both web processes have their share
        now = samples(stack)
        assert {name: now[name] - before[name] for name in watched} == grown
