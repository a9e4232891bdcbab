"""`python -m tests.screenshots` plays the demo, and takes pictures of every page of the console: light, dark, on a phone, in French.

They go to docs/console, with an index to look at. After the demo's day something is left unsettled, or many pages were empty.
`--data-dir` names the folder of a demo that was played before, which saves its minute.
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
from playwright.sync_api import Error as PlaywrightError

CHECKOUT = Path(__file__).resolve().parents[2]
TARGET = CHECKOUT / "docs" / "console"
# What of a page is still looked at; the rest of a long list is more of the same.
TALLEST = 1300
QUALITY = 45
PATIENCE_MS = 180_000
TOLD_EACH = 20


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


class NotShown(Exception):
    """A page answered with an error."""


def main() -> int:
    """Takes the pictures, and says how far it is; 1 where a page answered with an error, of which there is no picture then."""
    parser = argparse.ArgumentParser(prog="python -m tests.screenshots", description=__doc__)
    parser.add_argument("--data-dir", type=Path, help="where the demo is played; what was played there before is shown")
    parser.add_argument("--target", type=Path, default=TARGET, help="default: docs/console")
    parser.add_argument("--only", default="", help="only pages whose name has this in it")
    asked = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
    django.setup()
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.data_dir or Path(scratch) / "demo"
        is_new = not folder.exists()
        if is_new:
            tell("Playing the demo, which takes a minute or two")
            play_demo(folder)
        tell("Starting the Back Office of the demo")
        with stack_of(folder, Path(scratch) / "log") as (base_url, manage):
            if is_new:
                from tests.screenshots.unsettled import leave_unsettled  # noqa: PLC0415 - once Django is set up

                tell("Leaving something unsettled")
                leave_unsettled(base_url, manage)
            names, failed = take_all(base_url, manage, asked.target, only=asked.only)
    if not asked.only:
        write_index(names, asked.target)
    size = sum(path.stat().st_size for path in asked.target.glob("*.webp"))
    tell(f"{len(names)} pages, {size / 1e6:.1f} MB in {asked.target}")
    for each in failed:
        tell(f"No picture of {each}")
    return 1 if failed else 0


def tell(words: str) -> None:
    """Progress, at once also where the output is a file."""
    print(words, flush=True)


def play_demo(folder: Path) -> None:
    """The day of six tills, played to its end; its data stay in the folder."""
    command = [sys.executable, "manage.py", "demo", "--once", "--data-dir", str(folder), "--port", "0"]
    subprocess.run(command, cwd=CHECKOUT, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def stack_of(folder: Path, log_path: Path) -> Iterator[tuple[str, Callable[..., str]]]:
    """The demo's Back Office once more: its address, and what runs a command of it."""
    from backoffice.workbench.embedded.stack import Stack  # noqa: PLC0415 - once Django is set up

    # Nobody is there to say again who they are, however long it takes.
    with log_path.open("a") as log, Stack(folder, log=log, extra_environment={"ASK_AGAIN_MINUTES": "600"}) as stack:

        def manage(*words: str) -> str:
            environment = {**os.environ, **stack.environment}
            command = [sys.executable, "manage.py", *words]
            done = subprocess.run(command, cwd=CHECKOUT, env=environment, check=True, capture_output=True, text=True)
            return done.stdout

        yield stack.base_url, manage


def take_all(base_url: str, manage: Callable[..., str], target: Path, *, only: str) -> tuple[list[str], list[str]]:
    """A picture of each page in each look: the names of the pages, and what failed. Pictures of before go last."""
    from tests import browsing  # noqa: PLC0415 - it reads the addresses

    cookie = browsing.log_in(manage, "demo")
    pages = [page for page in browsing.every_page(base_url, cookie) if only in page.name]
    target.mkdir(parents=True, exist_ok=True)
    taken, failed = set[Path](), list[str]()
    for number, look in enumerate(LOOKS, 1):
        tell(f"{LOOKS[look].title}, {number} of {len(LOOKS)}: {len(pages)} pages")
        with browsing.browser() as browser:
            context = a_context(browser, base_url, LOOKS[look])
            browsing.enter(context, base_url, cookie)
            for place, page in enumerate(pages, 1):
                path = target / picture_name(page.name, look)
                try:
                    path.write_bytes(take(context, page.address, scale=LOOKS[look].scale))
                    taken.add(path)
                except (NotShown, PlaywrightError) as error:
                    failed.append(f"{page.name}, {look}: {str(error).splitlines()[0]}")
                if place % TOLD_EACH == 0:
                    tell(f"  {place} of {len(pages)}")
    if not only:
        for path in {*target.glob("*.webp")} - taken:
            path.unlink()
    return [page.name for page in pages], failed


def a_context(browser: Browser, base_url: str, look: Look) -> BrowserContext:
    return browser.new_context(base_url=base_url, reduced_motion="reduce", **look.options)


def take(context: BrowserContext, address: str, *, scale: float) -> bytes:
    """One page as WebP, its upper part where it is very long. Raises NotShown where it answers with an error."""
    with context.new_page() as page:
        answer = page.goto(address, wait_until="load", timeout=PATIENCE_MS)
        if answer is None or not answer.ok:
            raise NotShown(f"answered {answer and answer.status}")
        width = page.viewport_size["width"] if page.viewport_size else DESK["width"]
        tall = page.evaluate("Math.ceil(document.documentElement.scrollHeight)")
        # A screen as tall as the page: what sticks to the bottom of the screen stands below it, not across it.
        page.set_viewport_size({"width": width, "height": min(tall, TALLEST)})
        page.evaluate("document.fonts.ready")
        taken = page.screenshot(animations="disabled", timeout=PATIENCE_MS)
    image = Image.open(BytesIO(taken)).convert("RGB")
    small = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS)
    made = BytesIO()
    small.save(made, "WEBP", quality=QUALITY, method=6)
    return made.getvalue()


def file_name(name: str) -> str:
    """`sales_store_days?day&store` as a file may be called."""
    return name.replace("?", "-by-").replace("&", "-")


def picture_name(name: str, look: str) -> str:
    return f"{file_name(name)}.{look}.webp"


def _cell(name: str, look: str) -> str:
    alt = f"{name}, {LOOKS[look].title.lower()}"
    return f'<img src="{picture_name(name, look)}" width="{110 if look == "phone" else 260}" alt="{alt}">'


def write_index(names: list[str], target: Path) -> None:
    """A page with all pictures, for whoever looks at them."""
    lines = [
        "# The console in pictures",
        "",
        "Every page of the console with the demo's data, taken by `make screenshots`: in light, in dark, on a phone of 360",
        "pixels, and in French. Taken at the end of the day that `make demo` plays, with a till more that has not told us",
        "everything.",
        "",
        f"| page | {' | '.join(look.title for look in LOOKS.values())} |",
        f"|---|{'---|' * len(LOOKS)}",
    ]
    for name in names:
        cells = (_cell(name, look) if (target / picture_name(name, look)).exists() else "–" for look in LOOKS)
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    (target / "README.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
