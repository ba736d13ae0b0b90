"""What is shipped: compose file, image recipe, wheel, pinned versions. No container engine is needed."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from ajo_worker.bootstrap import stops_within
from ajo_worker.settings import Settings
from ajo_worker.settings.listing import known_variables
from ajo_worker.triggers.campaign import longest_budget

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
LASTING = sorted(SERVICES.keys() - {"migrations"})
SECRET_WORDS = re.compile(r"PASSWORD|SECRET|TOKEN|_KEY|_URL")


def validate(file: Path) -> subprocess.CompletedProcess[str]:
    """Check a compose file against the compose specification's JSON Schema, which check-jsonschema ships."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_compose_file_obeys_the_compose_specification() -> None:
    done = validate(ROOT / "docker-compose.yml")
    assert done.returncode == 0, done.stdout


def test_the_compose_schema_refuses_a_misspelt_key(tmp_path: Path) -> None:
    wrong = tmp_path / "docker-compose.yml"
    wrong.write_text("services: {worker: {image: a, stop_grace_periode: 90s}}\n", encoding="utf-8")
    assert validate(wrong).returncode == 1


@pytest.mark.parametrize("name", LASTING)
def test_a_lasting_service_restarts_and_is_checked_for_health(name: str) -> None:
    assert SERVICES[name]["restart"] == "unless-stopped"
    assert SERVICES[name]["healthcheck"]["test"]


def test_the_worker_may_end_its_attempts_before_it_is_killed() -> None:
    grace = re.fullmatch(r"(\d+)s", SERVICES["worker"]["stop_grace_period"])
    assert grace
    assert int(grace[1]) > Settings.model_fields["budget_seconds"].default


def test_the_worker_starts_after_the_migrations_and_a_healthy_broker() -> None:
    conditions = {name: need["condition"] for name, need in SERVICES["worker"]["depends_on"].items()}
    assert conditions == {"migrations": "service_completed_successfully", "rabbitmq": "service_healthy"}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_secrets_come_from_files_only(name: str) -> None:
    """Whatever is named like a secret is a path; each secret that a service takes is defined as a file."""
    for variable, value in SERVICES[name].get("environment", {}).items():
        if SECRET_WORDS.search(variable):
            assert variable.endswith("_FILE"), variable
            assert value.startswith("/run/secrets/"), variable
    for secret in SERVICES[name].get("secrets", []):
        source = secret["source"] if isinstance(secret, dict) else secret
        assert COMPOSE["secrets"][source]["file"].startswith("secrets/")


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_secret_file_that_a_service_reads_is_given_to_it(name: str) -> None:
    service = SERVICES[name]
    read = re.findall(r"/run/secrets/([\w.]+)", f"{service.get('environment')} {service.get('entrypoint')}")
    given = [secret for secret in service.get("secrets", []) if isinstance(secret, str)]
    assert sorted(read) == sorted(given)


def test_the_compose_file_names_settings_that_exist() -> None:
    known = known_variables()
    used = {
        variable.removesuffix("_FILE") for service in SERVICES.values() for variable in service.get("environment", {})
    }
    assert {variable for variable in used if variable.startswith("AJO_")} <= known


def test_a_worker_is_given_the_time_that_its_calls_in_flight_take_and_is_asked_by_its_name() -> None:
    worker = SERVICES["worker"]
    longest = longest_budget(Settings(), {})
    assert int(worker["stop_grace_period"].removesuffix("s")) >= stops_within(longest)
    assert f"--destination {worker['command'][-1].replace('%h', '$$HOSTNAME')}" in worker["healthcheck"]["test"][1]


def test_ports_are_open_to_this_machine_only() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_flower_asks_for_a_password() -> None:
    assert "--conf=/run/secrets/flowerconfig.py" in SERVICES["flower"]["entrypoint"]
    assert "flowerconfig.py" in SERVICES["flower"]["secrets"]


def dockerfile_stages() -> list[list[str]]:
    """The instructions of each build stage, continuation lines joined."""
    text = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    stages: list[list[str]] = []
    for line in lines:
        if line.startswith("FROM "):
            stages.append([])
        stages[-1].append(line)
    return stages


def test_the_image_runs_as_an_ordinary_user_without_the_build_tools() -> None:
    build, final = dockerfile_stages()
    assert any("pip install" in line for line in build)
    assert not any("pip install" in line for line in final)
    users = [line for line in final if line.startswith("USER ")]
    assert users
    assert not re.fullmatch(r"USER (root|0)(:.*)?", users[-1])


def test_the_image_has_no_secret_and_gets_only_files_that_the_context_lets_in() -> None:
    lines = [line for stage in dockerfile_stages() for line in stage]
    assert not any(SECRET_WORDS.search(line) for line in lines if line.startswith(("ENV", "ARG")))
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {
        word for line in lines if line.startswith("COPY ") and "--from" not in line for word in line.split()[1:-1]
    }
    assert copied == allowed
    assert all((ROOT / name).exists() for name in copied)


def requirements() -> set[str]:
    """The names of everything that the three distributions ask for, directly, themselves left out."""
    asked: list[str] = []
    for folder in (ROOT, ROOT / "producers", ROOT / "simulator"):
        project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
        asked += project["project"].get("dependencies", [])
        asked += project.get("dependency-groups", {}).get("test", [])
        asked += [one for extra in project["project"]["optional-dependencies"].values() for one in extra]
    names = {re.split(r"[\[<>=;, ]", requirement)[0].lower() for requirement in asked}
    return names - {"ajo-producers", "ajo-simulator"}


def test_every_dependency_is_pinned_and_nothing_names_a_registry() -> None:
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    lines = text.splitlines()
    assert all(re.match(r"[a-z0-9-]+==\S+( ; .+)?$", line) for line in lines)
    pinned = {line.partition("==")[0] for line in lines}
    assert {name for name in requirements() if name not in pinned} == set()
