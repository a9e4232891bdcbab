"""Stores and their days as decisions name them."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext

from backoffice.books.refusals import NotDecided
from backoffice.fleet.models import Store

FIRST_DAY = date(2000, 1, 1)


def find_store(code: str) -> Store:
    """The store with this code. Raises NotDecided."""
    store = Store.objects.filter(code=code).first()
    if store is None:
        raise NotDecided("unknown-store", gettext("There is no store {code}.").format(code=code))
    return store


def store_today(store: Store, now: datetime) -> date:
    """What day it is in the store."""
    return now.astimezone(ZoneInfo(store.timezone)).date()


def read_day(text: Any, *, latest: date) -> date:
    """A day as `2026-03-01`, not in the future. Raises NotDecided."""
    try:
        day = date.fromisoformat(text)
    except (ValueError, TypeError):
        day = None
    if day is None or day.isoformat() != text:
        raise NotDecided("not-a-date", gettext("{text} is no date such as 2026-03-01.").format(text=f"{text!r}"))
    if day > latest:
        raise NotDecided(
            "not-a-date",
            gettext("{day} is in the future: in this store it is {latest}.").format(day=day, latest=latest),
        )
    if day < FIRST_DAY:
        raise NotDecided(
            "not-a-date",
            gettext("{day} is too long ago: books begin with {first} at the earliest.").format(
                day=day, first=FIRST_DAY
            ),
        )
    return day
