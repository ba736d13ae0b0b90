"""After the admission: intents need ownership, acceptances are facts, and everything is harmless when repeated."""

from typing import Any

import asyncpg
import pytest
from ajo_worker.ledger.admission import Admission, admit
from ajo_worker.ledger.attempts import AttemptRow, Intent, Record, intend, record
from ajo_worker.ledger.ownership import Takeover, take_over
from uuid_utils.compat import uuid7

from tests.integration.worker.ledger.conftest import Read
from tests.integration.worker.ledger.rows import BUSY, NOON, accepted, admission, after, attempt, dead, ending


@pytest.fixture
async def trigger(connection: asyncpg.Connection) -> Admission:
    """A trigger whose first attempt is announced."""
    offered = admission()
    await admit(connection, [offered])
    return offered


def intent(trigger: Admission, number: int = 2, *, fence: int = 1, cause: str | None = None) -> Intent:
    return Intent(trigger.request_id, fence, number, after(number), cause)


async def taken_over(connection: asyncpg.Connection, trigger: Admission, *, interrupted: bool = True) -> None:
    assert await take_over(connection, [Takeover(trigger.request_id, 1, uuid7(), 1, interrupted)]) == [True]


def written(row: AttemptRow) -> dict[str, Any]:
    """A row as the table has it: a wait that was none is null."""
    return {
        name: None if name.endswith("_wait_seconds") and not value else value for name, value in row._asdict().items()
    }


async def test_an_intent_is_on_record_before_the_attempt(
    connection: asyncpg.Connection, trigger: Admission, read: Read
) -> None:
    assert await intend(connection, [intent(trigger)]) == [True]
    (row,) = await read("triggers", trigger.request_id)
    assert (row["attempts_started"], row["last_intent_at"], row["first_dispatched_at"]) == (2, after(2), NOON)
    assert (row["possible_duplicate"], row["duplicate_causes"]) == (False, [])


async def test_each_cause_of_a_possible_duplicate_is_listed_once(
    connection: asyncpg.Connection, trigger: Admission, read: Read
) -> None:
    causes = ["ambiguous-answer", "worker-crash", "ambiguous-answer", None]
    for number, cause in enumerate(causes, start=2):
        assert await intend(connection, [intent(trigger, number, cause=cause)]) == [True]
    (row,) = await read("triggers", trigger.request_id)
    assert (row["possible_duplicate"], row["duplicate_causes"]) == (True, ["ambiguous-answer", "worker-crash"])


async def test_a_repeated_intent_changes_nothing(
    connection: asyncpg.Connection, trigger: Admission, read: Read
) -> None:
    same = intent(trigger, cause="ambiguous-answer")
    await intend(connection, [same])
    before = await read("triggers", trigger.request_id)
    assert await intend(connection, [same]) == [True]
    assert await read("triggers", trigger.request_id) == before


async def test_an_intent_is_refused_to_a_worker_that_lost_the_trigger(
    connection: asyncpg.Connection, trigger: Admission, read: Read
) -> None:
    await taken_over(connection, trigger)
    before = await read("triggers", trigger.request_id)
    assert await intend(connection, [intent(trigger)]) == [False]
    assert await read("triggers", trigger.request_id) == before
    assert await intend(connection, [intent(trigger, fence=2)]) == [True]


async def test_an_intent_is_refused_for_a_trigger_that_has_ended_and_to_none_of_its_neighbours(
    connection: asyncpg.Connection, trigger: Admission
) -> None:
    going_on = admission()
    await admit(connection, [going_on])
    await record(connection, [accepted(trigger)])
    assert await intend(connection, [intent(trigger), intent(going_on), intent(admission())]) == [False, True, False]


async def test_an_attempt_and_the_end_that_it_brought_are_recorded_together(
    connection: asyncpg.Connection, trigger: Admission, read: Read
) -> None:
    row = attempt(trigger)
    assert await record(connection, [Record(row, ending(trigger))]) == [True]
    (kept,) = await read("attempts", trigger.request_id)
    assert kept == written(row)
    (ended,) = await read("triggers", trigger.request_id)
    assert (ended["state"], ended["reason"], ended["execution_id"]) == ("accepted", None, "UMA-1")
    assert (ended["completed_at"], ended["first_dispatched_at"]) == (after(1), after(0.01))


