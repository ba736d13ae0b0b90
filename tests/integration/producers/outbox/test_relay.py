"""A relay publishes what was committed: all of it, in each recipient's order, whatever happens meanwhile."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from ajo_local.processes import Processes
from ajo_producers import CheckedTrigger, Publisher, PublishError
from ajo_producers.contract.batch import decode_body, decode_trigger
from ajo_producers.contract.sealing import Sealer, key_id_of, new_key
from ajo_producers.contract.trigger import Trigger
from ajo_producers.outbox import Outbox, rounds, watch
from ajo_producers.outbox import relay as relays
from ajo_producers.outbox.database import COMMAND_SECONDS, NAME
from ajo_producers.outbox.lag import look
from ajo_producers.outbox.relay import Relay
from ajo_producers.outbox.settings import KEYS, RelaySettings

from tests.integration.producers.publishing.queues import as_bytes, take
from tests.support.database import query
from tests.support.pgbouncer import start_pgbouncer
from tests.support.proxy import Proxy
from tests.support.waiting import DEADLINE_SECONDS

Made = Callable[..., CheckedTrigger]
HOUR = 3600.0
RELAYS = "application_name = 'ajo-dispatch outbox relay' and datname = current_database()"


def settings(url: str, **changes: Any) -> RelaySettings:
    """A relay that looks once an hour unless it is told."""
    return RelaySettings(**{"url": url, "table": "ajo_outbox", "keep": 0.0, "poll": HOUR, "late": 60.0, **changes})


@asynccontextmanager
async def relaying(
    told: RelaySettings, publisher: Publisher, said: list[str] | None = None, sealer: Sealer | None = None
) -> AsyncIterator[Relay]:
    """A relay at work; it ends politely."""
    relay = Relay(told, publisher, sealer, [].append if said is None else said.append, asyncio.Event())
    running = asyncio.create_task(relay.run())
    try:
        yield relay
    finally:
        relay.stop.set()
        await asyncio.wait_for(running, DEADLINE_SECONDS)


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not is_so():
            await asyncio.sleep(0.02)


def add(url: str, triggers: Iterable[CheckedTrigger], box: Outbox | None = None) -> None:
    with psycopg.connect(url) as connection:
        (box or Outbox()).add_many(connection, triggers)


def left(url: str) -> list[dict[str, Any]]:
    return query(url, "select * from ajo_outbox order by id")


def is_watched(url: str) -> bool:
    """Whether a relay is on watch, and the gate is shut."""
    locks = "select 1 from pg_locks where locktype = 'advisory' and mode = 'ExclusiveLock' and granted"
    return len(query(url, locks)) == 2


def is_asleep(url: str) -> bool:
    """Whether a relay on watch asks nothing over any of its connections."""
    asks = """
        select from pg_stat_activity
        where application_name = $1 and (state <> 'idle' or state_change > now() - '0.2 s'::interval)
    """
    return is_watched(url) and not query(url, asks, NAME)


def arrived(url: str, prefix: str) -> list[Trigger]:
    """The triggers in the queue, in their order, taken out."""
    bodies = [decode_body(as_bytes(message.body)) for message in take(url, f"{prefix}.standard")]
    return [decode_trigger(raw) for body in bodies for raw in body.triggers]


@pytest.fixture
def publisher(rabbitmq_url: str, queue_prefix: str) -> Iterator[Publisher]:
    with Publisher(rabbitmq_url, queue_prefix=queue_prefix) as made:
        yield made


async def test_what_is_added_while_a_relay_sleeps_wakes_it_and_is_published_on_either_broker(
    shop_url: str, broker_url: str, queue_prefix: str, order_shipped: Made
) -> None:
    before, after = order_shipped("A-1"), order_shipped("A-2")
    add(shop_url, [before])
    with Publisher(broker_url, queue_prefix=queue_prefix) as publisher:
        async with relaying(settings(shop_url), publisher) as relay:
            await until(lambda: relay.counts.published == 1)
            await until(lambda: is_watched(shop_url))
            add(shop_url, [after])
            await until(lambda: relay.counts.published == 2)
            assert left(shop_url) == []
    found = arrived(broker_url, queue_prefix)
    assert [each.request_id for each in found] == [before.request_id, after.request_id]
    assert found[0].recipients == before.trigger.recipients


async def test_a_relay_whose_connection_is_frozen_while_it_sleeps_goes_on_over_another_one(
    shop_url: str, publisher: Publisher, order_shipped: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a pooler, or one backend, stands still: TCP finds nothing wrong, and no notification comes."""
    monkeypatch.setattr(relays, "EAR_SECONDS", 0.5)
    add(shop_url, [order_shipped("A-1")])
    with Proxy(shop_url) as proxy:
        async with relaying(settings(proxy.url, poll=5.0), publisher) as relay:
            await until(lambda: relay.counts.published == 1)
            await until(lambda: is_asleep(shop_url))
            proxy.deafen()
            add(shop_url, [order_shipped("A-2")])
            async with asyncio.timeout(COMMAND_SECONDS / 2):
                await until(lambda: relay.counts.published == 2)


