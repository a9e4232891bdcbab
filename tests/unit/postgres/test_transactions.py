import pytest
from django.db import transaction

from backoffice.postgres.transactions import OutsideTransaction, transaction_required


@transaction_required
def write_a_part(first: int, *, second: int) -> int:
    return first + second


def test_a_writer_refuses_to_run_where_nobody_opened_a_transaction() -> None:
    with pytest.raises(OutsideTransaction, match=r"^write_a_part must be called inside a transaction\.$"):
        write_a_part(1, second=2)


def test_inside_a_transaction_it_runs_as_if_nothing_stood_around_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transaction.get_connection(), "in_atomic_block", True)
    assert write_a_part(1, second=2) == 3
    assert write_a_part.__name__ == "write_a_part"