@pytest.mark.parametrize("wrong", ["attempt", "end"])
async def test_of_an_attempt_and_its_end_either_both_are_recorded_or_neither(
    connection: asyncpg.Connection, trigger: Admission, read: Read, wrong: str
) -> None:
    bad_attempt = {"outcome": "invented"} if wrong == "attempt" else {}
    bad_end = {"state": "invented"} if wrong == "end" else {}
    with pytest.raises(asyncpg.CheckViolationError):
        await record(connection, [Record(attempt(trigger, **bad_attempt), ending(trigger, **bad_end))])
    assert await read("attempts", trigger.request_id) == []
    assert (await read("triggers", trigger.request_id))[0]["state"] == "sending"


async def test_an_attempt_that_a_retry_follows_leaves_the_trigger_as_it_is(
    connection: asyncpg.Connection, trigger: Admission, read: Read
) -> None:
    before = await read("triggers", trigger.request_id)
    assert await record(connection, [Record(attempt(trigger, **BUSY), None)]) == [False]
    assert await read("triggers", trigger.request_id) == before
    assert [row["outcome"] for row in await read("attempts", trigger.request_id)] == ["retryable"]


@pytest.mark.parametrize("how", ["accepted", "dead", "without an attempt"])
async def test_a_repeated_record_changes_nothing(
    connection: asyncpg.Connection, trigger: Admission, read: Read, how: str
) -> None:
    attempted = None if how == "without an attempt" else attempt(trigger)
    outcome = Record(attempted, ending(trigger) if how == "accepted" else dead(trigger))
    assert await record(connection, [outcome]) == [True]
    tables = ("triggers", "attempts", "held_payloads")
    before = [await read(table, trigger.request_id) for table in tables]
    assert await record(connection, [outcome]) == [how == "accepted"]  # its own acceptance, whose answer was lost
    assert [await read(table, trigger.request_id) for table in tables] == before


@pytest.mark.parametrize("state", ["rejected", "expired", "unconfirmed"])
async def test_a_dead_letter_keeps_its_payload_and_an_accepted_trigger_none(
    connection: asyncpg.Connection, trigger: Admission, read: Read, state: str
) -> None:
    lucky = admission()
    await admit(connection, [lucky])
    letter = dead(trigger, state)
    assert await record(connection, [Record(None, letter), accepted(lucky)]) == [True, True]
    (held,) = await read("held_payloads", trigger.request_id)
    assert (held["payload"], held["reason"], held["round"]) == (letter.payload, letter.reason, 1)
    assert (held["campaign"], held["resume_at"], held["resumed_by"]) == (trigger.campaign, None, None)
    assert await read("held_payloads", lucky.request_id) == []


async def test_a_later_round_that_fails_too_replaces_the_held_payload(
    connection: asyncpg.Connection, trigger: Admission, read: Read
) -> None:
    await record(connection, [Record(None, dead(trigger))])
    redrive = "update ledger.triggers set state = 'sending', round = 2 where request_id = $1"
    await connection.execute(redrive, trigger.request_id)
    assert await record(connection, [Record(None, dead(trigger, reason="bad-request"))]) == [True]
    (held,) = await read("held_payloads", trigger.request_id)
    assert (held["round"], held["reason"]) == (2, "bad-request")


async def test_a_late_acceptance_ends_the_trigger_whoever_has_it_now(
    connection: asyncpg.Connection, trigger: Admission, read: Read
) -> None:
    await taken_over(connection, trigger)
    await intend(connection, [intent(trigger, fence=2, cause="worker-crash")])
    assert await record(connection, [accepted(trigger)]) == [True]
    (row,) = await read("triggers", trigger.request_id)
    assert (row["state"], row["execution_id"]) == ("accepted", "UMA-1")
    # What the new owner began stays on record: it may send until it learns of the end.
    assert (row["attempts_started"], row["first_dispatched_at"], row["duplicate_causes"]) == (2, NOON, ["worker-crash"])
    assert await intend(connection, [intent(trigger, 3, fence=2)]) == [False]


async def test_any_other_late_end_changes_nothing_but_its_attempt(
    connection: asyncpg.Connection, trigger: Admission, read: Read
) -> None:
    await taken_over(connection, trigger)
    before = await read("triggers", trigger.request_id)
    late = Record(attempt(trigger, outcome="refused", http_status=400), dead(trigger, "rejected"))
    assert await record(connection, [late]) == [False]
    assert await read("triggers", trigger.request_id) == before
    assert await read("held_payloads", trigger.request_id) == []
    assert [row["outcome"] for row in await read("attempts", trigger.request_id)] == ["refused"]


