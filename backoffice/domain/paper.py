"""A paper receipt names tax codes and seldom their amounts: those are worked out here, line by line (protocol §5)."""

from collections.abc import Sequence
from typing import NamedTuple

from backoffice.domain.money import divide_half_away
from backoffice.domain.scalars import Rate

ONE = 10**Rate.decimals
"""A rate of one, in the unit of `Rate.scaled`."""


class PaperTax(NamedTuple):
    """A tax as a receipt names it. `kind` is `percent` or `compound`: one that is fixed per unit cannot be told from it."""

    code: str
    rate: Rate
    kind: str = "percent"


def tax_amounts(amount: int, taxes: Sequence[PaperTax], *, prices_include_tax: bool) -> list[int]:
    """What each tax of a line comes to, in minor units. `amount` is the line's, and includes them where prices do.

    Rates are not negative. Each is rounded on its own, half away from zero.
    """
    plain = ONE + sum(tax.rate.scaled for tax in taxes if tax.kind == "percent")
    compound = ONE + sum(tax.rate.scaled for tax in taxes if tax.kind == "compound")
    divisor = plain * compound if prices_include_tax else ONE * ONE
    return [
        divide_half_away(
            numerator=amount * tax.rate.scaled * (plain if tax.kind == "compound" else ONE), denominator=divisor
        )
        for tax in taxes
    ]