async def test_nobody_notifies_where_no_relay_sleeps(shop_url: str, order_shipped: Made) -> None:
    told: list[Any] = []
    async with await psycopg.AsyncConnection.connect(shop_url, autocommit=True) as ear:
        await ear.execute("listen ajo_outbox")
        add(shop_url, [order_shipped("A-1")])
        await ear.execute("notify ajo_outbox, 'mark'")
        told += [one.payload async for one in ear.notifies(timeout=DEADLINE_SECONDS, stop_after=1)]
    assert told == ["mark"]


class Failing(Publisher):
    """A publisher that does something else at first."""

    def __init__(self, url: str, prefix: str, at_first: list[Callable[[list[Any]], Any]]) -> None:
        super().__init__(url, queue_prefix=prefix)
        self.at_first = at_first

    def publish_stream(self, triggers: Iterable[CheckedTrigger], **more: Any) -> Any:
        several = list(triggers)
        if self.at_first:
            yield from self.at_first.pop(0)(several)
        yield from super().publish_stream(several, **more)


async def test_what_the_broker_had_before_its_relay_lost_the_database_comes_again_unchanged(
    shop_url: str, rabbitmq_url: str, queue_prefix: str, order_shipped: Made
) -> None:
    triggers = [order_shipped(f"A-{number}") for number in range(250)]
    add(shop_url, triggers)

    def cut(several: list[CheckedTrigger]) -> list[Any]:
        with Publisher(rabbitmq_url, queue_prefix=queue_prefix) as own:
            own.publish_many(several)
        query(shop_url, f"select pg_terminate_backend(pid) from pg_stat_activity where {RELAYS}")
        return []

    said: list[str] = []
    publisher = Failing(rabbitmq_url, queue_prefix, [cut])
    async with relaying(settings(shop_url), publisher, said) as relay:
        await until(lambda: relay.counts.published == 250)
    publisher.close()
    assert left(shop_url) == []
    found = arrived(rabbitmq_url, queue_prefix)
    assert {each.request_id for each in found} == {each.request_id for each in triggers}
    first: dict[Any, Trigger] = {}
    for each in found:
        assert first.setdefault(each.request_id, each) == each
    assert sum("is tried again until it works" in line for line in said) == 1
    assert sum("the outbox's database is back" in line for line in said) == 1


async def test_a_broker_that_is_away_is_told_once_and_nothing_is_lost(
    shop_url: str, rabbitmq_url: str, queue_prefix: str, order_shipped: Made
) -> None:
    def refuse(_several: list[CheckedTrigger]) -> list[Any]:
        raise PublishError("not confirmed by amqp://broker: no answer")

    triggers = [order_shipped(f"A-{number}") for number in range(3)]
    add(shop_url, triggers)
    said: list[str] = []
    publisher = Failing(rabbitmq_url, queue_prefix, [refuse, refuse])
    async with relaying(settings(shop_url, poll=0.1), publisher, said) as relay:
        await until(lambda: relay.counts.published == 3)
    publisher.close()
    assert [each.request_id for each in arrived(rabbitmq_url, queue_prefix)] == [each.request_id for each in triggers]
    assert [line.partition(":")[0] for line in said] == ["not confirmed by amqp", said[1].partition(":")[0]]
    assert said[1].startswith("the broker is back")


