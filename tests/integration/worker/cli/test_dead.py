"""``ajo-dispatch dead list``, ``show`` and ``export``: what there is, and payloads only where they are asked for."""

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from ajo_producers.contract.batch import decode_trigger
from ajo_producers.contract.sealing import Sealer, key_id_of, new_key
from ajo_worker.cli.dead.export import opened
from uuid_utils.compat import uuid7

from tests.support.database import query
from tests.support.dead_letters import ADDRESS, payload_of, put_letter
from tests.support.ledger_rows import ago, put_trigger
from tests.support.programs import Finished

Cli = Callable[..., Finished]
KEY, LOST = new_key(), new_key()
NOTE = """
    with o as (
        insert into ledger.operations (done_at, triggers, operator, action, reason, chosen)
        values (now(), 1, 'ada', 'redrive', 'they were [wrongly] refused', '{}') returning operation_id
    )
    insert into ledger.operation_triggers select operation_id, $1, 1, 'rejected' from o
"""


@pytest.fixture
def dead(run_cli: Cli, database_url: str) -> Cli:
    def run(*arguments: str | Path, payload_keys: str = "") -> Finished:
        return run_cli("dead", *arguments, env={"AJO_DATABASE_URL": database_url, "AJO_PAYLOAD_KEYS": payload_keys})

    return run


def sealed(url: str, key: str) -> str:
    """A dead letter whose payload is encrypted; its id."""
    request_id = uuid7()
    key_id, payload = Sealer.from_keys(key).seal(payload_of(request_id))
    return str(put_letter(url, request_id=request_id, key_id=key_id, payload=payload))


