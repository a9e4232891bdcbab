"""Reasons that a new verb brings along: head office adds its own, and puts away what it does not use.

operations = [give_reasons([("lock", "month-closed", "The month is closed", False)])]
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.db.migrations import RunPython

FirstReasons = Sequence[tuple[str, str, str, bool]]
"""Verb, code, title, and whether it needs a note."""


def give_reasons(reasons: FirstReasons) -> RunPython:
    """The operation that adds them, with its reverse, which takes all reasons of these verbs away."""
    return RunPython(partial(_add, reasons=reasons), partial(_take_away, verbs={verb for verb, *_ in reasons}))


def _add(apps: Any, schema_editor: Any, *, reasons: FirstReasons) -> None:
    reason_code = apps.get_model("books", "ReasonCode")
    reason_code.objects.using(schema_editor.connection.alias).bulk_create(
        reason_code(verb=verb, code=code, title=title, needs_note=needs_note)
        for verb, code, title, needs_note in reasons
    )


def _take_away(apps: Any, schema_editor: Any, *, verbs: set[str]) -> None:
    reason_code = apps.get_model("books", "ReasonCode")
    reason_code.objects.using(schema_editor.connection.alias).filter(verb__in=verbs).delete()
