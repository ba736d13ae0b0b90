"""Every kind of fault, as a caller sees it and as the journal has it."""

import errno
import json
import socket
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from uuid import uuid4

import httpx2
import pytest
from ajo_simulator.cosmos import USUAL
from ajo_simulator.faults import KINDS

from tests.integration.simulator.calls import HIGH_THROUGHPUT, PATIENCE, SHORT, TOKEN, UNITARY, Api, entries, payload
from tests.support.waiting import wait_until


@dataclass
class Case:
    """A fault, the status or exception that a caller gets, and what the journal says."""

    rule: str
    seen: int | type[Exception]
    status: int | None
    accepted: bool

    @property
    def kind(self) -> str:
        return self.rule.partition('"')[2].partition('"')[0]


CASES = [
    Case('kind = "status"', 503, 503, False),
    Case('kind = "status"\nstatus = 404', 404, 404, False),
    Case('kind = "status"\nstatus = 204', 204, 204, False),
    Case('kind = "status"\nstatus = 504\nshape = "gateway"\naccept = true', 504, 504, True),
    Case('kind = "rate-limit"', 429, 429, False),
    Case('kind = "token-expired"', 401, 401, False),
    Case('kind = "cosmos"', 500, 500, False),
    Case('kind = "outage"', 500, 500, False),
    Case('kind = "redirect"', 307, 307, False),
    Case('kind = "redirect"\nstatus = 301', 301, 301, False),
    Case('kind = "hang"', httpx2.ReadTimeout, None, False),
    Case('kind = "hang"\naccept = true', httpx2.ReadTimeout, None, True),
    Case('kind = "vanish"', httpx2.ReadTimeout, None, False),
    Case('kind = "vanish"\naccept = true', httpx2.ReadTimeout, None, True),
    Case('kind = "odd-answer"\nstatus = 200', 200, 200, True),
    Case('kind = "odd-answer"\nrequest_id = "none"\naccept = false', 202, 202, False),
    Case('kind = "stray"', 202, 202, True),
    Case('kind = "cosmos"\nstatus = 403\ncode = "any"', 403, 403, False),
    Case('kind = "reset-before"', httpx2.ReadError, None, False),
    Case('kind = "reset-after"', httpx2.ReadError, None, True),
    Case('kind = "slow"\nseconds = 0.1', 202, 202, True),
    Case('kind = "slow-body"\nseconds = 0.1', 202, 202, True),
    Case('kind = "stalled-body"', httpx2.ReadTimeout, 202, True),
    Case('kind = "cut-response"', httpx2.RemoteProtocolError, 202, True),
    Case('kind = "huge-body"\nbytes = 3_000_001', 202, 202, True),
    Case('kind = "invalid-json"', 202, 202, True),
]
ELSEWHERE = {"reset-unread", "refuse"}
"""Kinds of a connection, not of a call: they are tried below, and in test_door.py."""


def test_no_kind_is_left_out() -> None:
    assert {case.kind for case in CASES} | ELSEWHERE == set(KINDS)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule.replace("\n", " ").replace('"', ""))
def test_a_fault_is_seen_by_the_caller_and_told_by_the_journal(api: Api, case: Case) -> None:
    api.play(f'[[fault]]\n{case.rule}\ncampaign = "hit"\n')
    request_id = str(uuid4())
    if isinstance(case.seen, int):
        assert api.call(request_id, "hit").status_code == case.seen
    else:
        with pytest.raises(case.seen):
            api.call(request_id, "hit", timeout=SHORT)
    entry = api.entry(request_id)
    assert (entry["fault"], entry["status"], entry["accepted"]) == (case.kind, case.status, case.accepted)
    assert (entry["execution_id"] is not None) == case.accepted
    assert (entry["answered_after"] is not None) == (case.status is not None)

    assert api.call(campaign="spared").status_code == 202


def test_a_fault_spares_the_attempts_after_its_own(api: Api) -> None:
    api.play('[[fault]]\nkind = "status"\nattempts = 2\n')
    request_id = str(uuid4())
    assert [api.call(request_id).status_code for _ in range(4)] == [503, 503, 202, 202]
    assert [entry["attempt"] for entry in api.entries(request_id)] == [1, 2, 3, 4]


def test_an_answer_without_a_fault_of_its_own_can_be_invalid_too(api: Api) -> None:
    api.play('[[fault]]\nkind = "outage"\n')
    assert api.call(body={"requestId": "only"}).status_code == 400, "a wrong call is refused before any scripted error"


def test_the_texts_of_the_cosmos_outage_reach_the_caller(api: Api) -> None:
    api.play('[[fault]]\nkind = "cosmos"\n')
    assert {api.call().json()["title"] for _ in range(20)} == set(USUAL)
    api.play('[[fault]]\nkind = "outage"\n')
    assert api.call().content == b""


