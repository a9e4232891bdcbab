"""`python -m tests.screenshots` plays the demo, and takes pictures of every page of the console: light, dark, on a phone, in French.

They go to docs/console, with an index to look at. `--data-dir` names a demo that was played before, which saves its minute.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import django
from PIL import Image
from playwright.sync_api import Browser, BrowserContext

CHECKOUT = Path(__file__).resolve().parents[2]
TARGET = CHECKOUT / "docs" / "console"
# What of a page is still looked at; the rest of a long list is more of the same.
TALLEST = 1300
QUALITY = 45
PATIENCE_MS = 180_000


class Look(NamedTuple):
    """One way to look at a page: the width of the screen, and how much smaller its picture is."""

    title: str
    options: Mapping[str, Any]
    scale: float


DESK = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 780}
LOOKS: Mapping[str, Look] = {
    "light": Look("Light", {"viewport": DESK, "color_scheme": "light", "locale": "en-GB"}, 0.75),
    "dark": Look("Dark", {"viewport": DESK, "color_scheme": "dark", "locale": "en-GB"}, 0.75),
    "phone": Look("Phone", {"viewport": PHONE, "color_scheme": "light", "locale": "en-GB", "is_mobile": True}, 1.0),
    "french": Look("French", {"viewport": DESK, "color_scheme": "light", "locale": "fr-FR"}, 0.75),
}


def main() -> int:
    """Takes the pictures; 1 where a page answered with an error."""
    parser = argparse.ArgumentParser(prog="python -m tests.screenshots", description=__doc__)
    parser.add_argument("--data-dir", type=Path, help="the data of a demo that was played before")
    parser.add_argument("--target", type=Path, default=TARGET, help="default: docs/console")
    parser.add_argument("--only", default="", help="only pages whose name has this in it")
    asked = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
    django.setup()
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.data_dir or Path(scratch) / "demo"
        if not folder.exists():
            play_demo(folder)
        with stack_of(folder, Path(scratch) / "log") as (base_url, manage):
            names = take_all(base_url, manage, asked.target, only=asked.only)
    if not asked.only:
        write_index(names, asked.target)
    print(f"{len(names)} pages, {sum(path.stat().st_size for path in asked.target.glob('*.webp')) / 1e6:.1f} MB")
    return 0


def play_demo(folder: Path) -> None:
    """The day of six tills, played to its end; its data stay in the folder."""
    command = [sys.executable, "manage.py", "demo", "--once", "--data-dir", str(folder), "--port", "0"]
    subprocess.run(command, cwd=CHECKOUT, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def stack_of(folder: Path, log_path: Path) -> Iterator[tuple[str, Callable[..., str]]]:
    """The demo's Back Office once more: its address, and what runs a command of it."""
    from backoffice.workbench.embedded.stack import Stack  # noqa: PLC0415 - once Django is set up

    with log_path.open("a") as log, Stack(folder, log=log) as stack:

        def manage(*words: str) -> str:
            environment = {**os.environ, **stack.environment}
            command = [sys.executable, "manage.py", *words]
            done = subprocess.run(command, cwd=CHECKOUT, env=environment, check=True, capture_output=True, text=True)
            return done.stdout

        yield stack.base_url, manage


def take_all(base_url: str, manage: Callable[..., str], target: Path, *, only: str) -> list[str]:
    """A picture of each page in each look; the names of the pages."""
    from tests import browsing  # noqa: PLC0415 - it reads the addresses

    cookie = browsing.log_in(manage, "demo")
    pages = [page for page in browsing.every_page(base_url, cookie) if only in page.name]
    target.mkdir(parents=True, exist_ok=True)
    if not only:
        for path in target.glob("*.webp"):
            path.unlink()
    with browsing.browser() as browser:
        for look in LOOKS:
            context = a_context(browser, base_url, LOOKS[look])
            browsing.enter(context, base_url, cookie)
            for page in pages:
                picture = take(context, page.address, scale=LOOKS[look].scale)
                (target / f"{file_name(page.name)}.{look}.webp").write_bytes(picture)
            context.close()
    return [page.name for page in pages]


def a_context(browser: Browser, base_url: str, look: Look) -> BrowserContext:
    return browser.new_context(base_url=base_url, reduced_motion="reduce", **look.options)


def take(context: BrowserContext, address: str, *, scale: float) -> bytes:
    """One page as WebP, its upper part where it is very long."""
    page = context.new_page()
    page.goto(address, wait_until="load", timeout=PATIENCE_MS)
    width = page.viewport_size["width"] if page.viewport_size else DESK["width"]
    tall = page.evaluate("Math.ceil(document.documentElement.scrollHeight)")
    page.evaluate("document.fonts.ready")
    part = {"x": 0, "y": 0, "width": width, "height": min(tall, TALLEST)}
    taken = page.screenshot(full_page=True, clip=part, animations="disabled", timeout=PATIENCE_MS)
    page.close()
    image = Image.open(BytesIO(taken)).convert("RGB")
    small = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS)
    made = BytesIO()
    small.save(made, "WEBP", quality=QUALITY, method=6)
    return made.getvalue()


def file_name(name: str) -> str:
    """`sales_store_days?day&store` as a file may be called."""
    return name.replace("?", "-by-").replace("&", "-")


def write_index(names: list[str], target: Path) -> None:
    """A page with all pictures, for whoever looks at them."""
    lines = [
        "# The console in pictures",
        "",
        "Every page of the console with the demo's data, taken by `make screenshots`: in light, in dark, on a phone of 360",
        "pixels, and in French. Taken at the end of the day that `make demo` plays, so that most of it is settled.",
        "",
        f"| page | {' | '.join(look.title for look in LOOKS.values())} |",
        f"|---|{'---|' * len(LOOKS)}",
    ]
    for name in names:
        cells = " | ".join(
            f'<img src="{file_name(name)}.{look}.webp" width="{110 if look == "phone" else 260}" alt="{name}, {LOOKS[look].title.lower()}">'
            for look in LOOKS
        )
        lines.append(f"| `{name}` | {cells} |")
    (target / "README.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