def lines_of(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


def test_groups_come_first_and_then_the_newest(dead: Cli, database_url: str) -> None:
    older = [put_letter(database_url, ended_at=ago(minutes=9 - number)) for number in range(2)]
    newest = put_letter(database_url, campaign="flash-sale", state="expired", reason="budget-spent", status=503)
    shown = dead("list", "--limit", "2")
    assert (shown.code, shown.err) == (0, "")
    head, groups, table = shown.out.split("\n\n")
    assert head == "3 dead letters; below, the newest 2, newest first"
    assert [line.split()[:4] for line in groups.splitlines()[1:]] == [
        ["order-shipped", "rejected", "bad-request", "2"],
        ["flash-sale", "expired", "budget-spent", "1"],
    ]
    assert [line.split()[:7] for line in table.splitlines()[1:]] == [
        [str(newest), "flash-sale", "expired", "budget-spent", "503", "1", "1"],
        [str(older[1]), "order-shipped", "rejected", "bad-request", "400", "1", "1"],
    ]
    found = json.loads(dead("list", "--json", "--state", "rejected", "--since", "8m30s").out)
    assert found["letters"] == 1
    assert found["newest"][0]["request_id"] == str(older[1])
    assert found["groups"][0]["letters"] == 1


def test_nothing_found_is_told_with_exit_code_1_and_a_wrong_id_with_2(dead: Cli, tmp_path: Path) -> None:
    none = dead("list")
    assert (none.code, none.out, none.err) == (1, "", "error: there are no dead letters\n")
    filtered = dead("list", "--campaign", "no-such", "--json")
    assert (filtered.code, filtered.err) == (1, "error: no dead letter fits\n")
    assert json.loads(filtered.out)["newest"] == []
    unknown = uuid7()
    assert dead("show", str(unknown)).err == f"error: the ledger has no trigger {unknown}\n"
    exported = dead("export", "letters.jsonl", str(unknown))
    assert exported.code == 1
    assert f"{unknown} is no dead letter: the ledger has no such trigger" in exported.err
    assert not (tmp_path / "letters.jsonl").exists()
    for arguments in (
        ("list",),
        ("show",),
        ("export", "-"),
        ("redrive",),
        ("discard",),
    ):
        wrong = dead(*arguments, "4711")
        assert wrong.code == 2
        assert "4711 is no request id" in wrong.err


def test_one_is_shown_with_its_attempts_and_operations_and_its_payload_only_on_demand(
    dead: Cli, database_url: str
) -> None:
    request_id = str(put_letter(database_url))
    query(database_url, NOTE, request_id)
    shown = dead("show", request_id)
    assert (shown.code, shown.err) == (0, "")
    facts = ("rejected: bad-request", ", plain", "1.1", "400, Bad [request]")
    for told in (*facts, "they were [wrongly] refused", "rejected, round 1", "recipients[].channel_data.emailAddress"):
        assert told in shown.out
    as_json = dead("show", request_id, "--json")
    assert ADDRESS not in shown.out + as_json.out
    found = json.loads(as_json.out)
    assert {"path": "recipients[].user_id", "types": ["string"], "times": 1} in found["shape"]
    assert "payload" not in found
    assert found["operations"][0]["operator"] == "ada"
    assert ADDRESS in dead("show", request_id, "--payload").out
    whole = json.loads(dead("show", request_id, "--payload", "--json").out)
    assert whole["payload"]["recipients"][0]["user_id"] == ADDRESS


def test_what_is_no_dead_letter_is_shown_without_a_payload(dead: Cli, database_url: str) -> None:
    request_id = str(put_trigger(database_url, ago(), state="accepted"))
    shown = dead("show", request_id)
    assert shown.code == 0
    assert "not held" in shown.out
    asked = dead("show", request_id, "--payload")
    assert (asked.code, asked.err) == (1, "error: its payload can't be shown: none is held\n")


def test_a_payload_under_a_key_of_the_settings_is_opened_and_another_one_is_told(dead: Cli, database_url: str) -> None:
    known, lost = sealed(database_url, KEY), sealed(database_url, LOST)
    assert ADDRESS in dead("show", known, "--payload", payload_keys=KEY).out
    assert "recipients[].context.orderId" in dead("show", known, payload_keys=KEY).out
    told = f"sealed under key {key_id_of(LOST)}, which AJO_PAYLOAD_KEYS does not have"
    shown = dead("show", lost, payload_keys=KEY)
    assert shown.code == 0
    assert f"it can't be read: {told}" in shown.out
    asked = dead("show", lost, "--payload", payload_keys=KEY)
    assert asked.code == 1
    assert f"error: its payload can't be shown: {told}" in asked.err
    exported = dead("export", "-", payload_keys=KEY)
    assert exported.code == 1
    assert [line["request_id"] for line in lines_of(exported.out)] == [known]
    assert f"{lost} is not among them: {told}" in exported.err


def test_an_export_is_lines_of_json_with_triggers_that_a_worker_can_read(
    dead: Cli, database_url: str, tmp_path: Path
) -> None:
    first = put_letter(database_url, payload=b'{"request_id":1.10,\n"to":"x"}')
    second = put_letter(database_url, state="expired", reason="budget-spent")
    done = dead("export", "letters.jsonl")
    file = tmp_path / "letters.jsonl"
    assert (done.code, done.out) == (0, "")
    assert done.err == "2 dead letters written to letters.jsonl; it holds personal data\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = file.read_text(encoding="utf-8")
    lines = lines_of(text)
    assert [line["request_id"] for line in lines] == [str(first), str(second)]
    assert list(lines[1]) == ["request_id", "campaign", "state", "reason", "completed_at", "attempts", "trigger"]
    assert (lines[1]["state"], lines[1]["reason"], lines[1]["attempts"]) == ("expired", "budget-spent", 1)
    assert decode_trigger(msgspec.json.encode(lines[1]["trigger"])).request_id == second
    assert '"trigger":{"request_id":1.10, "to":"x"}' in text
    again = dead("export", "letters.jsonl")
    assert again.code == 2
    assert "letters.jsonl exists: nothing is overwritten" in again.err
    assert file.read_text(encoding="utf-8") == text
    to_pipe = dead("export", "-", str(second))
    assert lines_of(to_pipe.out) == lines[1:]
    assert "standard output; it holds personal data" in to_pipe.err


def test_an_export_that_is_cut_off_leaves_no_half_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "letters.jsonl"

    def cut_off() -> None:
        with opened(file) as lines:
            lines.write(b"{}\n")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cut_off()
    assert not file.exists()


def test_an_export_of_what_nobody_can_read_leaves_no_file(dead: Cli, database_url: str, tmp_path: Path) -> None:
    sealed(database_url, LOST)
    done = dead("export", "letters.jsonl", payload_keys=KEY)
    assert done.code == 1
    assert not (tmp_path / "letters.jsonl").exists()
