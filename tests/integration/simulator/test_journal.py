"""The journal's file: an acceptance is in it as soon as it is decided, whatever becomes of call and simulator."""

import json
import socket
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest

from tests.integration.simulator.calls import FORM, PATIENCE, SHORT, TOKEN, UNITARY, Api, entries, payload
from tests.support import conservation
from tests.support.programs import Simulator
from tests.support.waiting import wait_until

FULL = Path("/dev/full")


def test_an_acceptance_that_a_caller_knows_of_outlives_kill_9(
    own_api: Callable[..., tuple[Simulator, Api]],
) -> None:
    running, api = own_api()
    ids = [str(uuid4()) for _ in range(50)]
    for one in ids:
        assert api.call(one).status_code == 202
    running.child.kill()
    assert conservation.accepted(running.journal) == dict.fromkeys(ids, 1)


def test_an_acceptance_is_in_the_file_before_the_answer_is_complete(api: Api) -> None:
    api.play('[[fault]]\nkind = "slow-body"\nseconds = 2\n')
    request_id = str(uuid4())
    with api.client.stream("POST", f"{api.url}{UNITARY}", json=payload(request_id), headers=api.headers) as answer:
        assert answer.status_code == 202
        assert api.entry(request_id)["accepted"]
        assert json.loads(answer.read())["requestId"] == request_id
    assert api.entry(request_id)["status"] == 202, "one line a call"


def test_an_acceptance_that_then_hangs_is_in_the_file_while_it_hangs(api: Api) -> None:
    api.play('[[fault]]\nkind = "hang"\naccept = true\n')
    request_id = str(uuid4())
    with socket.create_connection(api.address, PATIENCE) as connection:
        connection.sendall(api.raw(payload(request_id)))
        wait_until(lambda: api.entries(request_id), what="the call in the journal")
        assert api.entry(request_id)["accepted"]
    assert len(api.entries(request_id)) == 1


def test_a_call_whose_body_never_came_whole_is_in_the_journal_without_an_id(api: Api) -> None:
    before = len(entries(api.journal))
    with socket.create_connection(api.address, PATIENCE) as connection:
        connection.sendall(api.raw(payload("half"))[:-10])
    wait_until(lambda: len(entries(api.journal)) > before, what="the call in the journal")
    [entry] = entries(api.journal)[before:]
    assert (entry["request_id"], entry["status"], entry["accepted"]) == (None, None, False)


def test_other_calls_have_no_request_id_so_that_readers_of_executions_pass_them_over(api: Api) -> None:
    before = len(entries(api.journal))
    api.token()
    api.get("/ajo/im/health")
    api.get("/journey/campaigns/service/campaigns/c-1")
    added = entries(api.journal)[before:]
    assert [entry["path"].split("/")[1] for entry in added] == ["ims", "ajo", "journey"]
    assert {entry["request_id"] for entry in added} == {None}
    assert {entry["status"] for entry in added} == {200}


def test_the_journal_has_neither_addresses_nor_tokens_nor_secrets(api: Api) -> None:
    api.call()
    text = api.journal.read_text(encoding="utf-8")
    token = api.headers["Authorization"].removeprefix("Bearer ")
    for secret in ("@example.com", token, FORM["client_secret"] + '"'):
        assert secret not in text


def test_a_journal_that_ends_in_half_a_line_is_continued_on_a_new_one(
    own_api: Callable[..., tuple[Simulator, Api]], simulator: Callable[..., Simulator]
) -> None:
    running, api = own_api()
    first, second = str(uuid4()), str(uuid4())
    api.call(first)
    running.child.kill()
    with running.journal.open("ab") as file:
        file.write(b'{"arrived_at": "2026-')
    again = simulator(None, "--journal", str(running.journal))
    Api.at(again.url, running.journal, api.client).call(second)
    assert set(conservation.accepted(running.journal)) == {first, second}


@pytest.mark.skipif(not FULL.exists(), reason="only Linux has a device that is always full")
def test_a_call_that_cannot_be_written_down_is_answered_with_the_reason(simulator: Callable[..., Simulator]) -> None:
    running = simulator(None, "--journal", str(FULL))
    answer = httpx2.post(f"{running.url}{TOKEN}", data=FORM)
    assert answer.status_code == 500
    assert answer.json()["title"] == "the journal can't be written: No space left on device"
    assert httpx2.get(f"{running.url}/_simulator/journal").text == ""
    assert running.child.stop() == 0
    assert "Traceback" not in running.child.output()


def test_the_token_endpoint_is_as_slow_as_scripted_and_in_the_journal(api: Api) -> None:
    api.play("[token]\nlatency = 60\n")
    with pytest.raises(httpx2.ReadTimeout):
        api.client.post(f"{api.url}{TOKEN}", data=FORM, timeout=SHORT)
