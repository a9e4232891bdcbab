"""How texts that people typed go into files that programs read."""

import re
from urllib.parse import quote

# What a spreadsheet would calculate (OWASP, "CSV injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
# Whatever ends a line somewhere, and other control characters.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def no_formula(text: str) -> str:
    """A text that no spreadsheet takes for a formula: behind an apostrophe where it would."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def one_line(text: str) -> str:
    """A text on one line, without control characters."""
    return _CONTROL.sub(" ", text).strip()


def in_file_name(text: str) -> str:
    """A text as a part of a file name, different for different texts."""
    return quote(text, safe="")