async def test_rows_that_can_not_be_published_stop_no_other_one_and_are_shown_until_they_can(
    shop_url: str, rabbitmq_url: str, queue_prefix: str, publisher: Publisher, order_shipped: Made
) -> None:
    old, new = new_key(), new_key()
    lost, broken, good = order_shipped("A-1"), order_shipped("A-2"), order_shipped("A-3")
    add(shop_url, [lost], Outbox(keys=old))
    add(shop_url, [broken, good], Outbox(keys=new))
    query(shop_url, "update ajo_outbox set key_id = null where request_id = $1", broken.request_id)
    sealer = Sealer.from_keys(new, KEYS)
    async with relaying(settings(shop_url), publisher, None, sealer) as relay:
        await until(lambda: (relay.counts.published, relay.counts.faulty) == (1, 2))
    assert [each.request_id for each in arrived(rabbitmq_url, queue_prefix)] == [good.request_id]
    lag = await look(settings(shop_url))
    assert (lag.waiting, lag.faulty) == (0, 2)
    assert [fault["request_id"] for fault in lag.faults] == [lost.request_id, broken.request_id]
    assert lag.faults[0]["fault"] == (
        f"sealed under key {key_id_of(old)}, which AJO_OUTBOX_KEYS does not have: add that key to it"
    )
    assert lag.faults[1]["fault"].startswith("it can't be read as a trigger: ")
    async with relaying(settings(shop_url), publisher, None, Sealer.from_keys(f"{new},{old}", KEYS)) as relay:
        await until(lambda: relay.counts.published == 1)
    assert [each.request_id for each in arrived(rabbitmq_url, queue_prefix)] == [lost.request_id]


def add_by_hand(url: str, trigger: CheckedTrigger, payload: bytes) -> None:
    """As a program in another language does it; nothing of it is checked."""
    columns = "request_id, shard, lane, priority, campaign, payload"
    request_id, campaign = trigger.request_id, trigger.trigger.campaign
    query(
        url,
        f"insert into ajo_outbox ({columns}) values ($1, 1, 'standard', 'normal', $2, $3)",
        request_id,
        campaign,
        payload,
    )


def with_field(trigger: CheckedTrigger, name: str) -> bytes:
    """Its payload with a field that no trigger has."""
    return trigger.encoded[:-1] + b',"' + name.encode() + b'":1}'


async def test_a_name_that_no_text_can_hold_is_marked_like_any_fault_and_its_neighbours_are_published_once(
    shop_url: str, rabbitmq_url: str, queue_prefix: str, publisher: Publisher, order_shipped: Made
) -> None:
    before, faulty, after = (order_shipped(f"A-{number}") for number in range(3))
    add(shop_url, [before])
    add_by_hand(shop_url, faulty, with_field(faulty, "a\\u0000b"))
    add(shop_url, [after])
    async with relaying(settings(shop_url), publisher) as relay:
        await until(lambda: (relay.counts.published, relay.counts.faulty) == (2, 1))
    assert [each.request_id for each in arrived(rabbitmq_url, queue_prefix)] == [before.request_id, after.request_id]
    assert [row["fault"] for row in left(shop_url)] == [
        "it can't be read as a trigger: Object contains an unknown field"
    ]


async def test_rows_that_can_not_even_be_marked_undo_nothing_that_was_published_and_keep_nothing_back(
    shop_url: str, rabbitmq_url: str, queue_prefix: str, publisher: Publisher, order_shipped: Made
) -> None:
    before, faulty, after = (order_shipped(f"A-{number}") for number in range(3))
    query(shop_url, "alter table ajo_outbox add constraint no_faults check (fault is null)")
    add_by_hand(shop_url, faulty, with_field(faulty, "more"))
    add(shop_url, [before])
    said: list[str] = []
    async with relaying(settings(shop_url, poll=0.05), publisher, said) as relay:
        await until(lambda: relay.counts.published == 1)
        add(shop_url, [after])
        await until(lambda: relay.counts.published == 2)
        assert [row["request_id"] for row in left(shop_url)] == [faulty.request_id]
        drop = "alter table ajo_outbox drop constraint no_faults"
        await asyncio.to_thread(query, shop_url, drop)  # it waits for the relay's round
        await until(lambda: relay.counts.faulty == 1)
    assert [each.request_id for each in arrived(rabbitmq_url, queue_prefix)] == [before.request_id, after.request_id]
    assert said[0].startswith("rows that can't be published can't be marked: ajo_outbox in database ")
    assert [line.partition(",")[0] for line in said[1:]] == [
        "rows that can't be published: 1; 'ajo-dispatch outbox status' shows them",
        "the marking of faulty rows is back",
    ]


