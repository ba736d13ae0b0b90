"""Messages of Redis and Valkey: noted before they are popped, and given back when their worker is dead."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
import redis
from ajo_worker.intake.acknowledging import Acknowledgements
from ajo_worker.intake.application import make_app
from ajo_worker.intake.hub_calls import HubCalls
from ajo_worker.intake.valkey import IDLE_POLL, Portion
from ajo_worker.settings import Settings
from kombu import Connection, Consumer, Queue
from kombu.transport import redis as redis_transport
from structlog.testing import capture_logs

from tests.support.proxy import Proxy
from tests.support.waiting import wait_until

TRANSPORT = "ajo_worker.intake.valkey:Transport"


@pytest.fixture
def message(valkey_url: str, queue_prefix: str) -> Iterator[Any]:
    """A message in hand, its channel closed and without connections, as kombu leaves it when the server is gone."""
    options = {"unacked_key": f"{queue_prefix}.unacked", "unacked_index_key": f"{queue_prefix}.unacked.index"}
    with Connection(valkey_url, transport=TRANSPORT, transport_options=options) as connection:
        queue = Queue(f"{queue_prefix}.standard", routing_key=f"{queue_prefix}.standard")
        connection.SimpleQueue(queue).put({"a": 1})
        channel = connection.channel()
        taken = queue(channel).get(accept=["json"])
        assert taken is not None
        channel.close()
        channel._disconnect_pools()
        yield taken


@pytest.mark.parametrize("answer", ["ack", "requeue", "reject"])
def test_an_answer_on_a_closed_channel_ends_no_worker(message: Any, answer: str) -> None:
    getattr(message, answer)()


@pytest.fixture
def taken(valkey_url: str, queue_prefix: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """Takes all messages of the queue as a worker: ``taken(worker_id)`` gives its channel."""
    options = {"unacked_key": f"{queue_prefix}.unacked", "unacked_index_key": f"{queue_prefix}.unacked.index"}
    queue = Queue(f"{queue_prefix}.standard", routing_key=f"{queue_prefix}.standard")
    with ExitStack() as connections:

        def take(worker: UUID, url: str = valkey_url) -> Any:
            monkeypatch.setattr("ajo_worker.intake.valkey.worker_id", lambda: worker)
            connection = connections.enter_context(Connection(url, transport=TRANSPORT, transport_options=options))
            channel = connection.channel()
            channel.got = []
            consumer = Consumer(channel, [queue], accept=["json"], on_message=channel.got.append)
            consumer.consume()
            with suppress(TimeoutError):
                while True:
                    connection.drain_events(timeout=0.5)
            return channel

        yield take


def test_a_queue_that_was_full_is_looked_at_as_soon_as_it_has_room_whatever_rests_meanwhile(
    valkey_url: str, queue_prefix: str
) -> None:
    options = {"unacked_key": f"{queue_prefix}.unacked", "unacked_index_key": f"{queue_prefix}.unacked.index"}
    names = [f"{queue_prefix}.standard", f"{queue_prefix}.bulk"]
    put(valkey_url, queue_prefix, 2)
    with Connection(valkey_url, transport=TRANSPORT, transport_options=options) as connection:
        channel, got = connection.channel(), []
        channel.basic_qos(0, 1, False)
        queues = [Queue(name, routing_key=name) for name in names]
        with Consumer(channel, queues, accept=["json"], on_message=got.append):
            while not got:
                connection.drain_events(timeout=5)
            with suppress(TimeoutError):
                connection.drain_events(timeout=0.1)  # the other queue is empty, and rests from now on
            channel._rest_until = float("inf")
            got[0].ack()
            while len(got) < 2:
                connection.drain_events(timeout=5)


def test_many_that_are_acknowledged_at_once_are_gone_and_leave_room(
    taken: Callable[..., Any], valkey_url: str, queue_prefix: str
) -> None:
    put(valkey_url, queue_prefix, 3)
    channel = taken(uuid4())
    kept, *others = channel.got
    channel.qos.ack_all([message.delivery_tag for message in others])
    assert waiting(valkey_url, queue_prefix) == (0, 1)
    channel.basic_qos(0, 2, False)
    assert channel.qos.room(f"{queue_prefix}.standard") == 1
    channel.qos.ack_all([kept.delivery_tag])
    assert waiting(valkey_url, queue_prefix) == (0, 0)
    assert not channel.qos.holds or channel.qos._dirty


def test_on_a_closed_channel_many_are_acknowledged_to_nobody(message: Any) -> None:
    message.channel.qos.ack_all([message.delivery_tag])


def test_the_hub_is_turned_soon_after_an_empty_look_only_where_the_server_does_not_tell(
    taken: Callable[..., Any],
) -> None:
    channel, turns = taken(uuid4()), list[float]()
    channel.connection.cycle.hub = SimpleNamespace(
        call_later=lambda seconds, _: turns.append(seconds), call_soon=lambda _: None
    )

    def looked() -> None:
        channel._rest_until = 0.0
        channel._brpop_start()
        with suppress(redis_transport.Empty):
            channel._brpop_read()

    def told() -> bool:
        looked()
        return bool(channel._arrivals.told)

    wait_until(told, what="the server tells what comes")
    turns.clear()
    looked()
    assert turns == []
    channel._arrivals.told = ()
    looked()
    assert turns == [IDLE_POLL]


def put(valkey_url: str, queue_prefix: str, count: int, size: int = 0) -> None:
    with Connection(valkey_url) as connection:
        queue = connection.SimpleQueue(f"{queue_prefix}.standard")
        for number in range(count):
            queue.put({"number": number, "filler": "x" * size})


def waiting(valkey_url: str, queue_prefix: str) -> tuple[int, int]:
    """Messages in the queue, and messages that somebody has taken."""
    with redis.Redis.from_url(valkey_url) as client:
        return client.llen(f"{queue_prefix}.standard"), client.hlen(f"{queue_prefix}.unacked")


def test_all_that_a_dead_worker_had_taken_goes_back_and_the_livings_stays(
    taken: Callable[..., Any], valkey_url: str, queue_prefix: str
) -> None:
    dead, alive = uuid4(), uuid4()
    put(valkey_url, queue_prefix, 5)
    of_dead = taken(dead)
    put(valkey_url, queue_prefix, 3)
    of_living = taken(alive)
    assert (len(of_dead.got), len(of_living.got)) == (5, 3)
    of_living.qos.give_back_of([dead, alive])  # its own: of earlier connections alone
    assert waiting(valkey_url, queue_prefix) == (5, 3)


def test_a_worker_that_wakes_up_acknowledges_nothing_of_what_was_given_back(
    taken: Callable[..., Any], valkey_url: str, queue_prefix: str
) -> None:
    frozen = uuid4()
    put(valkey_url, queue_prefix, 2)
    channel = taken(frozen)
    other = taken(uuid4())
    other.qos.give_back_of([frozen])
    for message in channel.got:
        message.ack()
    assert waiting(valkey_url, queue_prefix) == (2, 0)


def test_what_an_earlier_connection_of_the_same_worker_had_taken_goes_back(
    taken: Callable[..., Any], valkey_url: str, queue_prefix: str
) -> None:
    worker = uuid4()
    put(valkey_url, queue_prefix, 2)
    taken(worker)
    again = taken(worker)
    again.qos.give_back_of([worker])
    assert waiting(valkey_url, queue_prefix) == (2, 0)


def test_a_message_that_can_not_be_noted_stays_in_its_queue(
    taken: Callable[..., Any], valkey_url: str, queue_prefix: str
) -> None:
    put(valkey_url, queue_prefix, 1)
    with redis.Redis.from_url(valkey_url) as client:
        client.set(f"{queue_prefix}.unacked", "no hash")
    with pytest.raises(redis.ResponseError):
        taken(uuid4())
    with redis.Redis.from_url(valkey_url) as client:
        assert client.llen(f"{queue_prefix}.standard") == 1


def test_what_a_living_worker_has_in_hand_is_never_abandoned(
    taken: Callable[..., Any], valkey_url: str, queue_prefix: str
) -> None:
    put(valkey_url, queue_prefix, 2)
    channel = taken(uuid4())
    with redis.Redis.from_url(valkey_url) as client:
        index = f"{queue_prefix}.unacked.index"
        for tag in client.zrange(index, 0, -1):
            client.zadd(index, {tag: 1.0})  # taken in 1970
        channel.qos.restore_visible()
        assert waiting(valkey_url, queue_prefix) == (0, 2)


def test_a_queue_whose_prefetch_is_used_up_leaves_the_others_theirs(valkey_url: str, queue_prefix: str) -> None:
    options = {"unacked_key": f"{queue_prefix}.unacked", "unacked_index_key": f"{queue_prefix}.unacked.index"}
    names = [f"{queue_prefix}.{lane}" for lane in ("standard", "high-throughput", "standard.urgent")]
    with Connection(valkey_url) as connection:
        for name, count in zip(names, (30, 3, 30), strict=True):
            queue = connection.SimpleQueue(name)
            for number in range(count):
                queue.put({"number": number})
    with Connection(valkey_url, transport=TRANSPORT, transport_options=options) as connection:
        channel, got = connection.channel(), []
        queues = [Queue(name, routing_key=name) for name in names]
        consumer = Consumer(channel, queues, accept=["json"], on_message=got.append, prefetch_count=10)
        consumer.consume()

        def drained() -> Counter[str]:
            with suppress(TimeoutError):
                while True:
                    connection.drain_events(timeout=0.5)
            return Counter(message.delivery_info["routing_key"] for message in got)

        assert drained() == dict(zip(names, (10, 3, 10), strict=True))
        for message in got[:5]:
            message.ack()
        for message in got[5:8]:
            message.requeue()
        let_go = Counter(message.delivery_info["routing_key"] for message in got[:8])
        came_back = sum(message.delivery_info["routing_key"] == names[1] for message in got[5:8])
        assert drained() == {names[0]: 10 + let_go[names[0]], names[1]: 3 + came_back, names[2]: 10 + let_go[names[2]]}


def test_what_a_worker_has_in_hand_is_renewed_though_it_consumes_from_nothing_any_more(
    taken: Callable[..., Any], valkey_url: str, queue_prefix: str
) -> None:
    put(valkey_url, queue_prefix, 2)
    channel = taken(uuid4())
    for tag in list(channel._consumers):  # as when all lanes are paused
        channel.basic_cancel(tag)
    with redis.Redis.from_url(valkey_url) as client:
        index = f"{queue_prefix}.unacked.index"
        client.zadd(index, dict.fromkeys(client.zrange(index, 0, -1), 1.0))
        channel.connection.cycle.maybe_restore_messages()
        assert [score > 1.0 for _, score in client.zrange(index, 0, -1, withscores=True)] == [True, True]
    assert waiting(valkey_url, queue_prefix) == (0, 2)


def hidden(valkey_url: str, queue_prefix: str) -> str:
    """Put the queue aside, and something that is no queue into its place; its name now."""
    aside = f"{queue_prefix}.aside"
    with redis.Redis.from_url(valkey_url) as client:
        if client.exists(f"{queue_prefix}.standard"):
            client.rename(f"{queue_prefix}.standard", aside)
        client.set(f"{queue_prefix}.standard", "no queue")
    return aside


@pytest.mark.parametrize("way", ["requeued", "its connection ends", "its worker is dead", "abandoned"])
def test_a_message_whose_queue_does_not_take_it_back_stays_noted_is_told_of_and_goes_back_later(
    taken: Callable[..., Any], valkey_url: str, queue_prefix: str, way: str
) -> None:
    worker = uuid4()
    put(valkey_url, queue_prefix, 3)
    channel, other = taken(worker), taken(uuid4())
    hidden(valkey_url, queue_prefix)
    channel.qos.visibility_timeout = other.qos.visibility_timeout = -1
    with capture_logs() as logs:
        match way:
            case "requeued":
                for message in channel.got:
                    message.requeue()
            case "its connection ends":
                channel.qos.restore_unacked()
            case "its worker is dead":
                other.qos.give_back_of([worker])
            case "abandoned":
                other.qos.restore_visible()
    with redis.Redis.from_url(valkey_url) as client:
        assert client.hlen(f"{queue_prefix}.unacked") == client.zcard(f"{queue_prefix}.unacked.index") == 3
        assert [(line["event"], line["log_level"]) for line in logs] == [("messages-not-given-back", "warning")]
        assert "WRONGTYPE" in logs[0]["fault"]
        client.delete(f"{queue_prefix}.standard")
    (channel if way == "requeued" else other).qos.restore_visible()
    assert waiting(valkey_url, queue_prefix) == (3, 0)


@pytest.fixture
def limit(valkey_url: str, queue_prefix: str) -> Iterator[Callable[..., str]]:
    """The broker's address for a user; ``limit("-rpush")`` changes what it may do."""
    address = f"redis://{queue_prefix}:any@{valkey_url.partition('@')[2]}"
    with redis.Redis.from_url(valkey_url) as client:

        def change(*commands: str) -> str:
            rights = {"categories": ["+@all"], "keys": ["*"], "channels": ["*"], "commands": commands}
            client.acl_setuser(queue_prefix, enabled=True, nopass=True, **rights)
            return address

        yield change
        client.acl_deluser(queue_prefix)


