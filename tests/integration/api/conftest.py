"""After every test of the API the four promises are checked, by SQL alone (what the service must survive)."""

import hashlib
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests.till import Till

# A member of a processed batch is posted, known already, or held: nothing is dropped, nothing counted twice.
UNACCOUNTED = """
SELECT b.batch_id FROM inbox_batch b
WHERE b.state = 'processed' AND (
    b.order_count <> (SELECT coalesce(sum(value::int), 0) FROM jsonb_each_text(b.outcomes))
    OR b.movement_count <> (SELECT coalesce(sum(value::int), 0) FROM jsonb_each_text(b.movement_outcomes))
    OR coalesce((b.outcomes ->> 'posted')::int, 0) <> (SELECT count(*) FROM sales_order o WHERE o.batch_id = b.batch_id)
    OR coalesce((b.outcomes ->> 'held')::int, 0) + coalesce((b.outcomes ->> 'conflict')::int, 0)
        <> (SELECT count(*) FROM sales_helditem h WHERE h.batch_id = b.batch_id AND h.what = 'order'))
"""
POSTED_TWICE = "SELECT order_id FROM sales_order GROUP BY order_id HAVING count(*) > 1"
ENTERED_TWICE = """
SELECT source_kind, source_id, source_number FROM ledger_journalentry
GROUP BY source_kind, source_id, source_number HAVING count(*) > 1
"""
UNBALANCED = """
SELECT entry_id FROM ledger_journalline GROUP BY entry_id, currency HAVING sum(debit) <> sum(credit)
UNION ALL
SELECT id FROM ledger_journalentry e WHERE NOT EXISTS (SELECT FROM ledger_journalline l WHERE l.entry_id = e.id)
"""


HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test here uses the database, rolled back afterwards unless it asks for `committed_db`."""
    for item in items:
        if item.path.is_relative_to(HERE) and "committed_db" not in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.django_db)


@pytest.fixture(autouse=True)
def promises_are_kept(request: pytest.FixtureRequest) -> Iterator[None]:
    """Asked of everything a test wrote, before it is rolled back."""
    request.getfixturevalue("committed_db" if "committed_db" in request.fixturenames else "db")
    assert connection.settings_dict["NAME"].startswith("test_")
    yield
    with connection.cursor() as cursor:
        for question in (UNACCOUNTED, POSTED_TWICE, ENTERED_TWICE, UNBALANCED):
            cursor.execute(question)
            assert cursor.fetchall() == [], question
        cursor.execute("SELECT body, digest FROM inbox_batch")
        for body, digest in cursor.fetchall():
            assert hashlib.sha256(zlib.decompress(body)).digest() == bytes(digest)


@pytest.fixture
def till() -> Till:
    """A till whose shift is open since this morning."""
    till = Till()
    assert till.open().status_code == 201
    return till
