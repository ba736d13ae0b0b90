"""``ajo-dispatch status BATCH_ID``: the id that Flower shows of a message answers with its triggers."""

import json
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from uuid_utils.compat import uuid7

from tests.support.database import query
from tests.support.ledger_rows import after, ago, put_trigger
from tests.support.programs import Finished

Cli = Callable[..., Finished]


def put_batch(url: str, batch_id: UUID) -> dict[str, str]:
    """Three triggers of a batch that ended differently, and one of another; the request ids by state."""
    at = ago(minutes=2)
    ends = {
        "accepted": {"completed_at": after(at, 2)},
        "rejected": {"completed_at": after(at, 2), "reason": "recipient-refused"},
        "parked": {"reason": "outage"},
    }
    rows = {
        state: str(put_trigger(url, at, batch_id=batch_id, state=state, attempts_started=number, **columns))
        for number, (state, columns) in enumerate(ends.items(), start=1)
    }
    put_trigger(url, at)
    return rows


# Not every producer makes ids that tell a time.
@pytest.mark.parametrize("make", [uuid7, uuid4])
def test_a_batch_answers_with_states_reasons_and_attempts_of_its_triggers(
    make: Callable[[], UUID], run_cli: Cli, database_url: str
) -> None:
    batch_id = UUID(str(make()))
    rows = put_batch(database_url, batch_id)
    env = {"AJO_DATABASE_URL": database_url}
    found = json.loads(run_cli("status", str(batch_id), "--json", env=env).out)
    assert found["batch_id"] == str(batch_id)
    assert {one["request_id"]: (one["state"], one["reason"], one["attempts"]) for one in found["triggers"]} == {
        rows["accepted"]: ("accepted", None, 1),
        rows["rejected"]: ("rejected", "recipient-refused", 2),
        rows["parked"]: ("parked", "outage", 3),
    }
    shown = run_cli("status", str(batch_id), env=env).out
    assert shown.startswith("batch")
    assert all(row in shown for row in rows.values())
    assert shown.index(rows["rejected"]) < shown.index(rows["accepted"]), "what was not accepted comes first"


def test_a_message_that_could_not_be_read_is_found_in_quarantine(run_cli: Cli, database_url: str) -> None:
    batch_id = UUID(str(uuid7()))
    insert = f"""
        insert into ledger.quarantine (received_at, worker, body_bytes, queue, reason, headers, body) values
        (now(), gen_random_uuid(), 2, 'q', 'no JSON', '{{"id": "{batch_id}"}}', '{{}}'),
        (now(), gen_random_uuid(), 2, 'q', 'no JSON', '{{"id": "ada@example.com"}}', '{{}}') returning quarantine_id
    """
    first, second = (row["quarantine_id"] for row in query(database_url, insert))
    done = run_cli("status", str(batch_id), env={"AJO_DATABASE_URL": database_url})
    assert done.code == 0
    assert f"ajo-dispatch quarantine NUMBER ({first})" in done.out
    assert query(database_url, f"select message_id from audit.quarantine where quarantine_id = {second}") == [
        {"message_id": None}
    ]
