"""What the simulator posts to a webhook: as scripted, in order, again if it fails, and never in a call's way."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import jwt
import pytest
from ajo_simulator.feedback.reports import Reports
from ajo_simulator.feedback.rules import FeedbackRules
from ajo_simulator.feedback.timeline import reports_of
from ajo_simulator.feedback.webhook import LANES, Webhook
from ajo_simulator.latency import Latency

from tests.integration.simulator.calls import Api, payload
from tests.integration.simulator.receiver import Receiver, receiving, told
from tests.support.feedback import acceptance
from tests.support.programs import Simulator
from tests.support.waiting import wait_until

KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


@pytest.fixture
def script(api: Api, receiver: Receiver) -> Any:
    """Begins a scenario of feedback to the receiver: ``script("bounce_share = 1", "[[fault]]…")``."""
    api.client.post(f"{api.url}/_simulator/reset")

    def play(feedback: str = "", more: str = "") -> None:
        api.play(f'[feedback]\nwebhook = "{receiver.url}"\n{feedback}\n{more}')

    return play


def summary(api: Api) -> dict[str, Any]:
    counts: dict[str, Any] = api.get("/_simulator/summary").json()["feedback"]
    return counts


def test_an_accepted_call_is_told_of_with_its_ids_and_the_secret(api: Api, receiver: Receiver, script: Any) -> None:
    script('header = "x-ours"\nsecret = "hush"')
    execution = api.call("r-1", "c-7").json()["executionId"]
    sent, delivered = receiver.wait_for(2)
    assert told([sent, delivered]) == ["sent", "delivered"]
    assert (sent["requestId"], sent["imsOrg"], sent["sandbox"]["name"]) == ("r-1", "ABC@AdobeOrg", "prod")
    assert sent["messageExecution"]["messageExecutionID"] == execution
    assert sent["messageExecution"]["campaignID"] == "c-7"
    assert sent["identityMap"] == {"email": [{"id": "person@example.com", "primary": True}]}
    assert {headers["x-ours"] for _, headers, _ in receiver.calls} == {"hush"}


def test_a_signed_token_is_valid(api: Api, receiver: Receiver, script: Any) -> None:
    script(f'jwt_secret = "{KEY}"')
    api.call("r-1")
    receiver.wait_for(2)
    _, headers, _ = receiver.calls[0]
    kind, token = headers["authorization"].split()
    assert kind == "Bearer"
    assert jwt.decode(token, KEY, algorithms=["HS256"]).keys() == {"iat", "exp"}


@pytest.mark.parametrize(
    ("feedback", "expected"),
    [
        ("delay_events = 2", ["sent", "delay", "delay", "delivered"]),
        ("bounce_share = 1", ["sent", "bounce"]),
        ("duplicate_share = 1", ["sent", "sent", "delivered", "delivered"]),
        ("disorder = 1", ["delivered", "sent"]),
    ],
)
def test_events_come_as_scripted(api: Api, receiver: Receiver, script: Any, feedback: str, expected: list[str]) -> None:
    script(feedback)
    api.call("r-1")
    assert told(receiver.wait_for(len(expected))) == expected


def test_every_recipient_is_told_of(api: Api, receiver: Receiver, script: Any) -> None:
    script()
    body = payload("r-1")
    body["recipients"] = [body["recipients"][0] | {"userId": f"person{one}@example.com"} for one in range(3)]
    assert api.call(body=body).status_code == 202
    people = {one["identityMap"]["email"][0]["id"] for one in receiver.wait_for(6)}
    assert people == {f"person{one}@example.com" for one in range(3)}


def test_what_was_accepted_is_told_of_though_the_caller_never_knew_and_what_was_not_is_not(
    api: Api, receiver: Receiver, script: Any
) -> None:
    faults = '[[fault]]\nkind = "reset-after"\ncampaign = "lost"\n[[fault]]\nkind = "outage"\ncampaign = "refused"\n'
    accepting = '[[fault]]\nkind = "status"\nstatus = 504\naccept = true\ncampaign = "late"\n'
    script(more=faults + accepting)
    with pytest.raises((httpx2.ReadError, httpx2.RemoteProtocolError)):
        api.call("r-lost", "lost")
    assert api.call("r-refused", "refused").status_code == 500
    assert api.call("r-late", "late").status_code == 504
    assert {one["requestId"] for one in receiver.wait_for(4)} == {"r-lost", "r-late"}
    assert summary(api)["scripted"] == 4


def test_the_gateways_id_is_the_one_that_the_answer_had(api: Api, receiver: Receiver, script: Any) -> None:
    script('request_id = "gateway"')
    answer = api.call("r-1")
    assert {one["requestId"] for one in receiver.wait_for(2)} == {answer.headers["x-request-id"]}


def test_a_webhook_that_fails_is_called_again_and_order_stays(api: Api, receiver: Receiver, script: Any) -> None:
    script()
    receiver.statuses = [503, 401, 302]
    api.call("r-1")
    assert told(receiver.wait_for(2)) == ["sent", "delivered"]
    assert [status for status, _, _ in receiver.calls] == [503, 401, 302, 200, 200]
    assert receiver.followed == 0
    assert wait_until(lambda: summary(api)["waiting"] == 0 and summary(api), what="the count")["posted"] == 2


def test_after_its_time_an_event_is_given_up_and_the_next_goes_on(api: Api, receiver: Receiver, script: Any) -> None:
    script("retry_for = 0")
    receiver.statuses = [503]
    api.call("r-1")
    assert told(receiver.wait_for(1)) == ["delivered"]
    counts = wait_until(lambda: summary(api)["waiting"] == 0 and summary(api), what="the count")
    assert (counts["posted"], counts["failed"], counts["last_error"]) == (1, 1, "status 503")


def test_a_webhook_that_is_not_there_is_named_by_its_error(api: Api, script: Any) -> None:
    script()
    api.play('[feedback]\nwebhook = "http://127.0.0.1:1/"\nretry_for = 0\n')
    api.call("r-1")
    counts = wait_until(lambda: summary(api)["waiting"] == 0 and summary(api), what="the count")
    assert (counts["failed"], counts["last_error"]) == (2, "ClientConnectorError")


@pytest.mark.parametrize(("trusted", "error"), [(True, "status 404"), (False, "ClientConnectorCertificateError")])
def test_a_webhook_over_tls_has_to_have_an_authority_that_this_machine_trusts(
    simulator: Callable[..., Simulator],
    own_api: Callable[..., tuple[Simulator, Api]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    trusted: bool,
    error: str,
) -> None:
    ca = tmp_path / "ca.pem"
    secure = simulator(None, "--tls", "--ca-out", str(ca))
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(ca))
    _, api = own_api(f'[feedback]\nwebhook = "{secure.url}/feedback"\nretry_for = 0\n')
    api.call("r-1")
    counts = wait_until(lambda: summary(api)["waiting"] == 0 and summary(api), what="the count")
    assert (counts["failed"], counts["last_error"]) == (2, error)


def test_calls_are_answered_while_the_webhook_hangs_and_it_has_no_more_than_so_many_at_once(
    api: Api, receiver: Receiver, script: Any
) -> None:
    script()
    receiver.gate.clear()
    number = 10 * LANES  # so many that no lane stays without one
    assert {api.call(f"r-{one}").status_code for one in range(number)} == {202}
    wait_until(lambda: receiver.held == LANES, what="every lane under way")
    assert summary(api)["waiting"] == 2 * number
    assert receiver.held == LANES
    receiver.gate.set()
    receiver.wait_for(2 * number)


def test_after_a_reset_what_waited_is_not_posted(api: Api, receiver: Receiver, script: Any) -> None:
    script("retry_for = 3600")
    receiver.statuses = [503] * 10_000
    api.call("r-forgotten")
    wait_until(lambda: receiver.calls, what="the first call")
    api.client.post(f"{api.url}/_simulator/reset")
    receiver.statuses = []
    assert {value for value in summary(api).values() if value} == set()
    api.call("r-known")
    assert {one["requestId"] for one in receiver.wait_for(2)} == {"r-known"}


def test_what_was_scripted_stays_so_in_another_scenario(api: Api, receiver: Receiver, script: Any) -> None:
    script("departure = {seconds = 0.3}")
    api.call("r-1")
    api.play("")
    api.call("r-2")
    assert {one["requestId"] for one in receiver.wait_for(2)} == {"r-1"}
    assert summary(api)["scripted"] == 2


async def test_after_a_reset_nothing_works_on_what_waited(receiver: Receiver) -> None:
    reports = Reports()
    reports.accept(FeedbackRules(webhook=receiver.url, departure=Latency(seconds=3600)), 1, acceptance())
    assert posting()
    await reports.clear()
    assert not posting()


def posting() -> list[str]:
    """The tasks that post."""
    return [task.get_name() for task in asyncio.all_tasks() if task.get_name() == "feedback"]


async def test_what_finds_no_room_is_dropped_and_counted() -> None:
    webhook = Webhook(most_waiting=3)
    rules = FeedbackRules(webhook="http://127.0.0.1:1/", departure=Latency(seconds=3600))
    try:
        for report in reports_of(rules, 1, acceptance(recipients=2)):
            webhook.schedule(report, rules, 3600)
        assert (webhook.waiting, webhook.dropped) == (3, 1)
    finally:
        await webhook.close()
