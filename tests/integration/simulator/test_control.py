"""The simulator's own endpoints: another scenario while it runs, what it remembers, and forgetting."""

import json
from collections.abc import Callable
from uuid import uuid4

import pytest

from tests.integration.simulator.calls import UNITARY, Api
from tests.support.programs import Simulator
from tests.support.waiting import wait_until


def test_another_scenario_begins_at_once_and_at_its_second_nought(api: Api) -> None:
    assert api.call().status_code == 202
    api.play('[[fault]]\nkind = "outage"\nuntil = 3600\n')
    assert api.call().status_code == 500
    later = '[[fault]]\nkind = "outage"\nfrom = 2\n'
    api.play(later)
    wait_until(lambda: api.call().status_code == 500, what="the outage")
    api.play(later)
    assert api.call().status_code == 202


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"[[fault]]\nkind = 'no'", b"scenario: Invalid value 'no' - at `fault[0].kind`"),
        (b"a =", b"scenario: not TOML"),
        (b"\xff", b"scenario: not TOML: not in UTF-8"),
    ],
)
def test_a_bad_scenario_is_refused_with_its_fault_and_changes_nothing(api: Api, text: bytes, told: bytes) -> None:
    api.play('[[fault]]\nkind = "outage"\n')
    answer = api.client.post(f"{api.url}/_simulator/scenario", content=text)
    assert answer.status_code == 400
    assert told in answer.content
    assert api.call().status_code == 500


def test_tokens_and_counts_of_attempts_outlive_a_change_of_scenario(api: Api) -> None:
    request_id = str(uuid4())
    api.call(request_id)
    api.play('[[fault]]\nkind = "outage"\nattempts = 1\n')
    assert api.call(request_id).status_code == 202, "its second attempt"


def test_the_summary_counts_executions_and_the_journal_has_their_entries(
    own_api: Callable[..., tuple[Simulator, Api]],
) -> None:
    _, api = own_api('[[fault]]\nkind = "reset-after"\ncampaign = "reset"\n')
    twice = str(uuid4())
    api.call(twice)
    api.call(twice)
    api.call(body={"requestId": "only"})
    with pytest.raises(Exception, match="reset"):
        api.call("r", "reset")
    assert api.get("/_simulator/summary").json() == {
        "calls": 4,
        "accepted": 2,
        "accepted_more_than_once": 1,
        "tokens": 1,
        "statuses": {"202": 2, "400": 1, "None": 1},
        "faults": {"reset-after": 1},
        "paths": {"/ims/token/v3": 1, UNITARY: 4},
        "feedback": dict.fromkeys(("scripted", "forgotten", "waiting", "posted", "failed", "dropped"), 0)
        | {"last_error": None},
    }
    lines = api.get("/_simulator/journal").text
    assert lines == api.journal.read_text(encoding="utf-8")
    assert [json.loads(line)["request_id"] for line in lines.splitlines()] == [None, twice, twice, None, "r"]


def test_after_a_reset_the_simulator_knows_nothing_but_its_file_does(
    own_api: Callable[..., tuple[Simulator, Api]],
) -> None:
    _, api = own_api('[[fault]]\nkind = "outage"\nattempts = 1\n')
    request_id = str(uuid4())
    assert [api.call(request_id).status_code for _ in range(2)] == [500, 202]
    assert api.client.post(f"{api.url}/_simulator/reset").status_code == 204
    assert api.get("/_simulator/summary").json()["calls"] == 0
    assert api.get("/_simulator/journal").text == ""
    assert api.call(request_id).status_code == 500, "its first attempt again"
    assert len(api.entries(request_id)) == 3


def test_an_unknown_control_is_not_found(api: Api) -> None:
    assert api.get("/_simulator/nothing").status_code == 404
    assert api.get("/_simulator/reset").status_code == 404