@pytest.mark.parametrize(("rule", "header"), [("2", "2"), ("0.5", "0.5"), ("31_536_000", "31536000"), ('"x y"', "x y")])
@pytest.mark.parametrize("kind", ["rate-limit", "status"])
def test_retry_after_is_sent_as_scripted(api: Api, kind: str, rule: str, header: str) -> None:
    api.play(f'[[fault]]\nkind = "{kind}"\nretry_after = {rule}\n')
    assert api.call().headers["retry-after"] == header


def test_retry_after_can_be_a_date_and_is_absent_where_none_was_scripted(api: Api) -> None:
    api.play('[[fault]]\nkind = "rate-limit"\nretry_after = 60\nretry_after_form = "date"\n')
    answer = api.call()
    ahead = parsedate_to_datetime(answer.headers["retry-after"]) - parsedate_to_datetime(answer.headers["date"])
    assert 55 < ahead.total_seconds() < 65
    api.play('[[fault]]\nkind = "rate-limit"\n')
    assert "retry-after" not in api.call().headers


def test_calls_beyond_the_limit_of_a_second_get_429_and_are_not_accepted(api: Api) -> None:
    api.play("[limits]\ncalls_per_second = 1\nretry_after = 1\n")
    request_id = str(uuid4())
    answers = [api.call(request_id) for _ in range(20)]
    statuses = [answer.status_code for answer in answers]
    assert statuses[0] == 202
    assert set(statuses) == {202, 429}
    assert {answer.headers["retry-after"] for answer in answers if answer.status_code == 429} == {"1"}
    assert sum(entry["accepted"] for entry in api.entries(request_id)) == statuses.count(202)


def test_a_caller_that_follows_a_redirect_is_found_in_the_journal(api: Api) -> None:
    api.play('[[fault]]\nkind = "redirect"\n')
    answer = api.client.post(f"{api.url}{UNITARY}", json=payload("r"), headers=api.headers, follow_redirects=True)
    assert answer.status_code == 404
    assert entries(api.journal)[-1]["path"] == "/redirected"


def test_a_slow_call_is_answered_after_a_later_one(api: Api) -> None:
    api.play('[[fault]]\nkind = "slow"\ncampaign = "slow"\nseconds = 2\n')
    slow, fast = str(uuid4()), str(uuid4())
    thread = threading.Thread(target=api.call, args=(slow, "slow"))
    thread.start()
    api.call(fast)
    thread.join()
    done = [entry["request_id"] for entry in entries(api.journal)]
    assert done.index(fast) < done.index(slow)


def test_a_huge_body_has_the_bytes_that_were_scripted_and_is_no_json(api: Api) -> None:
    api.play('[[fault]]\nkind = "huge-body"\nbytes = 3_000_001\n')
    answer = api.call()
    assert len(answer.content) == 3_000_001
    with pytest.raises(json.JSONDecodeError):
        answer.json()


@pytest.mark.parametrize("kind", ["cut-response", "stalled-body"])
def test_half_of_the_body_comes_before_it_breaks(api: Api, kind: str) -> None:
    api.play(f'[[fault]]\nkind = "{kind}"\n')
    got = b""
    with (
        suppress(httpx2.RemoteProtocolError, httpx2.ReadTimeout),
        api.client.stream(
            "POST", f"{api.url}{UNITARY}", json=payload("r"), headers=api.headers, timeout=SHORT
        ) as answer,
    ):
        assert answer.status_code == 202
        for part in answer.iter_raw():
            got += part
    assert len(got) == int(answer.headers["content-length"]) // 2


def test_a_slow_body_and_an_invalid_one_are_whole_or_not(api: Api) -> None:
    api.play('[[fault]]\nkind = "slow-body"\nseconds = 0.2\n')
    assert api.call("r").json()["requestId"] == "r"
    api.play('[[fault]]\nkind = "invalid-json"\n')
    with pytest.raises(json.JSONDecodeError):
        api.call().json()


def test_a_call_reset_unread_is_in_the_journal_without_its_id(api: Api) -> None:
    api.play('[[fault]]\nkind = "reset-unread"\n')
    before = len(entries(api.journal))
    with pytest.raises(httpx2.TransportError):
        api.call(body={**payload("r"), "filler": "x" * 4_000_000})
    [entry] = entries(api.journal)[before:]
    assert (entry["fault"], entry["request_id"], entry["accepted"]) == ("reset-unread", None, False)


