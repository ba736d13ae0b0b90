"""``AJO_BEFORE_START=wait``: what comes before its campaign's start waits for it, whichever way it was published."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from ajo_producers import Campaigns, InvalidTrigger, Publisher

from tests.support.conservation import journal, write_definition
from tests.support.database import query
from tests.support.delivery import Delivery
from tests.support.waiting import wait_until

ENDED = "select round, received_at, first_dispatched_at from ledger.triggers where state = 'accepted'"


def test_what_sdk_and_command_line_publish_before_the_start_is_sent_after_it(
    valkey_url: str,
    database_url: str,
    prepare_delivery: Callable[..., Delivery],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    delivery = prepare_delivery(valkey_url, "[latency]\nseconds = 0.01\n", AJO_BEFORE_START="wait")
    start = datetime.now(UTC) + timedelta(seconds=12)
    write_definition(delivery.campaigns, facts=f"start = {start:%Y-%m-%dT%H:%M:%SZ}")
    for name, value in delivery.env.items():
        monkeypatch.setenv(name, value)
    campaign = Campaigns.load(delivery.campaigns)["order-shipped"]
    with Publisher.from_env() as publisher:
        publisher.publish(campaign.trigger(to="ada@example.com", context={"orderId": "A-1"}))
    given = ("--to", "ada@example.com", "--context", "orderId=A-2")
    done = delivery.run_cli("trigger", "order-shipped", *given, env=delivery.env)
    assert done.code == 0, done.err
    delivery.start_worker()
    rows = wait_until(
        lambda: len(found := query(database_url, ENDED)) == 2 and found, what="both are accepted, after the start"
    )
    begin = start.replace(microsecond=0)
    assert all(row["first_dispatched_at"] >= begin for row in rows)
    assert [row["round"] for row in rows] == [2 if row["received_at"] < begin else 1 for row in rows], "it was parked"
    assert len(journal(delivery.api.journal)) == 2


def test_without_it_both_are_refused_before_anything_is_published(
    prepare_delivery: Callable[..., Delivery], valkey_url: str
) -> None:
    delivery = prepare_delivery(valkey_url, "")
    write_definition(delivery.campaigns, facts="start = 2999-01-01T00:00:00Z")
    given = ("--to", "ada@example.com", "--context", "orderId=A-2")
    done = delivery.run_cli("trigger", "order-shipped", *given, env=delivery.env)
    assert done.code == 1
    assert "2999-01-01" in done.err
    with pytest.raises(InvalidTrigger, match="2999-01-01"):
        Campaigns.load(delivery.campaigns)["order-shipped"].trigger(to="ada@example.com", context={"orderId": "A-1"})
