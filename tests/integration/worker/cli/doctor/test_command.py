"""``ajo-dispatch doctor``: all is well, what is printed, what is never shown."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.doctor import PASSWORD, RIGHTS, Cli, Diagnose, read, role, statuses, surroundings
from tests.support.ledger_rows import ago, put_worker
from tests.support.programs import Simulator

FIRST_LINES = [
    "settings",
    "unknown variables",
    "hash key",
    "payload keys",
    "time for an answer",
    "client id and secret",
]


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_all_is_well_with_the_rights_that_the_documentation_gives(
    broker_url: str, database_url: str, queue_prefix: str, simulator: Callable[..., Simulator], tmp_path: Path,
    run_cli: Cli, diagnose: Diagnose, tls: bool,
) -> None:  # fmt: skip
    authority = tmp_path / "ca.pem"
    api = simulator(None, *(("--tls", "--ca-out", str(authority)) if tls else ()))
    put_worker(database_url)
    put_worker(database_url, hostname="node-2", heartbeat_at=ago(minutes=5))
    with role(database_url, *RIGHTS) as limited:
        env = surroundings(broker_url, limited, queue_prefix, api, tmp_path)
        env |= {"AJO_CA_FILE": str(authority)} if tls else {}
        code, found = diagnose(env)
        text = run_cli("doctor", env=env)
    assert (code, text.code, statuses(found, "failed")) == (0, 0, set())
    # The servers of the tests give durability away.
    assert statuses(found, "warning") <= {"database durability", "broker persistence"}
    place = api.url.partition("://")[2]
    assert found[f"tls {place}"]["status"] == ("ok" if tls else "skipped")
    assert {f"dns {place}", f"connect {place}", f"health {place}", "token", "clocks"} <= statuses(found, "ok")
    assert found["workers"]["found"] == "1 worker alive: node-1:4711"
    assert [line.split(": ")[0].split(maxsplit=1)[1] for line in text.out.splitlines()[:6]] == FIRST_LINES
    assert [name for name in found if f" {name}: " not in text.out] == []
    for planted in (PASSWORD, env["AJO_CLIENT_SECRET"], "test-hash-key", "simulated-"):
        assert planted not in text.out + text.err + repr(found)


@pytest.mark.parametrize("scheme", ["amqp", "redis"])
def test_servers_that_all_hang_each_meet_the_timeout(
    env: dict[str, str], silent: int, scheme: str, run_cli: Cli
) -> None:
    place = f"127.0.0.1:{silent}"
    hanging = {
        "AJO_BROKER_URL": f"{scheme}://ada:{PASSWORD}@{place}/",
        "AJO_DATABASE_URL": f"postgresql://ada:{PASSWORD}@{place}/ajo",
        "AJO_TOKEN_URL": f"http://{place}/token",
    }
    flower = f"http://ada:{PASSWORD}@{place}"
    # A process of its own: it has to end although its threads may hang.
    done = run_cli("doctor", "--json", "--timeout", "10", "--flower", flower, env=env | hanging)
    code, found = read(done)
    assert (code, statuses(found, "failed")) == (1, {"broker", "database", "token", "flower"})
    assert PASSWORD not in repr(found)


def test_a_wrong_setting_fails_alone_and_skips_only_what_needs_it(env: dict[str, str], diagnose: Diagnose) -> None:
    wrong = {"AJO_PREFETCH": "many", "AJO_TOKEN_URL": f"https://ada:{PASSWORD}@login.example.com", "AJO_LANE": "fast"}
    code, found = diagnose(env | wrong)
    assert (code, statuses(found, "failed")) == (1, {"settings"})
    assert (found["token"]["status"], found["token"]["found"]) == (
        "skipped",
        "AJO_TOKEN_URL can't be read: see settings",
    )
    assert "AJO_LANE (did you mean AJO_LANES?)" in str(found["unknown variables"]["found"])
    assert {"database", "broker", "campaigns", "workers"} <= statuses(found, "ok")
    assert PASSWORD not in repr(found)


@pytest.mark.parametrize(
    "broken",
    [
        {"AJO_BROKER_URL": f"amqp://ada:1/{PASSWORD}@broker.example.com//"},
        {"AJO_BROKER_URL": f"redis://ada:1#{PASSWORD}@broker.example.com/0"},
        {"AJO_BROKER_URL": f"amqp://ada:{PASSWORD}@[broken"},
        {"AJO_DATABASE_URL": f"postgresql://ada:1/{PASSWORD}@db.example.com/ajo"},
        {"AJO_DATABASE_URL": f"postgresql://ada:1?{PASSWORD}@db.example.com/ajo"},
        {"AJO_DATABASE_URL": PASSWORD},
        {"AJO_CLIENT_SECRET": PASSWORD, "AJO_HASH_KEY": PASSWORD, "AJO_BASE_URL": f"http://{PASSWORD}@h"},
    ],
)
def test_a_planted_secret_is_never_shown_in_whatever_is_broken(
    env: dict[str, str], broken: dict[str, str], doctor: Cli
) -> None:
    done = [doctor(*form, env=env | broken | {"AJO_DEBUG": "1"}) for form in ((), ("--json",))]
    assert [one.code for one in done] == [1, 1]
    assert [one.err for one in done] == ["", ""]
    assert PASSWORD not in "".join(one.out for one in done)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--timeout", "0"], "must be above 0"),
        (["--timeout", "nan"], "must be above 0"),
        (["--timeout", "soon"], "--timeout"),
        (["--flower", f"ada:{PASSWORD}@flower.example.com"], "must be http"),
    ],
)
def test_wrong_usage_is_explained_with_exit_code_2(arguments: list[str], told: str, doctor: Cli) -> None:
    done = doctor(*arguments, env={})
    assert (done.code, done.out) == (2, "")
    assert told in done.err
    assert PASSWORD not in done.err
