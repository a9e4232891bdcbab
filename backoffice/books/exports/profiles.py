"""Profiles: a target is named once; its map may change, and every version of it is kept."""

from datetime import datetime
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.core.validators import slug_re
from django.db import connection, transaction

from backoffice.books.exports.coding import CodeMap, MapLine, read_map
from backoffice.books.exports.formats import GRANULARITIES, check_codes
from backoffice.books.exports.models import FORMATS, ExportMap, ExportProfile
from backoffice.books.exports.refusals import NotExported
from backoffice.fleet.models import check_currency
from backoffice.ledger.models import Account

MAX_NAME = 40
SELECT_MOVED = "SELECT DISTINCT account_id FROM evidence_dailybalance ORDER BY 1"
# Runs and versions of one profile are numbered one after the other.
LOCK_PROFILE = "SELECT pg_advisory_xact_lock(hashtextextended('export profile', %s))"


class ProfileReport(NamedTuple):
    """A profile as it now is. `without_code` are accounts that have moved somewhere and have no code in its map."""

    name: str
    format: str
    granularity: str
    currency: str
    map_version: int
    map_lines: int
    without_code: list[str]


def define_profile(
    *,
    name: str,
    format_name: str,
    granularity: str | None,
    currency: str,
    siren: str,
    map_text: str | None,
    now: datetime,
) -> ProfileReport:
    """Makes a profile, or gives one a new map. `currency` "" is each store's own; no map leaves that of before.

    Raises NotExported: for what cannot be, for a map with a fault, and where the profile is something else already.
    """
    granularity = _granularity(format_name, granularity)
    _check_words(name, currency, siren)
    names = dict(Account.objects.values_list("code", "name"))
    lines = None if map_text is None else read_map(map_text, accounts=names)
    check_codes(format_name, CodeMap(lines or (), names).codes())
    with transaction.atomic():
        profile, is_new = ExportProfile.objects.get_or_create(
            name=name,
            defaults={
                "format": format_name,
                "granularity": granularity,
                "currency": currency,
                "siren": siren,
                "created_at": now,
            },
        )
        asked = (format_name, granularity, currency, siren)
        if not is_new and (profile.format, profile.granularity, profile.currency, profile.siren) != asked:
            raise NotExported(f"{name} is a profile already, of another kind. What is sent elsewhere needs a new name.")
        current = _keep_map(profile, lines, now=now)
    return _report(profile, current)


def _granularity(format_name: str, wanted: str | None) -> str:
    if format_name not in FORMATS:
        raise NotExported(f"{format_name!r} is no format. Formats are: {', '.join(FORMATS)}.")
    possible = GRANULARITIES[format_name]
    if wanted is not None and wanted not in possible:
        raise NotExported(f"{format_name} is by {' or '.join(possible)}, not by {wanted}.")
    return wanted or possible[0]


def _check_words(name: str, currency: str, siren: str) -> None:
    if not slug_re.fullmatch(name) or len(name) > MAX_NAME:
        raise NotExported(
            f"{name!r} is no name of a profile: up to {MAX_NAME} Latin letters, digits, hyphens and underscores."
        )
    if currency:
        try:
            check_currency(currency)
        except ValidationError as error:
            raise NotExported(error.message) from None
    if siren and not (len(siren) == 9 and siren.isascii() and siren.isdecimal()):  # noqa: PLR2004 - as the law has it
        raise NotExported(f"{siren!r} is no SIREN: nine digits.")


def _keep_map(profile: ExportProfile, lines: list[MapLine] | None, *, now: datetime) -> ExportMap:
    """The newest map, after the given one was added where it is another."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK_PROFILE, [profile.pk])
    current = profile.maps.order_by("-version").first()
    wanted = None if lines is None else [list(line) for line in lines]
    if current is not None and wanted in (None, current.lines):
        return current
    version = 1 if current is None else current.version + 1
    return ExportMap.objects.create(profile=profile, version=version, lines=wanted or [], created_at=now)


def _report(profile: ExportProfile, current: ExportMap) -> ProfileReport:
    with connection.cursor() as cursor:
        cursor.execute(SELECT_MOVED)
        moved = [account for (account,) in cursor.fetchall()]
    mapped = {line[0] for line in current.lines} if current.lines else set(moved)
    return ProfileReport(
        profile.name,
        profile.format,
        profile.granularity,
        profile.currency,
        current.version,
        len(current.lines),
        [account for account in moved if account not in mapped],
    )


def find_profile(name: str) -> ExportProfile:
    """The profile of this name. Raises NotExported."""
    profile = ExportProfile.objects.filter(name=name).first()
    if profile is None:
        raise NotExported(f"There is no export profile {name}. `manage.py export_profile` makes one.")
    return profile
