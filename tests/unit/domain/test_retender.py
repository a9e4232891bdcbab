"""Where the payments of an order stand, and how it can have been paid."""

import pytest

from backoffice.domain.retender import standing_accounts, wrong_payments

TODAY = {"cash": "1000", "card": "1100", "wallet": "1100", "bank_transfer": "1110"}


@pytest.mark.parametrize(
    ("paid", "standing", "found"),
    [
        pytest.param({"cash": 240}, {"1000": 240}, {"cash": "1000"}, id="as mapped today"),
        pytest.param({"card": 240}, {"1105": 240}, {"card": "1105"}, id="mapped to another account since"),
        pytest.param({"gold": 240}, {"1105": 240}, {"gold": "1105"}, id="mapped no more"),
        pytest.param(
            {"card": 100, "wallet": 140}, {"1100": 240}, {"card": "1100", "wallet": "1100"}, id="two on one account"
        ),
        pytest.param(
            {"cash": 100, "card": 140}, {"1000": 100, "1105": 140}, {"cash": "1000", "card": "1105"}, id="one of two"
        ),
        pytest.param(
            {"card": 100, "wallet": 140},
            {"1105": 100, "1106": 140},
            {"card": "1105", "wallet": "1106"},
            id="both, told apart by their amounts",
        ),
        pytest.param(
            {"card": 5000, "cash": -2000},
            {"1100": 5000, "1000": -2000},
            {"card": "1100", "cash": "1000"},
            id="cash back",
        ),
        pytest.param({"card": 120, "wallet": 120}, {"1105": 120, "1106": 120}, None, id="both, and nobody can tell"),
        pytest.param({"card": 240}, {"1105": 100, "1106": 140}, None, id="in two accounts"),
        pytest.param({}, {}, {}, id="free"),
    ],
)
def test_a_payment_stands_where_it_was_posted(paid: dict, standing: dict, found: dict | None) -> None:
    assert standing_accounts(paid, standing, accounts=TODAY) == found


def test_a_card_that_was_mapped_away_while_a_wallet_stayed_is_told_apart() -> None:
    accounts = TODAY | {"card": "1105"}
    paid = {"card": 100, "wallet": 140}
    assert standing_accounts(paid, {"1100": 240}, accounts=accounts) == {"card": "1100", "wallet": "1100"}


def test_of_very_many_methods_nobody_tries_to_tell() -> None:
    paid = {f"method {number}": number for number in range(1, 21)}
    assert standing_accounts(paid, {f"{number}": number for number in range(1, 21)}, accounts={}) is None


@pytest.mark.parametrize(
    ("wanted", "sold", "due"),
    [
        ({"card": 240}, {"cash": 240}, 240),
        ({"card": 140, "cash": 100}, {"cash": 240}, 240),
        ({"wallet": 5000, "cash": -2000}, {"card": 5000, "cash": -2000}, 3000),
        ({"card": 3000}, {"card": 5000, "cash": -2000}, 3000),
        ({"card": -240}, {"cash": -240}, -240),
        ({"card": -240, "cash": 240}, {"card": 240, "cash": -240}, 0),
        ({}, {}, 0),
    ],
)
def test_it_can_have_been_paid_like_this(wanted: dict, sold: dict, due: int) -> None:
    assert list(wrong_payments(wanted, sold=sold, due=due)) == []


@pytest.mark.parametrize(
    ("wanted", "sold", "due"),
    [
        ({"cash": 10**12, "card": 240 - 10**12}, {"cash": 240}, 240),
        ({"cash": 241, "card": -1}, {"cash": 240}, 240),
        ({"card": 6000, "cash": -3000}, {"card": 5000, "cash": -2000}, 3000),
        ({"card": 10, "cash": -250}, {"cash": -240}, -240),
        ({"card": 1, "cash": -1}, {}, 0),
    ],
)
def test_no_more_comes_in_and_goes_back_than_when_it_was_sold(wanted: dict, sold: dict, due: int) -> None:
    assert {reason.code for reason in wrong_payments(wanted, sold=sold, due=due)} == {"payments-too-large"}
