"""What comes from outside: Debian's packages and its trixie, wheels. The only part that needs a network.

Sources are those that this machine's apt and pip are set up with; nothing of what is fetched is installed on it.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.unit.deployment.files import CHECKOUT

SUITE = "trixie"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
ENGINE = ("docker.io", "docker-cli", "containerd", "docker-compose", "docker-buildx", "tini")
# What the four base images need besides Debian's smallest system: libraries of Python, wget for Caddy's health check,
# setcap for its program, valkey-cli, which the wheel of Valkey does not have.
IN_THE_IMAGES = (
    *("ca-certificates", "libbz2-1.0", "libcap2-bin", "libexpat1", "libffi8", "liblzma5", "libreadline8t64"),
    *("libsqlite3-0", "libssl3t64", "libuuid1", "tzdata", "valkey-tools", "wget", "zlib1g"),
)


class DownloadError(Exception):
    """Something could not be fetched; the message has what the program said."""


def mirror() -> str:
    """The archive of Debian that this machine's apt is set up with."""
    said = run(["apt-get", "indextargets", "--format", "$(SITE) $(RELEASE)", "Created-By: Packages"])
    found = [line.split() for line in said.splitlines()]
    archives = [site for site, release in found if re.fullmatch(r"[a-z]+", release) and site.endswith("/debian")]
    if not archives:
        raise DownloadError("This machine's apt has no source that is an archive of Debian (…/debian).")
    return archives[0]


def fetch_engine(folder: Path, archive: str) -> None:
    """Unpacks the engine's packages of trixie into `folder`, as if that were the root of a machine."""
    apt = folder.parent / "apt"
    for part in ("state/lists/partial", "cache/archives/partial", "packages"):
        (apt / part).mkdir(parents=True, exist_ok=True)
    (apt / "status").touch()
    (apt / "sources.list").write_text(f"deb [signed-by={KEYRING}] {archive} {SUITE} main\n")
    options = {
        "Dir::Etc::sourcelist": apt / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State": apt / "state",
        "Dir::State::status": apt / "status",
        "Dir::Cache": apt / "cache",
        "APT::Sandbox::User": "root",
    }
    words = ["apt-get", "--quiet=2", *(word for name, value in options.items() for word in ("-o", f"{name}={value}"))]
    run([*words, "update"])
    run([*words, "download", *ENGINE], cwd=apt / "packages")
    for package in sorted((apt / "packages").glob("*.deb")):
        run(["dpkg-deb", "--extract", str(package), str(folder)])
    shutil.rmtree(apt)


def fetch_trixie(folder: Path, archive: str) -> None:
    """The smallest Debian, and what the images need besides, in `folder`."""
    run(["debootstrap", "--variant=minbase", f"--include={','.join(IN_THE_IMAGES)}", SUITE, str(folder), archive])


def fetch_wheels(folder: Path) -> None:
    """What the image of the service installs, each with its pinned hash."""
    words = ["download", "--quiet", "--disable-pip-version-check", "--require-hashes", "--only-binary=:all:"]
    pinned = ["--requirement", str(CHECKOUT / "requirements.txt")]
    run([sys.executable, "-m", "pip", *words, *pinned, "--dest", str(folder)])


def run(command: Sequence[str], *, cwd: Path | None = None) -> str:
    """What a program says. Raises DownloadError."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise DownloadError(f"{' '.join(command)}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout
