"""Texts for people, which may be translated when they are shown."""

from typing import TYPE_CHECKING, TypeAlias, Union

from django.utils.translation import gettext

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

Words: TypeAlias = Union[str, "_StrPromise"]
"""A text for people: as it is, or marked with `gettext_lazy`."""


def in_their_language(text: str) -> str:
    """A text that stands marked elsewhere, or was put into the database by us, in the reader's language.

    What people wrote themselves has no translation, and stays as it is.
    """
    return gettext(text) if text else ""
