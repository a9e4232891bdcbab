"""What two people took in from a dead till's file is right, and what was changed of it afterwards is found and named."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from backoffice.books.importing import import_cache
from backoffice.ingestion.sweep import process_waiting
from tests.caches import cached_batch, cached_shift, saved_cache
from tests.integration.books.office import a_person
from tests.till import Till, a_movement, a_sale

pytestmark = pytest.mark.django_db

Verify = Callable[[], tuple[int, dict[str, Any]]]
Tamper = Callable[..., None]
OF_IMPORTS = "id = (SELECT (arguments ->> 'file')::uuid FROM books_decision WHERE verb = 'import-cache')"
OTHER_BYTES = r"E'\\x789c030000000001'"


@pytest.fixture
def batch(till: Till) -> dict[str, str]:
    """Taken in, beside an order that the till had sent itself and another that it sends afterwards."""
    till.sell(sent := a_sale(1001))
    batch = cached_batch(sent, a_sale(1002), a_sale(1003, total=999), movements=[a_movement()])
    older = cached_shift(uuid4(), cached_batch(a_sale(901)), number=310, first_number=901)
    file = saved_cache(till, cached_shift(till.shift_id, batch), older)
    people = {"person": a_person("Ruth"), "agreed_by": a_person("Otto")}
    import_cache(file, **people, reason="till-dead", now=timezone.now())
    process_waiting()
    till.sell(sent)
    return batch


@pytest.mark.usefixtures("batch")
def test_books_with_a_cache_in_them_are_right(verify: Verify) -> None:
    code, report = verify()
    assert (code, report["differences"]) == (0, [])


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (f"UPDATE books_cachefile SET content = {OTHER_BYTES} WHERE {OF_IMPORTS}", "what the file holds"),
        (f"UPDATE books_cachefile SET digest = decode('00', 'hex') WHERE {OF_IMPORTS}", "the file"),
        (f"DELETE FROM books_cachefile WHERE {OF_IMPORTS}", "the file"),
        ("UPDATE books_cachefile SET terminal_id = terminal_id + 1", "the file"),
        ("UPDATE books_cachefile SET content = 'no zlib'", "the file"),
    ],
)
@pytest.mark.usefixtures("batch")
def test_a_file_that_was_changed_is_named(till: Till, verify: Verify, tamper: Tamper, change: str, what: str) -> None:
    tamper(change)
    code, report = verify()
    where = f"the decision to import-cache {till.terminal.uuid}"
    found = [(each["where"], each["what"]) for each in report["differences"]]
    assert (code, [each for each in found if "as audit trail" not in each[0]]) == (1, [(where, what)])


def test_a_batch_that_was_taken_out_again_is_named(
    till: Till, batch: dict[str, str], verify: Verify, tamper: Tamper
) -> None:
    tamper("DELETE FROM inbox_batch WHERE batch_id = %s", batch["batch_id"])
    _, report = verify()
    assert f"batch {batch['batch_id']}" in {each["what"] for each in report["differences"]}


def test_a_batch_that_was_exchanged_is_named(till: Till, batch: dict[str, str], verify: Verify, tamper: Tamper) -> None:
    tamper("UPDATE inbox_batch SET digest = sha256('other') WHERE batch_id = %s", batch["batch_id"])
    _, report = verify()
    assert f"batch {batch['batch_id']}" in {each["what"] for each in report["differences"]}