async def test_several_relays_publish_each_row_once_and_every_recipients_in_their_order(
    shop_url: str, rabbitmq_url: str, queue_prefix: str, order_shipped: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "MOST_ROWS", 40)  # so that they have to share
    people = [f"person{number}@example.com" for number in range(40)]
    triggers = [order_shipped(f"A-{number}", random.choice(people)) for number in range(2_000)]
    for start in range(0, 2_000, 400):
        add(shop_url, triggers[start : start + 400])
        several = for_two(order_shipped, people)
        add(shop_url, [several])
        triggers.append(several)
    order = [row["request_id"] for row in left(shop_url)]
    publishers = [Publisher(rabbitmq_url, queue_prefix=queue_prefix) for _ in range(3)]
    told = settings(shop_url, poll=0.05)
    async with AsyncExitStack() as stack:
        relays = [await stack.enter_async_context(relaying(told, each)) for each in publishers]
        await until(lambda: sum(each.counts.published for each in relays) == len(order))
    for each in publishers:
        each.close()
    assert left(shop_url) == []
    found = arrived(rabbitmq_url, queue_prefix)
    assert sorted(each.request_id for each in found) == sorted(order)
    place = {request_id: number for number, request_id in enumerate(order)}
    for person in people:
        theirs = [place[each.request_id] for each in found if any(one.user_id == person for one in each.recipients)]
        assert theirs == sorted(theirs)


def for_two(order_shipped: Made, people: list[str]) -> CheckedTrigger:
    """A trigger for two people of different shards."""
    return order_shipped("A-0", to=None, recipients=[{"to": each, "context": {"orderId": "B"}} for each in people[:2]])


async def test_what_was_published_is_kept_for_as_long_as_is_set(
    shop_url: str, publisher: Publisher, order_shipped: Made
) -> None:
    add(shop_url, [order_shipped("A-1"), order_shipped("A-2")])
    async with relaying(settings(shop_url, keep=HOUR), publisher) as relay:
        await until(lambda: relay.counts.published == 2)
    assert all(row["published_at"] for row in left(shop_url))
    query(shop_url, "update ajo_outbox set published_at = now() - interval '2 hours' where id = 1")
    async with relaying(settings(shop_url, keep=HOUR, poll=0.05), publisher):
        await until(lambda: [row["id"] for row in left(shop_url)] == [2])


async def test_a_relay_waits_for_a_table_that_is_not_there_yet_and_says_what_to_do(
    shop_url: str, publisher: Publisher, order_shipped: Made
) -> None:
    said: list[str] = []
    query(shop_url, "alter table ajo_outbox rename to later")
    async with relaying(settings(shop_url), publisher, said) as relay:
        await until(lambda: len(said) == 1)
        assert "'ajo-dispatch outbox sql' prints the statements that make it" in said[0]
        query(shop_url, "alter table later rename to ajo_outbox")
        add(shop_url, [order_shipped("A-1")])
        await until(lambda: relay.counts.published == 1)


@pytest.mark.parametrize("lacks", ["delete", "update"])
async def test_a_relay_that_may_not_delete_or_mark_publishes_nothing_and_says_what_it_needs(
    shop_url: str, rabbitmq_url: str, queue_prefix: str, publisher: Publisher, order_shipped: Made, lacks: str
) -> None:
    add(shop_url, [order_shipped("A-1")])
    rights = {"select", "update", "delete"} - {lacks}
    role = f"relay_{queue_prefix.replace('-', '_').replace('.', '_')}"
    query(shop_url, f"create role {role} login password 'x'")
    query(shop_url, f"grant {', '.join(sorted(rights))} on ajo_outbox to {role}")
    parts = urlsplit(shop_url)
    narrow = parts._replace(netloc=f"{role}:x@{parts.hostname}:{parts.port}").geturl()
    said: list[str] = []
    async with relaying(settings(narrow), publisher, said):
        await until(lambda: bool(said))
    assert "a relay needs SELECT, UPDATE and DELETE on the table" in said[0]
    assert arrived(rabbitmq_url, queue_prefix) == []
    query(shop_url, f"drop owned by {role}")
    query(shop_url, f"drop role {role}")


async def test_behind_a_pooler_that_mixes_up_sessions_a_relay_looks_now_and_then_and_says_so(
    shop_url: str, publisher: Publisher, order_shipped: Made, processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "ECHO_SECONDS", 0.5)
    pooled = start_pgbouncer(processes, shop_url, "transaction")
    said: list[str] = []
    async with relaying(settings(pooled, poll=0.1), publisher, said) as relay:
        await until(lambda: bool(said))
        assert said == ["no notifications arrive (a pooler in between?): it looks every 0.1 s"]
        add(pooled, [order_shipped("A-1")])
        await until(lambda: relay.counts.published == 1)
    assert query(shop_url, "select from pg_locks where locktype = 'advisory'") == []
