"""Taking messages from Redis or Valkey so that there is no moment at which only a process's memory has them.

kombu's own transport pops a message and notes it as unacknowledged afterwards: a worker killed in between loses it, and
an item that is no kombu message stops the consumer. Here one script on the server pops, notes and hands over. An item
is noted as it is, under a tag of ours, so that whatever it holds can be given back or quarantined.
"""

from collections.abc import Iterable
from itertools import count
from time import monotonic
from typing import Any
from uuid import uuid4

import structlog
from ajo_producers.contract.broker import unfit
from celery.exceptions import WorkerShutdown
from celery.platforms import EX_FAILURE
from kombu.transport import redis
from redis.connection import ConnectionPool
from redis.exceptions import ResponseError

from ajo_worker.identity import worker_id
from ajo_worker.intake.arrivals import Arrivals
from ajo_worker.intake.envelope import MOST_ENVELOPE_BYTES, payload_of
from ajo_worker.intake.valkey_scripts import TAKE
from ajo_worker.intake.valkey_unacked import MOST_AT_ONCE, QoS

log = structlog.get_logger("ajo_worker.intake")

IDLE_POLL, TOLD_POLL = 0.02, 0.5
"""Seconds until empty queues are looked at again; and where the server tells when something comes."""
MORE_AFTER = 60.0
"""Seconds after which twice as many messages are asked for at once as a broken connection has left."""


class Portion:
    """How many messages are asked for at once: fewer after a connection that broke over them, and later more again.

    A server closes a connection over which more is to go than it may keep (``client-output-buffer-limit``). Asked for
    as many over the next one, it would close that as well, and so on. Instants are monotonic seconds.
    """

    def __init__(self) -> None:
        self._most, self._since = MOST_AT_ONCE, float("-inf")

    def broke(self, now: float) -> None:
        """The connection broke while they were awaited."""
        self._most, self._since = max(self._most // 2, 1), now

    def most(self, now: float) -> int:
        """So many at this moment."""
        if self._most < MOST_AT_ONCE and now - self._since >= MORE_AFTER:
            self._most, self._since = self._most * 2, now
        return self._most


class Channel(redis.Channel):  # type: ignore[misc] # kombu is typed in part
    """kombu's channel, with ``BRPOP`` replaced by the script."""

    QoS = QoS
    portion = Portion()
    """One for all connections that follow one another."""

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
            "EVAL", TAKE, len(keys), *keys, self.portion.most(monotonic()), next(self._tags), *rooms.values(),
            MOST_ENVELOPE_BYTES,
        )  # fmt: skip

    def _brpop_read(self, **options: Any) -> bool:
        try:
            taken = self.client.parse_response(self.client.connection, "EVAL", **options)
        except self.connection_errors:
            self.portion.broke(monotonic())
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

    def maybe_check_brpop_health(self) -> None:
        """Called now and then: give up a connection over which messages were asked for, and nothing is heard.

        kombu makes another one for the same channel. But the server may have handed over what never came here, and it
        would count as in this channel's hand for ever: only a new channel has it given back.

        Raises:
            ConnectionError: one was given up.
        """
        asked = [channel._in_poll for channel in self._channels if channel._in_poll]
        super().maybe_check_brpop_health()
        if not all(connection.is_connected for connection in asked):
            raise ConnectionError("no answer")


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
