"""``ajo-dispatch keys``: fresh keys, which keys are in use, and rotation that may be cut off and repeated."""

import json
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable

import asyncpg
import pytest
from ajo_local.processes import Processes
from ajo_producers.contract.sealing import Sealer, key_id_of, new_key
from ajo_worker.payloads.rotation import BATCH

from tests.support.database import query
from tests.support.held_payloads import put_held, read_held
from tests.support.programs import PROGRAM, Finished
from tests.support.waiting import DEADLINE_SECONDS, wait_until

Cli = Callable[..., Finished]

OLD, NEW, LOST = new_key(), new_key(), new_key()
OLDER, BOTH, STRANGER = Sealer.from_keys(OLD), Sealer.from_keys(f"{NEW},{OLD}"), Sealer.from_keys(LOST)
OLD_ID, NEW_ID, LOST_ID = map(key_id_of, (OLD, NEW, LOST))
PAYLOAD = b'{"to":"ada@example.com"}'

GATE = 4711
FUNCTION = f"""
    create function wait_at_the_gate() returns trigger language plpgsql as
    $$ begin perform pg_advisory_xact_lock({GATE}); return new; end $$
"""
TRIGGER = """
    create trigger gate before update on ledger.held_payloads for each row when (new.request_id = '{}')
    execute function wait_at_the_gate()
"""
AT_THE_GATE = f"select pid from pg_locks where locktype = 'advisory' and objid = {GATE} and not granted"
CONNECTED = "select from pg_stat_activity where pid = $1"


@pytest.fixture
def keys(run_cli: Cli, database_url: str) -> Cli:
    def run(*arguments: str, payload_keys: str = "") -> Finished:
        return run_cli("keys", *arguments, env={"AJO_DATABASE_URL": database_url, "AJO_PAYLOAD_KEYS": payload_keys})

    return run


@pytest.fixture
async def gate(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """Has the gate shut, until it unlocks it."""
    connection = await asyncpg.connect(database_url)
    await connection.execute("select pg_advisory_lock($1)", GATE)
    yield connection
    connection.terminate()


def test_new_prints_a_good_key_that_is_another_each_time_and_names_only_its_id(keys: Cli) -> None:
    first, second = keys("new"), keys("new")
    assert (first.code, second.code) == (0, 0)
    first_id, second_id = Sealer.from_keys(f"{first.out},{second.out}").key_ids
    assert first.err.startswith(f"That is key {first_id}. ")
    assert second.err.startswith(f"That is key {second_id}. ")
    assert first.out.strip() not in first.err


def test_list_shows_each_key_with_its_payloads_and_whether_the_settings_have_it(keys: Cli, database_url: str) -> None:
    assert keys("list").out == "No payload is held, and AJO_PAYLOAD_KEYS is not set.\n"
    put_held(database_url, [OLDER.seal(PAYLOAD)] * 3 + [STRANGER.seal(PAYLOAD)] * 2 + [(None, PAYLOAD)])
    shown = keys("list", payload_keys=f"{NEW},{OLD}")
    assert shown.code == 0
    assert [line.split() for line in shown.out.splitlines()[1:]] == [
        [NEW_ID, "newest", "0"],
        [OLD_ID, "yes", "3"],
        [LOST_ID, "no", "2"],
        ["(plain)", "1"],
    ]
    as_json = keys("list", "--json", payload_keys=f"{NEW},{OLD}")
    assert json.loads(as_json.out)[1] == {"key_id": OLD_ID, "payloads": 3, "in_settings": True, "newest": False}
    assert not any(key in shown.out + as_json.out for key in (OLD, NEW))


def test_rotate_needs_a_key_and_good_ones(keys: Cli) -> None:
    without = keys("rotate")
    assert (without.code, without.out) == (2, "")
    assert "AJO_PAYLOAD_KEYS is not set" in without.err
    wrong = keys("rotate", payload_keys=f"{NEW},{OLD[1:]}")
    assert wrong.code == 2
    assert "AJO_PAYLOAD_KEYS: key 2 of 2 is no Fernet key" in wrong.err
    assert OLD[1:] not in wrong.err
    assert NEW not in wrong.err


def test_rotate_does_all_it_can_and_ends_with_1_while_a_key_is_missing(keys: Cli, database_url: str) -> None:
    put_held(database_url, [OLDER.seal(PAYLOAD), (None, PAYLOAD), STRANGER.seal(PAYLOAD)])
    done = keys("rotate", payload_keys=f"{NEW},{OLD}")
    assert (done.code, done.out) == (1, f"2 payloads brought under key {NEW_ID}\n")
    assert done.err.startswith(f"error: 1 payload under key {LOST_ID}, which AJO_PAYLOAD_KEYS does not have: ")
    assert Counter(key_id for key_id, _ in read_held(database_url).values()) == {NEW_ID: 2, LOST_ID: 1}
    again = keys("rotate", payload_keys=f"{NEW},{OLD},{LOST}")
    assert (again.code, again.out, again.err) == (0, f"1 payload brought under key {NEW_ID}\n", "")
    assert {BOTH.open(*held) for held in read_held(database_url).values()} == {PAYLOAD}


@pytest.mark.parametrize(
    ("ended_by", "code"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130)], ids=["kill -9", "Ctrl-C"]
)
async def test_a_rotation_cut_off_in_the_middle_leaves_whole_payloads_and_is_finished_by_the_next(
    ended_by: signal.Signals, code: int, gate: asyncpg.Connection, database_url: str, processes: Processes, keys: Cli
) -> None:
    payloads = [b'{"id":%d}' % number for number in range(2 * BATCH)]
    ids = put_held(database_url, [OLDER.seal(payload) for payload in payloads])
    query(database_url, FUNCTION)
    query(database_url, TRIGGER.format(ids[BATCH + 50]))
    env = {"AJO_DATABASE_URL": database_url, "AJO_PAYLOAD_KEYS": f"{NEW},{OLD}"}
    rotation = processes.start("rotation", [PROGRAM, "keys", "rotate"], env=env)
    server = wait_until(lambda: query(database_url, AT_THE_GATE), what="the rotation inside its second batch")[0]["pid"]

    rotation.popen.send_signal(ended_by)
    assert rotation.popen.wait(DEADLINE_SECONDS) == code
    assert rotation.output() == ""
    await gate.execute("select pg_advisory_unlock($1)", GATE)
    wait_until(lambda: not query(database_url, CONNECTED, server), what="the end of its connection")
    found = read_held(database_url)
    assert [found[request_id][0] for request_id in ids] == [NEW_ID] * BATCH + [OLD_ID] * BATCH
    assert [BOTH.open(*found[request_id]) for request_id in ids] == payloads

    again = keys("rotate", payload_keys=f"{NEW},{OLD}")
    assert (again.code, again.out) == (0, f"{BATCH} payloads brought under key {NEW_ID}\n")
    found = read_held(database_url)
    assert [Sealer.from_keys(NEW).open(*found[request_id]) for request_id in ids] == payloads