@pytest.mark.parametrize("command", ["rpush", "hdel", "zrem", "hset", "zadd", "rpop", "lindex", "hget", "eval"])
def test_a_command_that_the_user_may_not_use_loses_no_message_and_makes_no_copy(
    taken: Callable[..., Any], limit: Callable[..., str], valkey_url: str, queue_prefix: str, command: str
) -> None:
    put(valkey_url, queue_prefix, 5)
    channel = taken(uuid4(), limit())
    put(valkey_url, queue_prefix, 2)
    limit(f"-{command}")
    with suppress(redis.ResponseError, TimeoutError):
        while True:
            channel.connection.drain_events(channel.connection.client, timeout=0.1)
    for message in channel.got:
        with suppress(redis.ResponseError):
            message.requeue()
    limit()
    channel.qos.restore_visible()
    assert waiting(valkey_url, queue_prefix) == (7, 0)
    with redis.Redis.from_url(valkey_url) as client:
        assert client.zcard(f"{queue_prefix}.unacked.index") == 0


def test_what_the_server_refuses_to_acknowledge_keeps_its_room_and_is_acknowledged_later(
    taken: Callable[..., Any], limit: Callable[..., str], valkey_url: str, queue_prefix: str
) -> None:
    put(valkey_url, queue_prefix, 2)
    channel, acknowledgements = taken(uuid4(), limit()), Acknowledgements(HubCalls())
    channel.basic_qos(0, 2, False)
    limit("-zrem")
    for message in channel.got:
        acknowledgements.acknowledge(message)
    acknowledgements.flush()
    assert (waiting(valkey_url, queue_prefix), channel.qos.room(f"{queue_prefix}.standard")) == ((0, 2), 0)
    limit()
    acknowledgements.flush()
    assert (waiting(valkey_url, queue_prefix), channel.qos.room(f"{queue_prefix}.standard")) == ((0, 0), 2)


