"""What a shop notices of a till: selling online and offline, opening and closing, power cuts."""

from collections.abc import Callable
from datetime import datetime, timedelta

import httpx
import pytest
from till_clock import Clock

from backoffice_terminal import (
    CredentialInvalid,
    Device,
    Draft,
    LinkError,
    NoOpenShift,
    NotActivated,
    NotAllowedOffline,
    NotBalanced,
    OrderTooLarge,
    ShiftStillOpen,
    Terminal,
)
from backoffice_terminal.testing import After, FakeBackOffice, problem

Ring = Callable[[], Draft]


def test_a_live_sale_is_posted_while_the_customer_waits(till: Terminal, server: FakeBackOffice, baguette: Ring) -> None:
    sold = till.sell(baguette())
    assert (sold.label, sold.outcome) == ("1", "posted")
    assert server.requests[-1].headers["Prefer"] == "wait=2"


def test_numbers_run_on_from_shift_to_shift(till: Terminal, baguette: Ring) -> None:
    till.sell(baguette())
    till.close_shift(cash_counted=20_120)
    till.open_shift(cashier="Ben", opening_float=20_000)
    assert till.shift().first_number == 2
    assert till.sell(baguette()).order.number == 2


def test_an_offline_order_carries_an_asterisk(till: Terminal, server: FakeBackOffice, baguette: Ring) -> None:
    till.go_offline()
    before = len(server.requests)
    sold = till.sell(baguette())
    assert (sold.label, sold.order.mode, sold.outcome) == ("1*", "offline", None)
    assert len(server.requests) == before


def test_an_offline_order_has_no_customer_and_no_network_printer(till: Terminal, baguette: Ring) -> None:
    till.go_offline()
    with_customer, on_network = baguette(), baguette()
    with_customer.customer, on_network.printed_to = {"name": "Mme Petit"}, "network"
    for draft in (with_customer, on_network):
        with pytest.raises(NotAllowedOffline):
            till.sell(draft)
    assert till.sell(baguette()).order.number == 1


def test_an_order_that_nobody_would_read_is_not_made_and_takes_no_number(till: Terminal, baguette: Ring) -> None:
    till.go_offline()
    draft = baguette()
    draft.note = "x" * 256 * 1024
    with pytest.raises(OrderTooLarge):
        till.sell(draft)
    assert till.sell(baguette()).order.number == 1


def test_an_offline_till_says_at_once_what_it_cannot_do(till: Terminal) -> None:
    till.go_offline()
    with pytest.raises(NotAllowedOffline):
        till.draft(customer={"name": "Mme Petit"})
    with pytest.raises(NotAllowedOffline):
        till.draft(printed_to="network")
    assert till.draft(printed_to="local").printed_to == "local"


def test_what_was_cached_is_delivered_when_the_line_is_back(
    till: Terminal, server: FakeBackOffice, baguette: Ring
) -> None:
    till.go_offline()
    for _ in range(3):
        till.sell(baguette())
    till.go_online()
    assert [order["number"] for order in server.posted()] == [1, 2, 3]
    assert till.mode == "online"


def test_a_till_without_an_answer_goes_offline_and_the_sale_stands(
    till: Terminal, server: FakeBackOffice, baguette: Ring
) -> None:
    server.script = [After(httpx.ReadTimeout("lost")), httpx.ConnectError("down")]
    sold = till.sell(baguette())
    assert (till.mode, sold.outcome) == ("offline", None)
    till.go_online()
    assert len(server.posted()) == 1
    assert till.journal.order(sold.order.order_id).outcome == "posted"


def test_an_unpaid_draft_takes_no_number(till: Terminal) -> None:
    draft = till.draft()
    draft.add(unit_price=100)
    with pytest.raises(NotBalanced):
        till.sell(draft)
    assert till.journal.next_number("order_number") == 1


def test_after_a_power_cut_everything_is_still_there(
    till: Terminal, boot: Callable[[], Terminal], server: FakeBackOffice, baguette: Ring
) -> None:
    till.go_offline()
    till.sell(baguette())
    again = boot()
    assert (again.mode, again.shift().terms.cashier) == ("offline", "Anna")
    again.sync()
    assert len(server.posted()) == 1


