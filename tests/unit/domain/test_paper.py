"""What the taxes of a paper receipt come to, by their codes alone."""

import pytest

from backoffice.domain.money import tax_is_plausible
from backoffice.domain.paper import PaperTax, tax_amounts
from backoffice.domain.scalars import Rate

LOW, HIGH = PaperTax("FR-5.5", Rate("0.055")), PaperTax("FR-20", Rate("0.2"))
GST, PST = PaperTax("GST", Rate("0.05")), PaperTax("PST", Rate("0.0975"), "compound")


@pytest.mark.parametrize(
    ("amount", "taxes", "inclusive", "expected"),
    [
        (240, [LOW], True, [13]),  # the protocol's own example
        (240, [LOW], False, [13]),
        (120, [HIGH], True, [20]),
        (-120, [HIGH], True, [-20]),
        (1000, [], True, []),
        (0, [HIGH], True, [0]),
        (10000, [GST, PST], False, [500, 1024]),
        (11524, [GST, PST], True, [500, 1024]),
    ],
)
def test_taxes_are_worked_out_as_a_till_does(
    amount: int, taxes: list[PaperTax], inclusive: bool, expected: list[int]
) -> None:
    assert tax_amounts(amount, taxes, prices_include_tax=inclusive) == expected


@pytest.mark.parametrize("inclusive", [True, False])
def test_what_is_worked_out_is_never_flagged_as_off_its_rate(inclusive: bool) -> None:
    for amount in range(-500, 500):
        plain, compound = tax_amounts(amount, [GST, PST], prices_include_tax=inclusive)
        base = amount - plain - compound if inclusive else amount
        assert tax_is_plausible(tax=plain, base=base, rate=GST.rate)
        assert tax_is_plausible(tax=compound, base=base + plain, rate=PST.rate)
