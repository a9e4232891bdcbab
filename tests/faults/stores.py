"""The stores of a chaos run: one with its taxes in the prices, one without."""

from collections.abc import Sequence

# Code, time zone, currency, and whether prices include tax.
StoreFacts = tuple[str, str, str, bool]
STORES: Sequence[StoreFacts] = (("PARIS", "Europe/Paris", "EUR", True), ("NYC", "America/New_York", "USD", False))
