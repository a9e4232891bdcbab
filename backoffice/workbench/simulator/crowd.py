"""Many tills at work at once, each in a thread of its own."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

from backoffice.workbench.simulator.report import Row, row
from backoffice.workbench.simulator.till import Till


def at_once(tills: Sequence[Till], work: Callable[[Till], None]) -> None:
    """Does the work at every till and waits for all of them. The first error stops them all, and is raised."""
    with ThreadPoolExecutor(max_workers=max(1, len(tills))) as pool:
        try:
            for done in as_completed([pool.submit(work, till) for till in tills]):
                done.result()
        except BaseException:
            for till in tills:
                till.abandon()
            raise


def settle_all(tills: Sequence[Till]) -> None:
    """Waits until Back Office has settled every closed shift, or patience ends; the table shows which it was."""

    def settle(till: Till) -> None:
        till.settled()

    at_once(tills, settle)


def shift_rows(tills: Sequence[Till]) -> list[Row]:
    """One row per shift of every till, in the order they were opened."""
    return [row(till, shift) for till in tills for shift in till.terminal.journal.declared_shifts()]


def work_shifts(*, shifts: int, orders: int, rough: bool = True) -> Callable[[Till], None]:
    """The work of a till: shifts of so many orders, some of them offline, with cash moved now and then."""

    def work(till: Till) -> None:
        for shift in range(shifts):
            till.begin(till.shop.cashiers[(till.number + shift) % len(till.shop.cashiers)])
            outage = till.rng.randrange(orders) if rough and orders > 1 else orders
            for served in range(orders):
                if served == outage:
                    till.lose_line()
                if served == outage + orders // 4:
                    till.regain_line()
                till.serve()
                if till.rng.randrange(25) == 0:
                    till.move_cash()
            if till.link.cut:
                till.regain_line()
            short = till.rng.choice((0, 0, 0, till.shop.notes[0] // 10))
            till.end(short=short, blind=till.rng.randrange(8) == 0)
            till.clock.pass_time(8 * 3600)

    return work
