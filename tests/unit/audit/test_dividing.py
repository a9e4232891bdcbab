"""How the work of an audit is divided."""

from backoffice.audit.fleet import AuditedTill
from backoffice.audit.shares import WORTH_A_PROCESS, Share, Work, divide


def work(*orders: int, leaves: dict[int, int] | None = None) -> Work:
    tills = [AuditedTill(number, 1, "PAR1", f"Till {number}") for number in range(len(orders))]
    return Work(tills, dict(enumerate(orders)), leaves or {})


def costs(shares: list[Share], of: Work) -> list[int]:
    return sorted(sum(of.orders[till.id] for till in share.tills) for share in shares)


def test_little_work_is_done_by_one() -> None:
    assert len(divide(work(WORTH_A_PROCESS - 1, 0), 8)) == 1
    assert divide(work(), 8) == [Share([], [])]


def test_nobody_has_much_more_to_do_than_another() -> None:
    much = work(*[10_000] * 7, 60_000)
    assert costs(divide(much, 2), much) == [60_000, 70_000]


def test_everything_is_done_once_terminals_without_orders_and_seals_as_well() -> None:
    all_of_it = work(30_000, 30_000, 0, leaves={1: 50_000, 2: 0})
    shares = divide(all_of_it, 3)
    assert len(shares) == 3
    assert sorted(till.id for share in shares for till in share.tills) == [0, 1, 2]
    assert sorted(store for share in shares for store in share.sealed_stores) == [1, 2]
