"""What the benchmarks send: the same as ever where figures are compared over the years, and all new where all is weighed."""

import hashlib
import json
from decimal import ROUND_HALF_UP, Decimal
from itertools import islice
from typing import Any

from tests.bench.shop import typical_order, weighing_shop

ORDERS = 2_000
# Change it only together with the figures in the README: those before and after, measured in turns.
TYPICAL = "6999587ab61c0acdbd09bf5c75c9e394752901c5ddd212a12701953058a779fe"


def weighed() -> list[dict[str, Any]]:
    return list(map(weighing_shop(), range(1, ORDERS + 1)))


def test_typical_orders_are_those_of_every_figure_until_now() -> None:
    sent = [typical_order(number) for number in range(1000, 1100)]
    sent.append(typical_order(7, order_id="0b0e5a0c-0000-4000-8000-000000000000", opened_at="a", closed_at="b"))
    assert hashlib.sha256(json.dumps(sent, separators=(",", ":")).encode()).hexdigest() == TYPICAL


def test_no_two_lines_of_a_shop_that_weighs_everything_share_a_name_or_a_quantity() -> None:
    lines = [line for order in weighed() for line in order["lines"]]
    assert len(lines) == 3 * ORDERS
    for field in ("name", "quantity"):
        assert len({line[field] for line in lines}) == len(lines), field
    assert len({line["amount"] for line in lines}) > 0.8 * len(lines)


def test_what_is_weighed_adds_up_so_that_nothing_is_held_or_flagged() -> None:
    for order in islice(weighed(), 200):
        for line in order["lines"]:
            exact = Decimal(line["quantity"]) * line["unit_price"]
            assert line["amount"] == int(exact.quantize(Decimal(1), ROUND_HALF_UP)) > 0
            (tax,) = line["taxes"]
            net = line["amount"] - tax["amount"]
            assert abs(tax["amount"] - net * Decimal(tax["rate"])) <= 1
        assert order["total"] == sum(line["amount"] for line in order["lines"])
        assert [payment["amount"] for payment in order["payments"]] == [order["total"]]


def test_a_weighing_shop_never_sells_its_first_line_again() -> None:
    make_order = weighing_shop()
    first, second = make_order(1), make_order(1)
    assert not {line["name"] for line in first["lines"]} & {line["name"] for line in second["lines"]}
