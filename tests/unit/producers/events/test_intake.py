"""The intake over HTTP: nothing is answered with 202 that the broker has not confirmed, and every refusal says why."""

import asyncio
import base64
import hmac
import json
import time
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from ajo_producers.entrance.body import MOST_OPEN
from ajo_producers.events.cloudevents import BATCHED, STRUCTURED
from ajo_producers.events.dead_letters import DeadLetterFile
from ajo_producers.events.intake import Intake
from ajo_producers.events.lines import read_lines
from ajo_producers.events.openapi import document
from ajo_producers.events.settings import Admitted
from ajo_producers.events.translation import translate
from ajo_producers.publishing.checked import CheckedTrigger
from ajo_producers.publishing.errors import PublishError
from jsonschema import Draft202012Validator

from tests.unit.producers.events.mapped import DEFINITIONS, NOW, SHIPPED, event_json, mappings_of

TOKEN = "t" * 32
KEY = b"k" * 24
AUTH = {"authorization": f"Bearer {TOKEN}"}
GOOD = {**AUTH, "content-type": STRUCTURED}
BATCH = {**AUTH, "content-type": BATCHED}


class Broker:
    """A publisher whose broker confirms all but what is ``away``."""

    def __init__(self) -> None:
        self.published: list[CheckedTrigger] = []
        self.waiting = 0
        self.away: set[str] = set()
        self.all_away = False

    async def publish(self, trigger: CheckedTrigger) -> None:
        if self.all_away or trigger.trigger.recipients[0].user_id in self.away:
            raise PublishError("not confirmed by the broker", unconfirmed=[trigger.request_id])
        self.published.append(trigger)

    async def close(self) -> None:
        """Nothing to close."""


class Post:
    """An intake, and what is posted to it."""

    def __init__(self, broker: Broker, dead_letters: DeadLetterFile | None = None, most_pending: int = 100) -> None:
        mappings = mappings_of(SHIPPED)
        self.broker = broker
        self.intake = Intake(
            lambda event: translate(event, mappings, DEFINITIONS, NOW),
            broker,
            lambda: Admitted((TOKEN,), (KEY,)),
            lambda: not broker.all_away,
            dead_letters,
            pending=most_pending,
            most_bytes=100_000,
            body_seconds=60,
        )
        self.app = self.intake.application()

    async def __call__(
        self, value: object, headers: dict[str, str] = GOOD, *, method: str = "POST", path: str = "/events"
    ) -> httpx2.Response:
        content = value if isinstance(value, bytes | AsyncGenerator) else json.dumps(value).encode()
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=self.app), base_url="http://intake") as client:
            return await client.request(method, path, content=content, headers=headers)


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def post(broker: Broker) -> Post:
    return Post(broker)


async def test_an_event_is_taken_once_the_broker_has_its_trigger(post: Post) -> None:
    answer = await post(event_json())
    [trigger] = post.broker.published
    told = {"mapping": "order-shipped", "campaign": "order-shipped", "request_id": str(trigger.request_id)}
    assert (answer.status_code, answer.json()) == (
        202,
        {"events": [{"id": "A-1", "status": "taken", "triggers": [told]}]},
    )


