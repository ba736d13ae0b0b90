"""A stack's folder: what is kept between runs, and that one stack at a time has it."""

import socket
from pathlib import Path

import pytest
from ajo_local.child import LocalStackError
from ajo_local.dev import SERVERS, read_ports
from ajo_local.home import Home, State, open_home
from ajo_local.ports import LOOPBACK, free_port
from ajo_local.processes import Processes
from typer import BadParameter


@pytest.fixture
def none() -> Processes:
    """Nothing is started: a folder that is kept needs no keeper."""
    return Processes()


def test_secrets_and_ports_are_those_of_the_run_before(none: Processes, tmp_path: Path) -> None:
    first = open_home(none, tmp_path / "data", {})
    first.note_port("valkey", port := free_port())
    first.close()
    again = open_home(none, tmp_path / "data", {})
    assert again.state == first.state
    assert again.port("valkey") == port
    assert again.port("postgres") == 0, "any free one"
    assert repr(again.state) == f"State({{'valkey': {port}}})"
    again.close()


def test_two_stacks_have_no_secret_in_common() -> None:
    one, other = State(), State()
    assert one.postgres_password != other.postgres_password
    assert one.payload_key != other.payload_key


def test_a_port_that_a_person_names_is_taken_as_it_is_and_one_that_is_taken_is_given_up(tmp_path: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        taken = server.getsockname()[1]
        state = State(ports={"valkey": taken, "flower": taken})
        home = Home(tmp_path, kept=True, state=state, wanted={"flower": taken})
        assert (home.port("flower"), home.port("valkey")) == (taken, 0)


def test_what_holds_secrets_is_its_owners_alone(none: Processes, tmp_path: Path) -> None:
    home = open_home(none, tmp_path / "data", {})
    home.note_port("valkey", 1)
    file = home.write_env({"AJO_X": "it's"}, "/a b/bin")
    assert file.read_text(encoding="utf-8") == "export AJO_X='it'\"'\"'s'\nexport PATH='/a b/bin':$PATH\n"
    assert {path.stat().st_mode & 0o077 for path in home.folder.iterdir()} == {0}
    home.close()


def test_another_stack_in_the_same_folder_is_refused(none: Processes, tmp_path: Path) -> None:
    home = open_home(none, tmp_path, {})
    with pytest.raises(LocalStackError, match="another stack is running there"):
        open_home(none, tmp_path, {})
    home.close()
    open_home(none, tmp_path, {}).close()


def test_a_state_that_cannot_be_read_is_said_with_its_file(none: Processes, tmp_path: Path) -> None:
    (tmp_path / "stack.json").write_text("{", encoding="utf-8")
    with pytest.raises(LocalStackError, match=r"stack\.json: .*mend it"):
        open_home(none, tmp_path, {})


def test_ports_are_named_by_their_servers() -> None:
    assert read_ports([f"{server}={8000 + number}" for number, server in enumerate(SERVERS)]) == {
        server: 8000 + number for number, server in enumerate(SERVERS)
    }


@pytest.mark.parametrize(
    "option", ["8080", "simulator", "simulator=", "simulator=0", "simulator=65536", "redis=6379", "flower=x"]
)
def test_a_port_of_no_server_or_no_number_is_refused(option: str) -> None:
    with pytest.raises(BadParameter, match="postgres, valkey, simulator, flower"):
        read_ports([option])