def test_what_is_not_acknowledged_since_no_answer_came_is_acknowledged_later(
    taken: Callable[..., Any], valkey_url: str, queue_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection over which messages come goes on: none of them would ever come again, and their room was gone."""
    put(valkey_url, queue_prefix, 2)
    channel, acknowledgements = taken(uuid4()), Acknowledgements(HubCalls())
    channel.basic_qos(0, 2, False)
    with monkeypatch.context() as patched:
        patched.setattr(redis.client.Pipeline, "execute", silent)
        for message in channel.got:
            acknowledgements.acknowledge(message)
        acknowledgements.flush()
    assert (waiting(valkey_url, queue_prefix), channel.qos.room(f"{queue_prefix}.standard")) == ((0, 2), 0)
    acknowledgements.flush()
    assert (waiting(valkey_url, queue_prefix), channel.qos.room(f"{queue_prefix}.standard")) == ((0, 0), 2)


def silent(*_: object) -> None:
    """Stands for a server that doesn't answer in time."""
    raise redis.TimeoutError


def test_messages_whose_handing_over_was_not_heard_of_are_no_longer_this_connections(
    valkey_url: str, queue_prefix: str
) -> None:
    """The server has noted them as taken: only a new connection of the worker gives them back."""
    options = {"unacked_key": f"{queue_prefix}.unacked", "unacked_index_key": f"{queue_prefix}.unacked.index"}
    queue = Queue(f"{queue_prefix}.standard", routing_key=f"{queue_prefix}.standard")
    with (
        Proxy(valkey_url) as proxy,
        Connection(proxy.url, transport=TRANSPORT, transport_options=options) as connection,
    ):
        channel, poller = connection.channel(), connection.transport.cycle
        Consumer(channel, [queue], accept=["json"]).consume()
        with suppress(TimeoutError):
            connection.drain_events(timeout=0.1)
        proxy.freeze()
        put(valkey_url, queue_prefix, 2)
        channel._rest_until = 0.0
        poller.on_poll_start()
        wait_until(lambda: waiting(valkey_url, queue_prefix) == (0, 2), what="the server hands them over")
        poller.maybe_check_brpop_health()  # there is time for an answer yet
        channel._brpop_sent_at = float("-inf")
        with pytest.raises(connection.connection_errors):
            poller.maybe_check_brpop_health()
        proxy.cut()


@pytest.fixture
def full(valkey_url: str) -> Iterator[Callable[[], None]]:
    """Has no memory left once it is called."""
    with redis.Redis.from_url(valkey_url) as client:
        yield lambda: client.config_set("maxmemory", 1) and None
        client.config_set("maxmemory", 0)


def test_a_server_that_is_full_hands_out_renews_takes_back_and_is_emptied(
    taken: Callable[..., Any], full: Callable[[], None], valkey_url: str, queue_prefix: str
) -> None:
    worker = uuid4()
    put(valkey_url, queue_prefix, 3)
    full()
    channel, other = taken(worker), taken(uuid4())
    assert len(channel.got) == 3
    with redis.Redis.from_url(valkey_url) as client, pytest.raises(redis.OutOfMemoryError):
        client.rpush(f"{queue_prefix}.standard", "one more")
    channel.qos.visibility_timeout = 60
    channel.qos.restore_visible()
    assert waiting(valkey_url, queue_prefix) == (0, 3)
    channel.got[0].requeue()
    other.qos.give_back_of([worker])
    assert waiting(valkey_url, queue_prefix) == (3, 0)
    last = taken(uuid4())
    last.qos.ack_all([message.delivery_tag for message in last.got])
    assert waiting(valkey_url, queue_prefix) == (0, 0)


def test_a_worker_begins_to_consume_from_a_server_that_is_full(
    full: Callable[[], None], valkey_url: str, queue_prefix: str
) -> None:
    app = make_app(Settings(broker_url=valkey_url, queue_prefix=queue_prefix))
    full()
    with Connection(valkey_url, transport=TRANSPORT) as connection, connection.channel() as channel:
        app.amqp.TaskConsumer(channel).consume()
        app.control.mailbox.Node("worker@host", channel=channel).listen(callback=print)
        channel.maybe_refresh_binding_expiry()


def test_a_server_that_closes_connections_over_long_answers_is_asked_for_fewer_messages_until_all_are_taken(
    taken: Callable[..., Any], valkey_url: str, queue_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ajo_worker.intake.valkey.Channel.portion", Portion())
    put(valkey_url, queue_prefix, 12, size=30_000)
    options = {"unacked_key": f"{queue_prefix}.unacked", "unacked_index_key": f"{queue_prefix}.unacked.index"}
    worker, got = uuid4(), 0
    with redis.Redis.from_url(valkey_url) as client:
        limit = client.config_get("client-output-buffer-limit")["client-output-buffer-limit"]
        client.config_set("client-output-buffer-limit", "normal 100000 0 0")
        try:
            for _ in range(6):
                with suppress(redis.ConnectionError):
                    got += len(taken(worker).got)
                    continue
                with Connection(valkey_url, transport=TRANSPORT, transport_options=options) as connection:
                    connection.channel().qos.give_back_of([worker])
        finally:
            client.config_set("client-output-buffer-limit", limit)
    assert got == 12
