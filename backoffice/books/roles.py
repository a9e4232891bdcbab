"""Roles: groups that migrations make, and rights that migrations give them.

A further model of the console gives its rights in one line of a migration that runs after its own table's:

operations = [give_rights({"Auditors": ["alerts.view_rule"], "Administrators": ["alerts.view_rule", "alerts.change_rule"]})]
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from django.db.migrations import RunPython

Given = Mapping[str, Sequence[str]]
"""Rights such as `sales.view_order`, by the name of the group that has them."""

AUDITORS = "Auditors"
REVIEWERS = "Reviewers"
FLEET_MANAGERS = "Fleet managers"
STORE_MANAGERS = "Store managers"
ADMINISTRATORS = "Administrators"
ROLES = (AUDITORS, REVIEWERS, FLEET_MANAGERS, STORE_MANAGERS, ADMINISTRATORS)


def give_rights(given: Given) -> RunPython:
    """The operation that gives groups these rights, with its reverse. A group that is there keeps what it had.

    The migration depends on those that make the models of these rights.
    """
    return RunPython(partial(_give, given=given), partial(_take, given=given))


def _give(apps: Any, schema_editor: Any, *, given: Given) -> None:
    alias = schema_editor.connection.alias
    groups = apps.get_model("auth", "Group").objects.using(alias)
    for name, rights in given.items():
        group, _ = groups.get_or_create(name=name)
        group.permissions.add(*[_right(apps, alias, right) for right in rights])


def _take(apps: Any, schema_editor: Any, *, given: Given) -> None:
    alias = schema_editor.connection.alias
    for group in apps.get_model("auth", "Group").objects.using(alias).filter(name__in=given):
        group.permissions.remove(*[_right(apps, alias, right) for right in given[group.name]])


def _right(apps: Any, alias: str, right: str) -> Any:
    """The row of a right. Django makes it after all migrations have run: where it is not there yet, as Django would."""
    app_label, _, codename = right.partition(".")
    model, name = next(
        (model, dict(_rights_of(model))[codename])
        for model in apps.get_models()
        if model._meta.app_label == app_label and codename in dict(_rights_of(model))  # noqa: SLF001 - documented
    )
    kinds = apps.get_model("contenttypes", "ContentType").objects.using(alias)
    kind, _ = kinds.get_or_create(app_label=app_label, model=model._meta.model_name)  # noqa: SLF001
    rows = apps.get_model("auth", "Permission").objects.using(alias)
    return rows.get_or_create(content_type=kind, codename=codename, defaults={"name": name})[0]


def _rights_of(model: Any) -> list[tuple[str, str]]:
    options = model._meta  # noqa: SLF001 - Django's documented interface
    usual = [
        (f"{verb}_{options.model_name}", f"Can {verb} {options.verbose_name_raw}")
        for verb in options.default_permissions
    ]
    return [*usual, *options.permissions]
