"""What this machine lacks for a rehearsal, in words that say what to do."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

# Programs, and Debian's packages that have them.
PROGRAMS = {
    "apt-get": "apt",
    "debootstrap": "debootstrap",
    "dpkg-deb": "dpkg",
    "runc": "runc",
    "iptables": "iptables",
    "ip": "iproute2",
    "unshare": "util-linux",
    "git": "git",
    "openssl": "openssl",
    "curl": "curl",
}
PYTHON = (3, 11)
FREE_GB = 8
INSTALLED = Path("/opt/backoffice")
SOMEWHERE = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def missing(folder: Path) -> Iterator[str]:
    """One line for each thing that is not as it must be; `folder` is where the rehearsal keeps what it makes."""
    if os.geteuid() != 0:
        yield "It needs root: it starts a Docker Engine, and mounts."
    if not Path("/etc/debian_version").is_file():
        yield "It needs Debian 12 or later: the engine and the base images are made of Debian's packages."
    packages = sorted({package for program, package in PROGRAMS.items() if not shutil.which(program, path=SOMEWHERE)})
    if packages:
        yield f"Programs are missing: apt-get install --no-install-recommends {' '.join(packages)}"
    if sys.version_info[:2] != PYTHON:
        yield f"It needs CPython {PYTHON[0]}.{PYTHON[1]}, which it copies into the image: make venv PYTHON=python3.11"
    if "\toverlay\n" not in Path("/proc/filesystems").read_text():
        yield "The kernel has no overlay file system: modprobe overlay"
    if INSTALLED.exists():
        yield f"{INSTALLED} exists: rehearse on a machine on which Back Office is not installed."
    free_gb = shutil.disk_usage(folder).free / 1e9
    if free_gb < FREE_GB:
        yield f"{folder} has {free_gb:.0f} GB free, {FREE_GB} are needed: set TMPDIR to a folder that has them."
