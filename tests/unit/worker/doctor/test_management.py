"""Policies, as the management API of RabbitMQ shows them."""

from typing import Any

import pytest
from ajo_producers.contract.broker import read_broker
from ajo_worker.doctor.check import Check, Status, skipped
from ajo_worker.doctor.management import QueueView, consumer_timeout_of, judge_view, view_of


def view(definition: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    named = {"policy": "few"} if definition else {}
    return {"type": "quorum", "effective_policy_definition": definition or {}, **named, **more}


@pytest.mark.parametrize(
    ("seen", "status", "text"),
    [
        (view(), "ok", "none"),
        (view({"max-in-memory-length": 5}), "ok", "few: overrules nothing"),
        (view({"delivery-limit": 1_000_000}), "ok", "few: overrules nothing"),
        (view({"delivery-limit": -1}), "ok", "few: overrules nothing"),
        (view({"max-length": 5, "overflow": "reject-publish"}), "ok", "few: overrules nothing"),
        (
            view({"delivery-limit": 20}),
            "failed",
            "few: delivery-limit 20 drops a message that workers have handed back so often",
        ),
        (view({"message-ttl": 60_000}), "failed", "few: message-ttl 60000 drops messages unread"),
        (view({"max-length": 5}), "failed", "few: max-length 5 drops the oldest messages"),
        (
            view({"max-length-bytes": 5, "expires": 9}, operator_policy="all"),
            "failed",
            "few and all: expires 9 drops messages unread, max-length-bytes 5 drops the oldest messages",
        ),
        (view(type="classic"), "failed", "the queue's type is classic"),
        ({"type": "quorum"}, "skipped", "not visible yet"),
    ],
)
def test_a_policy_that_overrules_or_drops_fails(seen: dict[str, Any], status: Status, text: str) -> None:
    found = judge_view("shop.standard", QueueView(200, seen))
    assert found.status == status
    assert found.found.startswith(text)


@pytest.mark.parametrize(("status", "text"), [(401, "lacks the tag"), (403, "lacks the tag"), (404, "not there yet")])
def test_what_can_not_be_seen_is_skipped(status: int, text: str) -> None:
    found = judge_view("shop.standard", QueueView(status, {}))
    assert found.status == "skipped"
    assert text in found.found


@pytest.mark.parametrize("port", [55_536, 65_535])
async def test_policies_of_a_broker_whose_port_leaves_no_room_for_the_management_api_are_skipped(port: int) -> None:
    found = await view_of(read_broker(f"amqp://127.0.0.1:{port}//"), "shop.standard", 1.0)
    assert found == skipped("policy of shop.standard", f"not visible: no management API can be 10,000 above {port}")


def test_another_status_is_named() -> None:
    assert "status 503" in judge_view("shop.standard", QueueView(503, {})).found


@pytest.mark.parametrize(
    ("seen", "seconds"),
    [
        (QueueView(200, view({"consumer-timeout": 20_000})), 20.0),
        (QueueView(200, view({"consumer-timeout": 0})), None),
        (QueueView(200, view()), None),
        (QueueView(200, {"type": "quorum"}), None),
        (QueueView(404, {}), None),
        (skipped("policy of shop.standard", "not visible"), None),
    ],
)
def test_a_policys_consumer_timeout_is_seen(seen: QueueView | Check, seconds: float | None) -> None:
    assert consumer_timeout_of(seen) == seconds
