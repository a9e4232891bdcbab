"""`python -m tests.words` looks whether every text is marked and translated; `--missing` lists those that are not; `--write` writes the files anew."""

import argparse
import os
import sys

import django


def main(arguments: list[str] | None = None) -> int:
    """Prints what is wrong; 1 where anything is."""
    parser = argparse.ArgumentParser(prog="python -m tests.words", description=__doc__)
    parser.add_argument(
        "--missing", action="store_true", help="list the texts without a translation: file:line, a tab, the text"
    )
    parser.add_argument(
        "--write", action="store_true", help="bring django.po up to date with the texts, and make its .mo"
    )
    parser.add_argument("--language", action="append", help="a folder of backoffice/locale, also a new one; else all")
    asked = parser.parse_args(arguments)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
    django.setup()
    from tests.words import catalogues  # noqa: PLC0415 - reads models
    from tests.words.unmarked import unmarked_texts  # noqa: PLC0415

    lines = list(unmarked_texts())
    for language in asked.language or catalogues.languages():
        if asked.write:
            catalogues.write(language)
        if asked.missing:
            for text in catalogues.missing(language):
                plural = f"\t{text.plural}" if text.plural else ""
                print(f"{text.file}:{text.line}\t{text.single}{plural}")
        else:
            lines += catalogues.complaints(language)
    if not asked.missing:
        print("\n".join(lines) or "Every text has its translation.")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
