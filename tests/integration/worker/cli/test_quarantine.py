"""``ajo-dispatch quarantine``: what could not be read is listed with its reason, and its bytes only on demand."""

import json
from collections.abc import Callable
from datetime import datetime

import pytest
from uuid_utils.compat import uuid7

from tests.support.database import query
from tests.support.ledger_rows import ago
from tests.support.programs import Finished

Cli = Callable[..., Finished]
BODY = "ada@example.com is not JSON"

PUT = """
    insert into ledger.quarantine (received_at, worker, body_bytes, queue, reason, headers, body)
    values ($1, $2, 70000, 'ajo-dispatch.standard', $3, '{"lang": "py"}', $4) returning quarantine_id
"""


def put(url: str, reason: str, received_at: datetime) -> int:
    return int(query(url, PUT, received_at, uuid7(), reason, BODY.encode())[0]["quarantine_id"])


@pytest.fixture
def quarantine(run_cli: Cli, database_url: str) -> Cli:
    def run(*arguments: str) -> Finished:
        return run_cli("quarantine", *arguments, env={"AJO_DATABASE_URL": database_url})

    return run


def test_items_are_listed_newest_first_and_counted_by_reason(quarantine: Cli, database_url: str) -> None:
    old = put(database_url, "JSON is malformed", ago(days=9))
    first = put(database_url, "JSON is malformed", ago(hours=2))
    second = put(database_url, "unknown version", ago(hours=1))
    found = json.loads(quarantine("--json").out)
    assert (found["items"], found["reasons"]) == (2, {"JSON is malformed": 1, "unknown version": 1})
    assert [item["quarantine_id"] for item in found["newest"]] == [second, first]
    assert json.loads(quarantine("--json", "--since", "30d").out)["items"] == 3
    shown = quarantine("--limit", "1")
    assert "2 items quarantined" in shown.out
    assert "unknown version" in shown.out
    assert str(old) != str(first)
    assert BODY not in shown.out


def test_one_item_is_shown_without_its_body_unless_that_is_asked_for(quarantine: Cli, database_url: str) -> None:
    item = str(put(database_url, "JSON is malformed", ago(hours=2)))
    shown = quarantine(item)
    assert shown.code == 0
    for text in ("JSON is malformed", "70,000, of which 27 are kept", "header lang"):
        assert text in shown.out
    assert BODY not in shown.out
    assert json.loads(quarantine(item, "--json").out)["headers"] == {"lang": "py"}
    assert quarantine(item, "--body").out == BODY


def test_wrong_usage_and_what_is_not_there_are_told(quarantine: Cli) -> None:
    assert "Nothing was quarantined in the last 7d" in quarantine().out
    missing = quarantine("4711")
    assert (missing.code, missing.err) == (1, "error: the quarantine has no item 4711\n")
    assert quarantine("--body").code == 2
    assert quarantine("x").code == 2
