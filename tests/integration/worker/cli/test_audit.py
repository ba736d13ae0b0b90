"""``ajo-dispatch audit close|verify|head``: what an auditor runs, and the exit code that a script goes by."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from ajo_producers.contract.timed_ids import floor_of
from ajo_worker.evidence.chunks import begin_of

from tests.support.database import query
from tests.support.ledger_rows import put_attempt, put_trigger
from tests.support.programs import Finished

Cli = Callable[..., Finished]
KEY = "planted-evidence-key"
DAY = datetime.now(UTC).date() - timedelta(days=6)


@pytest.fixture
def audit(run_cli: Cli, database_url: str) -> Cli:
    def run(*arguments: str, **env: str) -> Finished:
        return run_cli("audit", *arguments, env={"AJO_DATABASE_URL": database_url, "AJO_EVIDENCE_KEY": KEY, **env})

    return run


@pytest.fixture
def trigger(database_url: str) -> UUID:
    """An accepted trigger of an old day."""
    query(database_url, "select ledger.make_partitions($1, $1)", DAY)
    at = begin_of(DAY) + timedelta(hours=13)
    request_id = UUID(int=floor_of(at).int | uuid4().int >> 64)
    put_trigger(database_url, at, request_id=request_id, state="accepted", completed_at=at)
    put_attempt(database_url, request_id, 1, at)
    return request_id


def test_a_day_is_closed_verified_and_found_changed(audit: Cli, database_url: str, trigger: UUID) -> None:
    empty = audit("head")
    assert (empty.code, "nothing is sealed yet" in empty.err) == (1, True)
    closed = audit("close")
    assert closed.code == 0, closed.err
    assert closed.out.startswith("Sealed ")
    assert "2 rows" in closed.out
    assert audit("close").out == "Nothing is due.\n"
    head = audit("head").out.strip()
    verified = audit("verify", "--head", head)
    assert verified.code == 0, verified.err
    assert f"{DAY}  intact" in verified.out
    assert f"unbroken, the given value is in it; its head is {head}" in verified.out
    query(database_url, "update ledger.triggers set state = 'rejected' where request_id = $1", trigger)
    found = audit("verify", "--day", f"{DAY}")
    assert found.code == 1
    elsewhere = audit("verify", "--day", f"{DAY}", AJO_TIME_ZONE="Asia/Kathmandu")
    assert f"is of the days {DAY - timedelta(days=1)} and {DAY} (UTC)" in elsewhere.err
    assert f"{DAY} 13:00 triggers: rows were changed, and nothing on record explains it" in found.out
    assert f"not intact: {DAY}" in found.err
    again = audit("close", "--json")
    assert again.code == 1
    assert json.loads(again.out)["refused"][0]["chunk"]["day"] == f"{DAY}"


def test_json_says_the_same(audit: Cli, trigger: UUID) -> None:
    closed = json.loads(audit("close", "--json").out)
    assert (closed["rows"], closed["refused"]) == (2, [])
    assert f"{DAY}" in closed["days"]
    head = json.loads(audit("head", "--json").out)
    found = json.loads(audit("verify", "--json").out)
    assert (found["intact"], found["head"]) == (True, head["head"])
    assert found["days"][0]["state"] == "intact"


def test_a_head_that_is_not_in_the_chain_and_a_missing_or_wrong_key_are_told(
    audit: Cli, database_url: str, trigger: UUID
) -> None:
    audit("close")
    other = audit("verify", "--head", "ab" * 32)
    assert (other.code, "the given value is not in the chain" in other.err) == (1, True)
    keyless = audit("verify", AJO_EVIDENCE_KEY="")
    assert (keyless.code, "AJO_EVIDENCE_KEY is not set" in keyless.err) == (2, True)
    assert "not verified" in keyless.out
    assert "broken" not in keyless.out + keyless.err, "nobody knows"
    unfit = audit("close", AJO_EVIDENCE_KEY="")
    assert (unfit.code, "AJO_EVIDENCE_KEY is not set" in unfit.err) == (2, True)
    wrong = audit("verify", AJO_EVIDENCE_KEY="another")
    assert (wrong.code, "broken at seal 1: it was made with key" in wrong.err) == (1, True)
    query(database_url, "update ledger.triggers set state = 'rejected' where request_id = $1", trigger)
    assert audit("verify", AJO_EVIDENCE_KEY="").code == 1, "rows that were changed need no key to be found"
    assert KEY not in keyless.err + keyless.out + other.err + other.out


def test_a_day_that_is_not_sealed_is_told(audit: Cli, trigger: UUID) -> None:
    audit("close")
    today = audit("verify", "--day", f"{datetime.now(UTC):%Y-%m-%d}")
    assert (today.code, "(UTC) is not sealed" in today.err) == (1, True)


@pytest.mark.parametrize(
    "arguments", [("--day", "tomorrow"), ("--head", "abc"), ("--head", "zz" * 32), ("--day", "2026-02-30")]
)
def test_wrong_usage_is_told(audit: Cli, arguments: tuple[str, ...]) -> None:
    refused = audit("verify", *arguments)
    assert (refused.code, arguments[0] in refused.err) == (2, True)