async def test_the_trace_of_the_request_is_that_of_an_event_without_one(post: Post) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    await post(event_json(), {**GOOD, "traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
    assert post.broker.published[0].trigger.trace_id == trace


async def test_a_bad_event_of_a_batch_costs_no_other_and_is_told_by_path(post: Post) -> None:
    bad = event_json(data={"status": "shipped", "orderId": "A-2"}, id="A-2")
    answer = await post([event_json(), bad, 7, event_json(id="A-3"), event_json(type="x")], BATCH)
    assert answer.status_code == 400
    assert answer.json()["error"] == "3 of 5 events can't be taken; the rest was taken"
    told = answer.json()["events"]
    assert [one["status"] for one in told] == ["taken", "refused", "refused", "taken", "unmatched"]
    assert [fault["path"] for fault in told[1]["faults"]] == ["data.customer.email", "data.customer.firstName"]
    assert len(post.broker.published) == 2


async def test_what_the_broker_does_not_confirm_is_answered_503_and_said_which(post: Post) -> None:
    bob = {"status": "shipped", "orderId": "A-2", "customer": {"email": "bob@example.com", "firstName": "Bob"}}
    post.broker.away = {"bob@example.com"}
    answer = await post([event_json(), event_json(bob, id="A-2")], BATCH)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    confirmed = [one["triggers"][0]["confirmed"] for one in answer.json()["events"]]
    assert confirmed == [True, False]
    post.broker.away = set()
    assert (await post([event_json(), event_json(bob, id="A-2")], BATCH)).status_code == 202
    ids = [one.request_id for one in post.broker.published]
    assert (len(ids), len(set(ids))) == (3, 2), "a repetition has the same request ids"


async def test_more_than_may_wait_is_answered_429_and_not_published(broker: Broker) -> None:
    post = Post(broker, most_pending=1)
    broker.waiting = 1
    answer = await post(event_json())
    assert (answer.status_code, answer.headers["retry-after"], broker.published) == (429, "1", [])
    broker.waiting = 0
    assert (await post([event_json(), event_json(id="2")], BATCH)).status_code == 202, "a batch alone always goes"
    post.intake._open = MOST_OPEN
    assert (await post(event_json())).status_code == 429


async def test_where_too_much_is_open_the_body_of_an_unknown_sender_that_has_not_come_gives_way(broker: Broker) -> None:
    """Whose a signed request is, only its whole body shows: anybody may begin as many as there may be."""
    post = Post(broker)
    post.intake._open = MOST_OPEN - 1

    async def half() -> AsyncGenerator[bytes, None]:
        yield b"{"
        await asyncio.Event().wait()

    slow = asyncio.create_task(post(half(), {"content-type": STRUCTURED, "webhook-signature": "v1,"}))
    while not post.intake._strangers:
        await asyncio.sleep(0)
    assert (await post(event_json())).status_code == 202
    assert (await slow).status_code == 408
    assert (await post(event_json())).status_code == 202
    assert not post.intake._strangers


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"{", GOOD, 400),
        (b"\xff", GOOD, 400),
        (b"[" * 50_000, GOOD, 400),
        (b'{"a":' * 10_000, GOOD, 400),
        (b"", GOOD, 400),
        (b"{}", GOOD, 400),
        (b"7", GOOD, 400),
        (b"{}", BATCH, 400),
        (json.dumps([1] * 1001).encode(), BATCH, 400),
        (b" " * 100_001, GOOD, 413),
        (b"{}", {**AUTH, "content-type": "application/x-www-form-urlencoded"}, 415),
        (b"{}", AUTH, 415),
        (b"{}", {**GOOD, "content-encoding": "gzip"}, 415),
        (b"{}", {"content-type": STRUCTURED}, 401),
        (b" " * 100_001, {"content-type": STRUCTURED}, 401),
        (b"{}", {**GOOD, "authorization": "Bearer wrong"}, 401),
    ],
)
async def test_what_is_no_good_request_is_refused(
    post: Post, content: bytes, headers: dict[str, str], status: int
) -> None:
    answer = await post(content, headers)
    assert (answer.status_code, post.broker.published) == (status, [])
    assert "error" in answer.json()


async def test_nobody_is_sent_elsewhere_with_a_token(post: Post) -> None:
    answer = await post(event_json(), path="/events/")
    assert (answer.status_code, answer.headers.get("location")) == (404, None)


async def test_an_empty_batch_is_taken(post: Post) -> None:
    answer = await post([], BATCH)
    assert (answer.status_code, answer.json()) == (202, {"events": []})


def signed(body: bytes, at: float) -> dict[str, str]:
    stamp = str(int(at))
    mac = base64.b64encode(hmac.digest(KEY, f"m-1.{stamp}.".encode() + body, "sha256")).decode()
    return {"webhook-id": "m-1", "webhook-timestamp": stamp, "webhook-signature": f"v1,{mac}"}


