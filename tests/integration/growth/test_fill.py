"""What `make bench-growth` fills is what the product would have written: the audit derives the same books from it."""

from datetime import date

import pytest
from django.db import connection

from backoffice.review.audit.run import audit
from tests.bench.fill import MONTHS, fill
from tests.till import Till  # noqa: F401

pytestmark = pytest.mark.django_db


def test_small():
    plan = fill(orders=4_000, today=date(2026, 11, 22), code="FILL", processes=1)
    print(plan.orders)
    report = audit(progress=lambda done, total: None)
    for one in report.differences[:5] if hasattr(report, "differences") else []:
        print(one)
    assert report.difference_count == 0