def test_faults_hit_a_share_of_the_ids_and_the_journal_counts_the_rest_as_accepted(api: Api) -> None:
    api.play('seed = 3\n[[fault]]\nkind = "status"\nshare = 0.3\n[[fault]]\nkind = "rate-limit"\nshare = 0.3\n')
    statuses = {(one := str(uuid4())): api.call(one).status_code for _ in range(200)}
    assert set(statuses.values()) == {202, 429, 503}
    accepted = {entry["request_id"] for entry in entries(api.journal) if entry["accepted"]}
    assert accepted & set(statuses) == {one for one, status in statuses.items() if status == 202}


def test_a_caller_that_gives_up_on_a_slow_call_has_it_accepted_all_the_same(api: Api) -> None:
    api.play('[[fault]]\nkind = "slow"\nseconds = 2\n')
    request_id = str(uuid4())
    with pytest.raises(httpx2.ReadTimeout):
        api.call(request_id, timeout=SHORT)
    wait_until(lambda: api.entries(request_id), what="the abandoned call in the journal")
    assert api.entry(request_id)["accepted"]


def test_an_answer_can_have_the_request_id_of_a_call_before_one_that_nobody_knows_or_none(api: Api) -> None:
    api.call("before")
    for which, seen in (("ours", "r-ours"), ("another", "before"), ("none", None)):
        api.play(f'[[fault]]\nkind = "odd-answer"\nrequest_id = "{which}"\ncampaign = "odd"\n')
        api.call("before")
        assert api.call(f"r-{which}", "odd").json().get("requestId") == seen
    api.play('[[fault]]\nkind = "odd-answer"\nrequest_id = "unknown"\nexecution_id = "none"\n')
    answer = api.call("r-unknown").json()
    assert answer["requestId"] not in {"before", "r-unknown"}
    assert "executionId" not in answer


@pytest.mark.parametrize(("rule", "status", "same"), [("", 202, True), ("status = 408", 408, False)])
def test_a_stray_answer_follows_the_true_one_on_the_same_connection(
    api: Api, rule: str, status: int, same: bool
) -> None:
    api.play(f'[[fault]]\nkind = "stray"\n{rule}\n')
    with socket.create_connection(api.address, timeout=PATIENCE) as connection:
        connection.sendall(api.raw(payload("r-stray")))
        got = b""
        while got.count(b"HTTP/1.1 ") < 2 or (same and got.count(b"r-stray") < 2):
            got += connection.recv(65_536)
    assert b"HTTP/1.1 202 Accepted" in got
    assert f"HTTP/1.1 {status} Stray".encode() in got


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux drops the packets of a socket")
def test_a_machine_that_vanished_answers_no_packet_any_more(api: Api) -> None:
    api.play('[[fault]]\nkind = "vanish"\n')
    with socket.create_connection(api.address, timeout=PATIENCE) as connection:
        connection.sendall(api.raw(payload("r-gone")))
        wait_until(lambda: api.entries("r-gone"), what="the call in the journal")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 500)
        connection.sendall(b"x")  # a living one would acknowledge it, or reset the connection
        with pytest.raises(TimeoutError) as caught:
            connection.recv(1)
    assert caught.value.errno == errno.ETIMEDOUT


def test_what_was_accepted_before_is_refused_as_a_duplicate_where_the_scenario_says_so(api: Api) -> None:
    again = '[repeated]\nstatus = 400\ntitle = "Duplicate"\n'
    api.play(again + '[[fault]]\nkind = "status"\naccept = true\nattempts = 1\n')
    request_id = str(uuid4())
    answers = [api.call(request_id) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 400, 400]
    assert answers[1].json()["title"] == "Duplicate"
    api.play("")
    assert api.call(request_id).status_code == 202


def test_a_rule_for_a_lane_and_one_for_users_spare_the_others(api: Api) -> None:
    api.play(
        '[[fault]]\nkind = "outage"\nlane = "high-throughput"\n'
        '[[fault]]\nkind = "status"\nstatus = 404\nuser_id = "unknown"\n'
    )
    body = payload("r-who")
    assert api.call(body=body).status_code == 202
    body["recipients"][0]["userId"] = "unknown-1"
    assert api.call(body=body).status_code == 404
    assert api.call(body=payload("r-lane", "external"), path=HIGH_THROUGHPUT).status_code == 500


def test_the_token_endpoint_hangs_resets_and_floods_while_calls_are_answered(api: Api) -> None:
    api.play('[token]\nsilence = "hang"\n')
    with pytest.raises(httpx2.ReadTimeout):
        api.token(timeout=SHORT)
    api.play('[token]\nsilence = "reset"\n')
    with pytest.raises(httpx2.ReadError):
        api.token()
    api.play("[token]\nbytes = 3_000_001\n")
    assert len(api.token().content) == 3_000_001
    assert api.call().status_code == 202
    told = [(entry["status"], entry["fault"]) for entry in entries(api.journal) if entry["path"] == TOKEN]
    assert told[-3:] == [(None, "hang"), (None, "reset-before"), (200, "huge-body")]