async def test_a_signed_event_is_taken_and_its_replay_is_the_same_request_or_refused(post: Post) -> None:
    body = json.dumps(event_json()).encode()
    headers = {"content-type": STRUCTURED, **signed(body, time.time())}
    assert [(await post(body, headers)).status_code for _ in range(2)] == [202, 202]
    assert len({one.request_id for one in post.broker.published}) == 1
    assert (await post(body + b" ", headers)).status_code == 401
    old = {"content-type": STRUCTURED, **signed(body, time.time() - 400)}
    assert (await post(body, old)).status_code == 401


@pytest.mark.parametrize("prefix", ["ce-", "cloudevents_"])
async def test_attributes_that_no_signature_covers_are_refused(post: Post, prefix: str) -> None:
    body = json.dumps(event_json()["data"]).encode()
    attributes = {f"{prefix}{name}": value for name, value in event_json().items() if name != "data"}
    headers = {"content-type": "application/json", **attributes}
    refused = await post(body, {**headers, **signed(body, time.time())})
    assert (refused.status_code, post.broker.published) == (400, [])
    assert (await post(body, {**headers, **AUTH})).status_code == 202


async def test_what_is_refused_is_kept_as_it_came_and_can_be_read_again(broker: Broker, tmp_path: Path) -> None:
    file = tmp_path / "dead.jsonl"
    post = Post(broker, DeadLetterFile(file))
    bad = event_json(data={"status": "shipped"}, id="A-2")
    await post([event_json(), bad, {"specversion": "1.0"}], BATCH)
    letters = [json.loads(line) for line in file.read_text().splitlines()]
    assert letters[0]["event"] == bad
    assert [fault["path"] for fault in letters[0]["dead_letter"]["faults"]][-1] == "data.orderId"
    assert datetime.fromisoformat(letters[0]["dead_letter"]["at"]).tzinfo == UTC
    assert letters[1]["event"] == {"specversion": "1.0", "data": None}
    assert file.stat().st_mode & 0o077 == 0, "personal data is its owner's alone"
    with file.open("rb") as stream:
        assert [type(one).__name__ for _, one in read_lines(stream)] == ["Event", "BadEvent"]


async def test_health_is_that_of_the_broker(post: Post) -> None:
    assert (await post(b"", {}, method="GET", path="/healthz")).status_code == 200
    post.broker.all_away = True
    assert (await post(b"", {}, method="GET", path="/healthz")).status_code == 503


async def test_the_description_has_every_answer_that_is_given(post: Post) -> None:
    described: dict[str, Any] = (await post(b"", {}, method="GET", path="/openapi.json")).json()
    assert described == document()
    statuses = set(described["paths"]["/events"]["post"]["responses"])
    assert statuses == {"202", "400", "401", "408", "413", "415", "429", "503"}
    page = await post(b"", {}, method="GET", path="/")
    assert "curl" in page.text
    assert "src=" not in page.text, "it loads nothing from elsewhere"


async def test_the_description_tells_events_and_answers_as_they_are(post: Post) -> None:
    schemas = document()["components"]["schemas"]
    described = {"$defs": schemas, "components": {"schemas": schemas}}

    def fits(name: str, value: object) -> bool:
        return Draft202012Validator({**described, "$ref": f"#/components/schemas/{name}"}).is_valid(value)

    Draft202012Validator.check_schema(described)
    assert fits("Event", event_json())
    assert not fits("Event", {name: value for name, value in event_json().items() if name != "id"})
    assert not fits("Event", event_json(specversion="0.3"))
    answers = [(await post([event_json(), event_json(type="x"), 7], BATCH)).json(), (await post(event_json())).json()]
    assert all(fits("Answer", answer) for answer in answers)
    answers[0]["events"][0]["status"] = "else"
    assert not fits("Answer", answers[0])
