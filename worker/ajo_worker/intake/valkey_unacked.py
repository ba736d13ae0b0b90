"""What is taken from Redis or Valkey and not yet acknowledged: given back by a script on the server, in one step.

Times are the server's: a worker's wrong clock neither keeps messages back nor hands them out too early.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import structlog
from kombu.transport import redis, virtual

from ajo_worker.intake.valkey_scripts import ABANDONED, GIVE_BACK, GIVE_BACK_OF, RENEW

log = structlog.get_logger("ajo_worker.intake")

MOST_AT_ONCE = 16
"""Messages that one round trip brings at most."""
MOST_GIVEN_BACK = 1000
MOST_TOLD = 300
"""Characters of what a broker says that are logged."""
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
