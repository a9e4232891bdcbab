"""The command as it runs: one snapshot, nothing written, one document."""

import json
from contextlib import suppress

import pytest
from django.core.management import call_command
from django.db import InternalError, connection
from django.utils import timezone

from backoffice.audit import shares
from backoffice.audit.run import audit
from backoffice.audit.snapshot import one_snapshot
from backoffice.books.evidence.sealer import seal
from tests.integration.evidence.test_sealer import database_url
from tests.till import Till, a_sale


@pytest.fixture
def commits(committed_db: None) -> None:
    """Commits, and never in a database that somebody uses."""
    assert connection.settings_dict["NAME"].startswith("test_")


@pytest.mark.django_db
def test_there_is_no_snapshot_within_a_transaction_that_has_begun() -> None:
    with pytest.raises(InternalError, match="SET TRANSACTION ISOLATION LEVEL must"), one_snapshot():
        pass


@pytest.mark.usefixtures("commits")
def test_it_reads_at_one_moment_and_writes_nothing() -> None:
    with one_snapshot(), connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only')")
        assert cursor.fetchone() == ("repeatable read", "on")
        with pytest.raises(InternalError, match="read-only"):
            cursor.execute("UPDATE fleet_store SET name = name")


@pytest.mark.usefixtures("commits")
def test_it_prints_one_document_with_what_was_sold(capsys: pytest.CaptureFixture[str]) -> None:
    till = Till()
    till.open()
    till.sell(a_sale(1001), a_sale(1002))
    capsys.readouterr()
    with suppress(SystemExit):  # what other tests left behind is not looked at here
        call_command("verify_books", "--json")
    report = json.loads(capsys.readouterr().out)
    (store,) = [store for store in report["stores"] if store["code"] == till.store.code]
    assert (store["orders"], store["sales"], store["payments"]) == (2, 480, {"cash": 480})
    assert not [each for each in report["differences"] if each["store"] == till.store.code]


@pytest.mark.usefixtures("commits")
def test_several_processes_find_what_one_finds_in_the_same_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    tills = [Till(), Till()]
    for till in tills:
        till.open()
        till.sell(a_sale(1001), a_sale(1002))
    seal(now=timezone.now())
    monkeypatch.setenv("DATABASE_URL", database_url())
    monkeypatch.setattr(shares, "WORTH_A_PROCESS", 1)
    told: list[tuple[int, int]] = []
    with one_snapshot():
        alone = audit(progress=lambda *_: None)
        together = audit(progress=lambda *words: told.append(words), processes=2)
    assert sorted(alone.differences) == sorted(together.differences)
    assert alone.stores == together.stores
    assert {till.store.code for till in tills} <= {store.code for store in together.stores if store.figures.orders == 2}
    assert together._replace(stores=[], differences=[], peak_bytes=0) == alone._replace(
        stores=[], differences=[], peak_bytes=0
    )
    assert told[-1][0] == told[-1][1] > 0
