"""HTML to PDF, in a process of its own: bounded in time, memory and size, and without any way to fetch something.

WeasyPrint lays out what we wrote, with texts in it that tills sent. Whatever these name (an image, a font, a file) is not
fetched, from no network and no disk: the fetcher refuses everything. What takes too long or too much is ended (ADR 41).
"""

import subprocess
import sys
from pathlib import Path
from threading import BoundedSemaphore

import structlog

log = structlog.get_logger(__name__)

MOST_HTML_BYTES = 4 * 1024 * 1024
TIMEOUT_S = 25
# Of one process: the console's other pages need not wait for people who print.
WAIT_S = 10
_one_at_a_time = BoundedSemaphore(1)

CHILD = Path(__file__).with_name("pdf_child.py")
# Nothing of our own environment: it has passwords in it. HOME is for the font library's cache.
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8"}  # noqa: S108  # nosec B108


class PdfNotMade(Exception):
    """There is no PDF of it, in words for whoever asked."""


def pdf(html: str) -> bytes:
    """A PDF of a whole HTML document with its styles in it. Raises PdfNotMade. Takes about a second, and many rows more."""
    body = html.encode()
    if len(body) > MOST_HTML_BYTES:
        raise PdfNotMade("This is too long for a PDF. Ask for fewer days, or for one store.")
    if not _one_at_a_time.acquire(timeout=WAIT_S):
        raise PdfNotMade("Other PDFs are being made just now. Try again in a moment.")
    try:
        done = subprocess.run(  # noqa: S603 - our own program and no argument of anybody's
            [sys.executable, "-I", str(CHILD)],
            input=body,
            capture_output=True,
            timeout=TIMEOUT_S,
            env=ENVIRONMENT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise PdfNotMade("This takes too long as a PDF. Ask for fewer days, or for one store.") from None
    finally:
        _one_at_a_time.release()
    if done.returncode != 0 or not done.stdout.startswith(b"%PDF-"):
        log.warning("no PDF was made", code=done.returncode, error=done.stderr.decode(errors="replace")[-500:])
        raise PdfNotMade("The PDF could not be made. It may be too long: ask for fewer days, or for one store.")
    return done.stdout
