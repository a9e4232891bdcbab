"""Unfold's colours stand in a file of ours: those of a new version must not be missing."""

from unfold.settings import CONFIG_DEFAULTS

from tests.conftest import CHECKOUT

PALETTE = (CHECKOUT / "backoffice" / "review" / "static" / "console" / "palette.css").read_text()


def test_every_colour_that_unfold_names_has_its_value() -> None:
    for name, weights in CONFIG_DEFAULTS["COLORS"].items():
        for weight in weights:
            assert f"--color-{name}-{weight}: " in PALETTE
    assert "--border-radius: " in PALETTE
