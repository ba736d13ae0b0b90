"""Taking messages from Redis or Valkey so that there is no moment at which only a process's memory has them.

kombu's own transport pops a message and notes it as unacknowledged afterwards: a worker killed in between loses it, and
an item that is no kombu message stops the consumer. Here one script on the server pops, notes and hands over; another
one gives back. An item is noted as it is, under a tag of ours, so that whatever it holds can be given back or
quarantined. Times are the server's: a worker's wrong clock neither keeps messages back nor hands them out too early.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import count
from time import monotonic
from typing import Any
from uuid import UUID, uuid4

import structlog
from ajo_producers.contract.broker import unfit
from celery.exceptions import WorkerShutdown
from celery.platforms import EX_FAILURE
from kombu.transport import redis, virtual
from redis.connection import ConnectionPool
from redis.exceptions import ResponseError

from ajo_worker.identity import worker_id
from ajo_worker.intake.arrivals import Arrivals
from ajo_worker.intake.envelope import MOST_ENVELOPE_BYTES, payload_of
from ajo_worker.intake.valkey_scripts import ABANDONED, GIVE_BACK, GIVE_BACK_OF, RENEW, TAKE

log = structlog.get_logger("ajo_worker.intake")

IDLE_POLL, TOLD_POLL = 0.02, 0.5
"""Seconds until empty queues are looked at again; and where the server tells when something comes."""
MOST_AT_ONCE = 16
"""Messages that one round trip brings at most."""

MOST_GIVEN_BACK = 1000
MOST_TOLD = 300
"""Characters of a refusal that are logged."""
NOTED = "they stay noted as taken, and it is tried again; see ajo-dispatch doctor"


class QoS(redis.QoS):  # type: ignore[misc] # kombu is typed in part
    """What is taken and not yet acknowledged. The prefetch count is each queue's, as on RabbitMQ's quorum queues."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self._queue_of: dict[str, str] = {}
        self._taken_of: Counter[str] = Counter()
        self._stayed: set[str] = set()
        """Tags of what the server refused to take back: it is tried again."""
        self._told = ""
        super().__init__(*args, **options)

    def can_consume(self) -> bool:
        """Whether to look at the queues at all; which of them, and how much is taken, is decided there.

        A channel without queues listens to what is told to everybody (events, remote control): it always reads.
        """
        queues = self.channel.active_queues
        return not queues or any(self.room(queue) > 0 for queue in queues)

    @property
    def holds(self) -> bool:
        """Whether there are messages in hand."""
        return bool(self._delivered)

    def room(self, queue: str) -> int:
        """How many more messages of a queue may be taken."""
        return self.prefetch_count - self._taken_of[queue] if self.prefetch_count else MOST_AT_ONCE

    def _ended(self, delivery_tag: str) -> None:
        if (queue := self._queue_of.pop(delivery_tag, None)) is not None:
            self._taken_of[queue] -= 1

    def ack(self, delivery_tag: str) -> None:
        """Acknowledge one; see ``ack_all``."""
        self.ack_all([delivery_tag])

    def ack_all(self, delivery_tags: Sequence[str]) -> None:
        """Acknowledge many, with one command for their times and one for what they are.

        On a channel that is closed there is nobody to tell: the messages come again, and are known.
        """
        stands = self.channel.connection is not None
        if stands:
            with self.pipe_or_acquire() as pipe:
                pipe.zrem(self.unacked_index_key, *delivery_tags).hdel(self.unacked_key, *delivery_tags).execute()
        for tag in delivery_tags:
            self._ended(tag)
            if stands:
                virtual.QoS.ack(self, tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """Give back, or drop; on a closed channel it comes again as well."""
        self._ended(delivery_tag)
        if self.channel.connection is not None:
            super().reject(delivery_tag, requeue=requeue)

    def append(self, message: Any, delivery_tag: str) -> None:
        """Note a message in this process; the server has noted it when it was taken."""
        virtual.QoS.append(self, message, delivery_tag)
        queue = self._queue_of[delivery_tag] = message.delivery_info["routing_key"]
        self._taken_of[queue] += 1

    def restore_by_tag(self, tag: str, client: Any = None, leftmost: bool = False) -> None:  # noqa: ARG002 - kombu's signature
        """Give one message back."""
        self._give_back([tag], client)

    def restore_unacked(self, client: Any = None) -> None:
        """Give back all that this process has in hand; called when its connection ends, or broke."""
        self._flush()
        self._told = ""
        try:
            self._give_back([*self._stayed, *self._delivered], client)
        except Exception as fault:  # noqa: BLE001 - a channel half closed raises anything, and that would end the worker
            log.warning("messages-not-given-back", messages=len(self._delivered), fault=type(fault).__name__, do=NOTED)
        self._queue_of.clear()
        self._taken_of.clear()
        self._delivered.clear()  # the server has noted them: at the latest they come back as a dead worker's do

    def restore_visible(self, *_: Any, **__: Any) -> None:
        """Give back what workers left behind of whose death the ledger tells nobody; what is ours stays ours."""
        with self.channel.conn_or_acquire() as client:
            keys = (self.unacked_key, self.unacked_index_key)
            client.eval(RENEW, len(keys), *keys, self.channel.owner)
            tags = client.eval(ABANDONED, len(keys), *keys, self.visibility_timeout, MOST_GIVEN_BACK)
            self._give_back([*self._stayed, *map(bytes.decode, tags)], client)

    def give_back_of(self, workers: Iterable[UUID]) -> bool:
        """Give back all that these dead workers have taken, opened or not; False if some of it stayed.

        One that wakes up after all acknowledges tags that nobody knows any more, which is nothing. Of this worker's
        own, what an earlier connection had taken goes back.
        """
        with self.channel.conn_or_acquire() as client:
            keys = (self.unacked_key, self.unacked_index_key)
            dead = [worker.hex for worker in workers]
            why, stayed = client.eval(GIVE_BACK_OF, len(keys), *keys, self.channel.owner, *dead)
        self._tell(why, stayed)
        return not stayed

    def _give_back(self, tags: Sequence[str], client: Any) -> None:
        if not tags:
            return
        self._stayed.update(tags)
        with self.channel.conn_or_acquire(client) as connection:
            keys = (self.unacked_key, self.unacked_index_key)
            why, stayed = connection.eval(GIVE_BACK, len(keys), *keys, *tags)
        self._stayed.difference_update(tags)
        self._stayed.update(map(bytes.decode, stayed))
        self._tell(why, stayed)

    def _tell(self, why: bytes, stayed: Sequence[bytes]) -> None:
        text = why.decode(errors="replace")[:MOST_TOLD]
        if stayed and text != self._told:
            log.warning("messages-not-given-back", fault=text, do=NOTED)
        self._told = text


class Channel(redis.Channel):  # type: ignore[misc] # kombu is typed in part
    """kombu's channel, with ``BRPOP`` replaced by the script."""

    QoS = QoS

    def __init__(self, *args: Any, **options: Any) -> None:
        self.owner = f"{worker_id().hex}-{uuid4().hex[:8]}"
        """What the tags of all that it takes begin with: the worker's id in the ledger, and one of its own."""
        self._tags = (f"{self.owner}-{number}-" for number in count())
        self._rest_until = 0.0
        self._asked: frozenset[str] = frozenset()
        """The queues that were looked at last, which rest until then: one that was full is not among them."""
        self._arrivals = Arrivals(self._own_connection, self._something_came)
        super().__init__(*args, **options)

    def close(self) -> None:
        """Close it, and what waits for it."""
        self._arrivals.close()
        super().close()

    def _queue_bind(self, exchange: str, routing_key: str, pattern: Any, queue: str) -> None:
        """Bind a queue; what is told to everybody is heard without a note, for which a server may have no memory."""
        if self.typeof(exchange).type == "fanout":
            self._fanout_queues[queue] = (exchange, routing_key.replace("#", "*"))
        else:
            super()._queue_bind(exchange, routing_key, pattern, queue)

    def _refresh_bindings(self, queues: Iterable[str]) -> None:
        """Called now and then for queues that expire: renew the notes of those that have one."""
        super()._refresh_bindings([queue for queue in queues if queue not in self._fanout_queues])

    def _own_connection(self) -> Any:
        parameters = self._connparams() | {"protocol": 2, "socket_timeout": None}
        connection: Any = ConnectionPool(**parameters).make_connection()
        connection.connect()
        return connection

    def _something_came(self) -> None:
        """Called on the thread that waits for it: have the hub look at once."""
        self._rest_until = 0.0
        if (hub := self._hub) is not None:
            hub.call_soon(_turn)

    @property
    def _hub(self) -> Any:
        """Celery's, where it turns the poller."""
        return self.connection and self.connection.cycle.hub

    def _brpop_start(self, timeout: float | None = None) -> None:  # noqa: ARG002 - kombu's signature
        rooms = self._rooms()
        if not rooms or (monotonic() < self._rest_until and rooms.keys() <= self._asked):
            return
        keys = (self.unacked_key, self.unacked_index_key, *rooms)
        self._asked, self._rest_until = frozenset(rooms), 0.0
        self._in_poll = self.client.connection
        self._brpop_sent_at = monotonic()
        self.client.connection.send_command(
            "EVAL", TAKE, len(keys), *keys, MOST_AT_ONCE, next(self._tags), *rooms.values(), MOST_ENVELOPE_BYTES
        )

    def _brpop_read(self, **options: Any) -> bool:
        try:
            taken = self.client.parse_response(self.client.connection, "EVAL", **options)
        except self.connection_errors:
            self.client.connection.disconnect()
            raise
        finally:
            self._in_poll = None
            self._flush_brpop_reauth()
        if not taken:
            rooms = sorted(self._asked)
            told = self._arrivals.told == tuple(rooms)
            self._rest_until = monotonic() + (TOLD_POLL if told else IDLE_POLL)
            if not told and (hub := self._hub) is not None:
                hub.call_later(IDLE_POLL, _turn)
            self._arrivals.await_in(rooms)
            raise redis.Empty
        for tag, queue, item, length in taken:
            self._queue_cycle.rotate(queue.decode())
            self.connection._deliver(payload_of(item, tag.decode(), queue.decode(), length), queue.decode())
        return True

    def _rooms(self) -> dict[str, int]:
        """How many more messages of each queue may be taken, by turns; queues without room are left out."""
        queues = self._queue_cycle.consume(len(self.active_queues))
        return {queue: room for queue in queues if (room := self.qos.room(queue)) > 0}


class Poller(redis.MultiChannelPoller):  # type: ignore[misc] # kombu is typed in part
    """kombu's poller, which forgets channels that don't consume: those of a worker whose lanes are all paused."""

    hub: Any = None
    """Of Celery, where it turns the poller."""

    def maybe_restore_messages(self) -> None:
        """Called now and then: renew what is in hand, and give back what nobody answers for."""
        for channel in self._channels:
            if channel.active_queues or channel.qos.holds:
                try:
                    channel.qos.restore_visible()
                except channel.connection_errors as fault:  # noticed, and told, where messages are taken
                    log.debug("visibility-not-renewed", fault=type(fault).__name__)


class Transport(redis.Transport):  # type: ignore[misc] # kombu is typed in part
    """kombu's transport, with our channel; it turns the hub often enough for the polling.

    That is seldom: something that comes turns it by itself, if the server tells of it.
    """

    Channel = Channel

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.cycle = Poller()

    def register_with_event_loop(self, connection: Any, loop: Any) -> None:
        """Called by kombu at each connection."""
        super().register_with_event_loop(connection, loop)
        self.cycle.hub = loop
        if getattr(self.cycle, "idle_poll", None) is not None:
            self.cycle.idle_poll.cancel()
        self.cycle.idle_poll = loop.call_repeatedly(TOLD_POLL, _turn)


def refuse_unfit(connection: Any) -> None:
    """End a worker whose broker can't be one: what it would take from a cluster's node is not what is waited for.

    Raises:
        WorkerShutdown: it can't, and the log says why.
    """
    if not isinstance(connection.transport, Transport):
        return
    try:
        hello = connection.default_channel.client.execute_command("HELLO")
    except ResponseError:  # too old to know the command, or it is not for this user
        return
    if reason := unfit(hello):
        log.error("worker-not-started", reason=f"the broker {reason}")
        raise WorkerShutdown(EX_FAILURE)


def _turn() -> None:
    """Nothing: that the hub turned is what matters."""
