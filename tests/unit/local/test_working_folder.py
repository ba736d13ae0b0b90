"""What ``ajo-dispatch init`` makes: all that the compose file asks for, from the repository's own files."""

import csv
from pathlib import Path
from urllib.parse import urlsplit

import yaml
from ajo_local.init import ABOUT, next_commands
from ajo_local.working_folder import FILLED_IN, make_working_folder
from ajo_producers.campaigns.folder import load_definitions
from ajo_producers.contract.sealing import Sealer
from ajo_simulator.scenario import load_scenario
from msgspec import UNSET

ROOT = Path(__file__).parents[3]


def test_the_compose_file_is_the_repositorys_and_finds_every_secret_that_it_names(tmp_path: Path) -> None:
    made = make_working_folder(tmp_path / "new" / "folder").made
    folder = tmp_path / "new" / "folder"
    text = (folder / "docker-compose.yml").read_text(encoding="utf-8")
    assert text == (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    named = {secret["file"] for secret in yaml.safe_load(text)["secrets"].values()}
    assert named == {place for place in made if place.startswith("secrets/")}
    assert {place for place in made if place not in named} == set(ABOUT)
    empty = {name for name in named if not (folder / name).read_text(encoding="utf-8")}
    assert empty == {f"secrets/{FILLED_IN}"}


def test_what_it_makes_can_be_read_and_belongs_together(tmp_path: Path) -> None:
    make_working_folder(tmp_path)
    secret = {file.name: file.read_text(encoding="utf-8") for file in (tmp_path / "secrets").iterdir()}
    assert urlsplit(secret["database_url"]).password == secret["postgres_password"]
    assert f"default_pass = {urlsplit(secret['broker_url']).password}\n" in secret["rabbitmq.conf"]
    assert Sealer.from_keys(secret["payload_keys"]).newest
    assert list(load_definitions(tmp_path / "campaigns")) == ["order-shipped"]
    load_scenario(tmp_path / "scenario.toml")
    assert f"AJO_SOURCE={ROOT}\n" in (tmp_path / ".env").read_text(encoding="utf-8")


def test_the_folder_of_the_secrets_is_its_owners_alone_and_containers_can_read_what_is_mounted(tmp_path: Path) -> None:
    make_working_folder(tmp_path)
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    assert all(file.stat().st_mode & 0o004 for file in (tmp_path / "secrets").iterdir())
    assert (tmp_path / "campaigns").stat().st_mode & 0o005 == 0o005


def test_what_is_there_stays_as_it_is_and_what_is_missing_is_made_to_fit(tmp_path: Path) -> None:
    for place, text in {".env": "mine", "secrets/postgres_password": "chosen\n", "campaigns/own.toml": ""}.items():
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).write_text(text, encoding="utf-8")
    first = make_working_folder(tmp_path)
    assert set(first.kept) == {".env", "secrets/postgres_password"}
    assert (tmp_path / ".env").read_text(encoding="utf-8") == "mine"
    assert "ajo:chosen@" in (tmp_path / "secrets/database_url").read_text(encoding="utf-8")
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    assert make_working_folder(tmp_path).made == []
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before


def test_its_orders_have_key_and_time_and_are_what_its_campaign_takes(tmp_path: Path) -> None:
    make_working_folder(tmp_path)
    definition = load_definitions(tmp_path / "campaigns")["order-shipped"]
    with (tmp_path / "orders.csv").open(encoding="utf-8", newline="") as file:
        orders = list(csv.DictReader(file))
    assert [order["key"] for order in orders] == ["A-1", "A-2", "A-3"]
    required = {
        f"context.{path}"
        for path, variable in definition.context.items()
        if variable.required and variable.default is UNSET
    }
    assert all(order[name] for order in orders for name in {*required, "to", "occurred_at"})


def test_the_commands_that_are_told_next_are_those_of_the_readme(tmp_path: Path) -> None:
    """These are run, as they stand there, by tests/acceptance/docs."""
    readme = [line.partition(" #")[0].strip() for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines()]
    told = [line.strip() for line in next_commands(tmp_path).splitlines() if line.startswith("  ")]
    commands = [command.strip() for line in told for command in line.split("&&")]
    assert f"cd {tmp_path}" in commands
    program = next(word for word in commands[1].split() if word.endswith("ajo-dispatch"))
    assert [
        one for one in commands if not one.startswith("cd ") and one.replace(program, "ajo-dispatch") not in readme
    ] == []
