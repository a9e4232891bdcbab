"""The base images, under the names that the deployment's own files give them, built of what lies on this machine."""

import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pip

from backoffice.workbench.embedded import valkey
from backoffice.workbench.embedded.identity import INSTALLATION, LIBRARIES, PARTS, wheel
from tests.caddy import caddy_program
from tests.rehearsal.shell import run
from tests.unit.deployment.files import SERVICES, without_variables

STAND_INS = Path(__file__).with_name("stand_ins")
BASE = "rehearsal/trixie"
NOT_OF_THE_LIBRARY = shutil.ignore_patterns("site-packages", "dist-packages", "test", "__pycache__", "config-*")


def name_of(service: str) -> str:
    """The image that a service of the compose file runs, or for `migrate` the one that it is built from."""
    how = SERVICES[service]
    return without_variables(how["build"]["args"]["PYTHON_IMAGE"] if "build" in how else how["image"])


def build(work: Path) -> None:
    """All base images, in the engine that is running. `work` has what was downloaded."""
    with subprocess.Popen(["tar", "--create", "--directory", str(work / "trixie"), "."], stdout=subprocess.PIPE) as tar:
        run(["docker", "import", "-", BASE], stdin=tar.stdout)
    for service, (name, fill) in CONTEXTS.items():
        context = work / "contexts" / name
        shutil.rmtree(context, ignore_errors=True)
        context.mkdir(parents=True)
        fill(context, work)
        words = ["--tag", name_of(service), "--file", str(STAND_INS / f"{name}.Dockerfile")]
        run(["docker", "build", "--quiet", *words, str(context)])


def of_python(context: Path, work: Path) -> None:
    """This very interpreter, with its library and pip, and the wheels that the service is made of."""
    local = context / "usr-local"
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    (local / "bin").mkdir(parents=True)
    shutil.copy(Path(sys._base_executable).resolve(), local / "bin" / version)
    for name in ("python", "python3"):
        (local / "bin" / name).symlink_to(version)
    shutil.copytree(sysconfig.get_path("stdlib"), local / "lib" / version, ignore=NOT_OF_THE_LIBRARY)
    for library in Path(sysconfig.get_config_var("LIBDIR")).glob(f"lib{version}.so*"):
        shutil.copy(library, local / "lib", follow_symlinks=False)
    shutil.copytree(Path(pip.__file__).parent, local / "lib" / "pip", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(STAND_INS / "pip", local / "bin")
    shutil.copy(STAND_INS / "pip.conf", context)
    shutil.copytree(work / "wheels", context / "wheels", copy_function=shutil.copy)


def of_postgres(context: Path, work: Path) -> None:
    """PostgreSQL as its wheel has it."""
    site = wheel()
    for part in PARTS:
        shutil.copytree(site / INSTALLATION / part, context / "installation" / INSTALLATION / part, symlinks=True)
    shutil.copytree(site / LIBRARIES, context / "installation" / LIBRARIES, symlinks=True)
    shutil.copy(STAND_INS / "postgres.sh", context)


def of_valkey(context: Path, work: Path) -> None:
    shutil.copy(valkey.binary(), context)


def of_caddy(context: Path, work: Path) -> None:
    shutil.copy(caddy_program(), context / "caddy")


CONTEXTS: dict[str, tuple[str, Callable[[Path, Path], None]]] = {
    "migrate": ("python", of_python),
    "postgres": ("postgres", of_postgres),
    "valkey": ("valkey", of_valkey),
    "caddy": ("caddy", of_caddy),
}
