"""Alerts in both languages."""

import pytest
from django.utils import translation

from backoffice.alerts.models import Alert
from backoffice.alerts.words import advice, alert_headline, measure
from backoffice.domain.alerts import AlertKind
from backoffice.fleet.models import Store


@pytest.mark.parametrize("kind", list(AlertKind))
@pytest.mark.parametrize("subject", ["terminal 1", ""])
def test_every_alert_has_its_words_in_both_languages(kind: AlertKind, subject: str) -> None:
    if kind is AlertKind.UNSEALED and subject:
        return
    store = Store(pk=1, name="Paris Bastille", code="PAR1", timezone="Europe/Paris", currency="EUR")
    alert = Alert(kind=kind, subject=subject, store=store, names=["Till 2"], members=3, value=1234)
    said = {}
    for language in ("en", "fr"):
        with translation.override(language):
            said[language] = [alert_headline(alert), measure(alert), advice(alert)]
    assert "%" not in "".join(said["en"] + said["fr"])
    for english, french in zip(said["en"], said["fr"], strict=True):
        assert english
        assert french != english or "min" in french


def test_a_measure_is_in_its_unit_and_its_stores_money() -> None:
    yen = Store(currency="JPY", timezone="Asia/Tokyo")
    for kind, store, value, words in (
        ("silent", None, 25, "25\N{NO-BREAK SPACE}min"),
        ("silent", None, 130, "2\N{NO-BREAK SPACE}h 10\N{NO-BREAK SPACE}min"),
        ("silent", None, 120, "2\N{NO-BREAK SPACE}h"),
        ("gap", None, 52, "2\N{NO-BREAK SPACE}d 4\N{NO-BREAK SPACE}h"),
        ("cached", None, 1, "1 order"),
        ("cached", None, 1200, "1,200 orders"),
        ("over-short", Store(currency="EUR", timezone="Europe/Paris"), 1250, "€12.50"),
        ("over-short", yen, 1250, "JP¥1,250"),
        ("over-short", None, 1250, "1,250 minor units"),
    ):
        with translation.override("en-gb"):
            assert measure(Alert(kind=kind, store=store, value=value)) == words
