"""What Prometheus reads from a running Back Office: every documented metric and no other, summed over all processes."""

import re
from collections.abc import Callable

import httpx
import pytest

from tests.conftest import RunningStack
from tests.journeys.http_till import HttpTill, a_store_code, eventually
from tests.till import a_sale
from tests.unit.deployment.test_metrics import documented

Sample = Callable[[str], float]


@pytest.fixture
def sample(stack: RunningStack) -> Sample:
    """The value of a sample now, by its name with its labels; 0 where it is not there."""

    def read(name: str) -> float:
        found = re.search(rf"^{re.escape(name)} (\S+)$", text_of(stack), re.MULTILINE)
        return float(found[1]) if found else 0.0

    return read


def text_of(stack: RunningStack) -> str:
    answer = httpx.get(f"{stack.base_url}/metrics", timeout=30)
    assert answer.status_code == 200
    return answer.text


def names(text: str) -> set[str]:
    return set(re.findall(r"^# TYPE (backoffice_\w+) ", text, re.MULTILINE))


def test_every_metric_is_documented_and_every_documented_one_is_there(stack: RunningStack) -> None:
    wanted = documented().keys()
    assert names(eventually(lambda: text_of(stack), lambda text: names(text) == wanted)) == wanted


def test_what_web_and_worker_count_is_told_by_whichever_process_answers(stack: RunningStack, sample: Sample) -> None:
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
        'backoffice_requests_total{address="batch-upload",status="200"}',
    ]
    till = HttpTill(stack, a_store_code(stack))
    till.open()
    before = {name: sample(name) for name in watched}
    orders = [a_sale(number) for number in range(1001, 1004)]
    till.processed(till.upload(*orders).json()["batch_id"])  # in a worker
    assert till.upload(*orders[:2], Prefer="wait=10").status_code == 200  # in web
    grown = dict(zip(watched, (2, 5, 2, 3, 2, 1, 1, 2, 2, 1), strict=True))
    # Twenty answers, of which both web processes have their share.
    for _ in range(20):
        assert {name: sample(name) - before[name] for name in watched} == grown