@pytest.mark.parametrize("state", ["unconfirmed", "parked"])
async def test_a_late_acceptance_ends_what_is_not_known_to_have_failed(
    connection: asyncpg.Connection, trigger: Admission, read: Read, state: str
) -> None:
    await taken_over(connection, trigger)
    await record(connection, [Record(None, dead(trigger, state, fence=2))])
    assert await record(connection, [accepted(trigger)]) == [True]
    (row,) = await read("triggers", trigger.request_id)
    assert (row["state"], row["reason"], row["execution_id"]) == ("accepted", None, "UMA-1")
    assert await read("held_payloads", trigger.request_id) == []


@pytest.mark.parametrize("state", ["rejected", "expired"])
async def test_no_late_acceptance_changes_what_is_known_to_have_failed(
    connection: asyncpg.Connection, trigger: Admission, read: Read, state: str
) -> None:
    await taken_over(connection, trigger)
    await record(connection, [Record(None, dead(trigger, state, fence=2))])
    before = await read("triggers", trigger.request_id)
    assert await record(connection, [accepted(trigger)]) == [False]
    assert await read("triggers", trigger.request_id) == before
    assert len(await read("held_payloads", trigger.request_id)) == 1


@pytest.mark.parametrize("truth", [{}, {**BUSY, "http_status": None, "failure": "answer-timeout", "ambiguous": True}])
async def test_an_attempt_taken_for_interrupted_is_corrected_by_what_truly_came_of_it(
    connection: asyncpg.Connection, trigger: Admission, read: Read, truth: dict[str, Any]
) -> None:
    await taken_over(connection, trigger)
    assert (await read("attempts", trigger.request_id))[0]["outcome"] == "interrupted"
    row = attempt(trigger, **truth)
    await record(connection, [Record(row, None)])
    assert await read("attempts", trigger.request_id) == [written(row)]


async def test_what_came_of_an_attempt_is_never_overwritten(
    connection: asyncpg.Connection, trigger: Admission, read: Read
) -> None:
    await record(connection, [Record(attempt(trigger, **BUSY), None)])
    before = await read("attempts", trigger.request_id)
    await record(connection, [Record(attempt(trigger, outcome="interrupted", worker=uuid7()), None)])
    await record(connection, [Record(attempt(trigger, worker=uuid7()), None)])
    assert await read("attempts", trigger.request_id) == before


async def test_a_group_holds_ends_attempts_and_strangers_and_each_gets_its_own_answer(
    connection: asyncpg.Connection, trigger: Admission, read: Read
) -> None:
    busy, unsent, stranger = admission(), admission(), admission()
    await admit(connection, [busy, unsent])
    outcomes = [
        accepted(trigger),
        Record(attempt(busy, **BUSY), None),
        Record(None, dead(unsent)),
        Record(None, ending(stranger)),
    ]
    assert await record(connection, outcomes) == [True, False, True, False]
    assert (await read("triggers", unsent.request_id))[0]["state"] == "expired"
    assert await read("triggers", stranger.request_id) == []


async def test_acceptances_that_meet_a_taken_trigger_a_known_attempt_and_a_repetition_end_all_the_same(
    connection: asyncpg.Connection, trigger: Admission, read: Read
) -> None:
    """Each of them keeps its neighbours from being ended as nearly all are."""
    known, repeated, plain = admission(), admission(), admission()
    await admit(connection, [known, repeated, plain])
    await taken_over(connection, trigger)
    await record(connection, [Record(attempt(known, **BUSY), None)])
    await record(connection, [accepted(repeated)])
    group = [trigger, known, repeated, plain]
    assert await record(connection, [accepted(one) for one in (trigger, repeated)]) == [True, True]
    assert await record(connection, [accepted(one) for one in group]) == [False, True, True, True]
    for one in group:
        assert [row["state"] for row in await read("triggers", one.request_id)] == ["accepted"]
    outcomes = [[row["outcome"] for row in await read("attempts", one.request_id)] for one in group]
    assert outcomes == [["accepted"], ["retryable"], ["accepted"], ["accepted"]]
