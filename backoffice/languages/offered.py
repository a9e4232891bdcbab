"""The languages of the console: English, and each one whose texts are in a file of `backoffice/locale`."""

from pathlib import Path

from babel import Locale

LOCALE = Path(__file__).resolve().parent.parent / "locale"
ENGLISH = "en-gb"


def languages() -> list[tuple[str, str]]:
    """Codes with the names that their speakers use, English first. Adding a language is adding its file."""
    codes = sorted(path.parts[-3].replace("_", "-").lower() for path in LOCALE.glob("*/LC_MESSAGES/django.mo"))
    return [(ENGLISH, "English"), *((code, _name_of(code)) for code in codes)]


def _name_of(code: str) -> str:
    return str(Locale.parse(code, sep="-").get_display_name()).capitalize()