def test_a_shift_starts_online(till: Terminal, server: FakeBackOffice) -> None:
    till.close_shift(cash_counted=20_000)
    server.script = [httpx.ConnectError("down")] * 3
    with pytest.raises(LinkError):
        till.open_shift(cashier="Ben", opening_float=10_000)
    with pytest.raises(NoOpenShift):
        till.draft()


def test_an_opening_without_an_answer_is_repeated_and_not_renewed(till: Terminal, server: FakeBackOffice) -> None:
    till.close_shift(cash_counted=20_000)
    server.script = [After(httpx.ReadTimeout("lost"))] * 3
    with pytest.raises(LinkError):
        till.open_shift(cashier="Ben", opening_float=10_000)
    shift = till.open_shift(cashier="Ben", opening_float=10_001)
    assert shift.terms.opening_float == 10_000
    assert len(server.shifts) == 2


def test_a_second_shift_waits_for_the_first_to_be_counted(till: Terminal) -> None:
    with pytest.raises(ShiftStillOpen):
        till.open_shift(cashier="Ben", opening_float=0)


def test_the_close_declares_what_the_till_wrote_down(till: Terminal, server: FakeBackOffice, baguette: Ring) -> None:
    shift = till.shift()
    sold = till.sell(baguette())
    tipped = baguette()
    tipped.payments.clear()
    tipped.tip = 30
    tipped.pay("card", tipped.due)
    till.sell(tipped)
    back = till.refund(sold.order)
    back.pay("cash", back.due)
    till.sell(back)
    abandoned = till.draft()
    abandoned.add(unit_price=999)
    till.sell(abandoned, status="voided")
    till.cash_in(5_000, reason="change")
    till.cash_out(800, reason="tips")
    expected = till.expected_cash(shift.shift_id)
    till.close_shift(cash_counted=expected - 350)
    till.sync()
    declared = server.shifts[shift.shift_id].declaration
    assert expected == 20_000 + 5_000 - 800
    assert (declared["order_count"], declared["first_number"], declared["last_number"]) == (4, 1, 4)
    assert declared["cash_counted"] == expected - 350
    assert declared["totals"] == {
        "sales": 240,
        "refunds": -120,
        "tax": 6,
        "tips": 30,
        "rounding": 0,
        "payments": {"cash": 0, "card": 150},
    }
    assert till.journal.shift(shift.shift_id).state == "reconciled"


def test_an_empty_shift_ends_before_it_began(till: Terminal, server: FakeBackOffice) -> None:
    shift = till.close_shift(cash_counted=20_000)
    declared = server.shifts[shift.shift_id].declaration
    assert (declared["first_number"], declared["last_number"], declared["batches"]) == (1, 0, [])


@pytest.mark.parametrize("amount", [-1, 10**12 + 1])
def test_an_amount_that_is_never_taken_is_not_saved(till: Terminal, amount: int) -> None:
    """It would be sent for ever, and block all that follows."""
    with pytest.raises(ValueError, match="not an amount of cash"):
        till.close_shift(cash_counted=amount)
    till.close_shift(cash_counted=20_000)
    with pytest.raises(ValueError, match="not an amount of cash"):
        till.open_shift(cashier="Anna", opening_float=amount)
    till.open_shift(cashier="Anna", opening_float=20_000)


def test_a_close_without_an_answer_is_finished_later(till: Terminal, server: FakeBackOffice, baguette: Ring) -> None:
    till.sell(baguette())
    server.script = [After(httpx.ReadTimeout("lost"))] * 3
    with pytest.raises(LinkError):
        till.close_shift(cash_counted=20_120)
    with pytest.raises(NoOpenShift):
        till.draft()
    till.sync()
    assert till.journal.declared_shifts()[0].state == "reconciled"


