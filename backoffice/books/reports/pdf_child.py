"""The process that makes one PDF: HTML on standard input, PDF on standard output. `pdf.py` runs it and says why."""

import resource
import sys
from typing import Any, NoReturn

MOST_BYTES_OF_MEMORY = 1024**3
MOST_SECONDS_OF_PROCESSOR = 20


def limit() -> None:
    """No more memory and time than this, and no file written."""
    for what, most in (
        (resource.RLIMIT_AS, MOST_BYTES_OF_MEMORY),
        (resource.RLIMIT_CPU, MOST_SECONDS_OF_PROCESSOR),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def make_pdf() -> None:
    limit()
    from weasyprint import HTML  # noqa: PLC0415 - after the limits are set
    from weasyprint.urls import URLFetcher  # noqa: PLC0415

    class FetchesNothing(URLFetcher):  # type: ignore[misc]
        """Whatever a text names, and by whichever protocol: it is left out."""

        def fetch(self, url: str, headers: Any = None) -> NoReturn:
            raise ValueError(f"nothing is fetched: {url:.100}")

    html = sys.stdin.buffer.read().decode()
    sys.stdout.buffer.write(
        HTML(string=html, base_url="https://nothing.invalid/", url_fetcher=FetchesNothing()).write_pdf()
    )


if __name__ == "__main__":
    make_pdf()
