"""``ajo-dispatch audit recipient``: one person's triggers are found by hash, and the address is never shown or kept."""

import json
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import pytest
from ajo_worker.recipients import hashing_key, recipient_hash
from uuid_utils.compat import uuid7

from tests.support.database import query
from tests.support.ledger_rows import ago, put_trigger
from tests.support.programs import Finished

Cli = Callable[..., Finished]
KEY = "planted-hash-key"
ADA, BOB = "ada@example.com", "bob@example.com"


def put(url: str, at: datetime, *addresses: str, **columns: object) -> UUID:
    key = hashing_key(KEY)
    hashes = [recipient_hash(address, key) for address in addresses]
    return put_trigger(url, at, recipient_hashes=hashes, recipients=len(hashes), **columns)


@pytest.fixture
def look_up(run_cli: Cli, database_url: str) -> Cli:
    def run(*arguments: str, key: str = KEY, **more: object) -> Finished:
        return run_cli(
            "audit", "recipient", *arguments, env={"AJO_DATABASE_URL": database_url, "AJO_HASH_KEY": key}, **more
        )

    return run


def ids(found: Finished) -> list[str]:
    return [trigger["request_id"] for trigger in json.loads(found.out)["triggers"]]


def test_triggers_of_one_recipient_are_found_newest_first_and_no_others(look_up: Cli, database_url: str) -> None:
    old = put(database_url, ago(days=20), ADA)
    new = put(database_url, ago(hours=1), BOB, " Ada@Example.com ")
    put(database_url, ago(hours=1), BOB)
    assert ids(look_up(ADA, "--json")) == [str(new), str(old)]
    assert ids(look_up(ADA, "--json", "--since", "2d")) == [str(new)]


def test_the_address_comes_from_a_pipe_too_and_is_never_said(look_up: Cli, database_url: str) -> None:
    request_id = put(database_url, ago(hours=1), ADA, state="rejected", reason="bad-request")
    for arguments in (("-",), ()):
        found = look_up(*arguments, input=f"{ADA}\n")
        assert found.code == 0, found.err
        for text in (str(request_id), "rejected", "bad-request", recipient_hash(ADA, hashing_key(KEY)).hex()):
            assert text in found.out
        assert ADA not in found.out + found.err
        assert KEY not in found.out + found.err


def test_a_campaign_and_a_limit_narrow_it(look_up: Cli, database_url: str) -> None:
    first = put(database_url, ago(hours=2), ADA, campaign="welcome")
    second = put(database_url, ago(hours=1), ADA)
    assert ids(look_up(ADA, "--json", "--campaign", "welcome")) == [str(first)]
    found = look_up(ADA, "--json", "--limit", "1")
    assert ids(found) == [str(second)]
    assert json.loads(found.out)["more"]
    assert "More than 1 trigger" in look_up(ADA, "--limit", "1").out


def test_nobody_found_and_nothing_asked_are_told(look_up: Cli, database_url: str) -> None:
    put(database_url, ago(hours=1), ADA)
    nobody = look_up(BOB)
    assert (nobody.code, "no trigger for this recipient" in nobody.err) == (1, True)
    assert BOB not in nobody.err
    assert look_up("-", input="\n").code == 2
    keyless = look_up(ADA, key="")
    assert (keyless.code, "AJO_HASH_KEY is not set" in keyless.err) == (2, True)


def test_looking_somebody_up_writes_nothing(look_up: Cli, database_url: str) -> None:
    put(database_url, ago(hours=1), ADA, request_id=uuid7())
    before = query(database_url, "select pg_current_xact_id()::text as x")[0]["x"]
    assert look_up(ADA).code == 0
    after = query(database_url, "select pg_current_xact_id()::text as x")[0]["x"]
    assert int(after) == int(before) + 1