def test_a_revoked_till_stops_sending_and_keeps_everything(
    till: Terminal, server: FakeBackOffice, baguette: Ring
) -> None:
    server.revoke_all()
    till.sell(baguette())
    assert till.mode == "offline"
    before = len(server.requests)
    with pytest.raises(NotActivated):
        till.sync()
    assert len(server.requests) == before
    till.activate("7KQF-2MXD-9RTV", Device("Till 1"))
    assert till.journal.unsealed(till.shift().shift_id) == ({}, {})
    assert till.sell(baguette()).label == "2*"


def test_a_refused_credential_is_named(till: Terminal, server: FakeBackOffice) -> None:
    server.revoke_all()
    with pytest.raises(CredentialInvalid, match="credential-invalid"):
        till.look(till.shift().shift_id)


def test_a_new_disk_does_not_hand_out_old_numbers(till: Terminal, server: FakeBackOffice, baguette: Ring) -> None:
    for _ in range(4):
        till.sell(baguette())
    till.journal.note("order_number", "2")
    till.go_online()
    assert till.journal.next_number("order_number") == 5


def test_nothing_is_pruned_before_seven_days_after_settling(till: Terminal, clock: Clock, baguette: Ring) -> None:
    shift_id = till.shift().shift_id
    till.sell(baguette())
    till.close_shift(cash_counted=20_120)
    till.sync()
    settled = datetime.fromisoformat(till.journal.shift(shift_id).settled_at)
    clock.now = settled + timedelta(days=7) - timedelta(minutes=1)
    till.prune()
    assert len(till.journal.orders(shift_id)) == 1
    clock.now = settled + timedelta(days=7)
    till.prune()
    assert till.journal.orders(shift_id) == []
    assert till.journal.declared_shifts() == []


def test_a_shift_that_never_settled_is_kept_for_ever(
    till: Terminal, clock: Clock, server: FakeBackOffice, baguette: Ring
) -> None:
    shift_id = till.shift().shift_id
    sold = till.sell(baguette())
    server.orders[sold.order.order_id].outcome = "held"
    till.close_shift(cash_counted=20_120)
    till.sync()
    clock.now += timedelta(days=4_000)
    till.prune()
    assert till.journal.shift(shift_id).state == "discrepant"
    assert len(till.journal.orders(shift_id)) == 1


def test_a_shift_that_is_unsettled_again_starts_its_seven_days_anew(
    till: Terminal, clock: Clock, server: FakeBackOffice, baguette: Ring
) -> None:
    shift_id = till.shift().shift_id
    sold = till.sell(baguette())
    till.close_shift(cash_counted=20_120)
    till.sync()
    server.orders[sold.order.order_id].outcome = "held"
    clock.now += timedelta(days=8)
    till.prune()
    server.orders[sold.order.order_id].outcome = "posted"
    till.sync()
    till.prune()
    assert len(till.journal.orders(shift_id)) == 1


def test_what_back_office_never_took_outlives_the_shift(
    till: Terminal, clock: Clock, server: FakeBackOffice, baguette: Ring
) -> None:
    shift_id = till.shift().shift_id
    till.sell(baguette())
    server.script = [problem(422, "envelope-invalid")]
    refused = till.sell(baguette())
    assert [batch.orders for batch in till.refused()] == [[refused.order.order_id]]
    till.journal.note_state(shift_id, "approved", at=clock().isoformat())
    till.journal.prune(shift_id)
    assert [saved.order_id for saved in till.journal.orders(shift_id)] == [refused.order.order_id]
    till.send_refused_again()
    assert len(server.posted()) == 2


def test_a_close_says_what_is_left_and_still_open_and_may_be_counted_later(
    till: Terminal, server: FakeBackOffice
) -> None:
    shift_id = till.shift().shift_id
    till.close_shift(cash_counted=None, float_left=15000, carried_over=[1])
    declared = server.shifts[shift_id].declaration
    assert declared is not None
    assert (declared["cash_counted"], declared["float_left"], declared["carried_over"]) == (None, 15000, [1])
    assert till.journal.current_shift() is None


def test_a_close_that_says_no_more_is_as_it_was(till: Terminal, server: FakeBackOffice) -> None:
    shift_id = till.shift().shift_id
    till.close_shift(cash_counted=20000)
    assert not {"float_left", "carried_over"} & set(server.shifts[shift_id].declaration or {})
