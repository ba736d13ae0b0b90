"""Watches a cluster: each rule that must hold at every moment, or at the end, is one method."""

from collections import Counter
from datetime import datetime, timedelta
from uuid import UUID

from tests.support.simulation.broker import Message
from tests.support.simulation.endpoint import Endpoint, Seen
from tests.support.simulation.loops import Loop, World
from tests.support.simulation.network import Network
from tests.support.simulation.tables import Attempt

NEARLY = timedelta(milliseconds=1)
"""How exactly the clocks of workers and ledger agree here."""


class Witness:
    """Sees every call, acceptance and acknowledgement, and notes in the world what is wrong."""

    def __init__(self, world: World, network: Network, budget: float, *, holds_ambiguous: bool) -> None:
        self._world = world
        self._network = network
        self._tables = network.tables
        self._budget = timedelta(seconds=budget)
        self._holds_ambiguous = holds_ambiguous
        self._first_calls: dict[UUID, datetime] = {}
        self._calls: dict[tuple[UUID, int, int], datetime] = {}
        self._used: set[tuple[UUID, int, int]] = set()
        self._acceptances: Counter[UUID] = Counter()
        self._taken_seen = 0
        self.worker_ids: dict[Loop, UUID] = {}
        self.expires: dict[UUID, datetime | None] = {}

    def called(self, call: Seen) -> None:
        """A call has come to the endpoint."""
        if self._announced(call):
            self._in_time(call)
            self._not_before_retry_after(call)

    def accepted(self, call: Seen) -> None:
        """A call is accepted: the second time, the ledger must already call it a possible duplicate."""
        self._acceptances[call.request_id] += 1
        if self._holds_ambiguous and self._acceptances[call.request_id] > 1:
            self._fail(call.request_id, "accepted twice, although what may have been accepted is held")
        row = self._tables.triggers[call.request_id]
        if self._acceptances[call.request_id] > 1 and not (row.possible_duplicate and row.duplicate_causes):
            self._fail(call.request_id, f"accepted {self._acceptances[call.request_id]} times, and not marked")

    def acknowledged(self, message: Message) -> None:
        """A message is acknowledged: each of its triggers must have its state."""
        for request_id in message.request_ids:
            row = self._tables.triggers.get(request_id)
            if row is None or row.state == "sending":
                self._fail(request_id, f"acknowledged with message {message.number} while {row and row.state}")

    def look(self, endpoint: Endpoint) -> None:
        """What must hold whenever one looks."""
        for taken in self._tables.taken[self._taken_seen :]:
            if not self._world.disturbed:
                self._fail(taken.request_id, "taken over although no worker was disturbed")
        self._taken_seen = len(self._tables.taken)
        for request_id, owner in self._tables.grasped:
            self._fail(request_id, f"somebody wanted to take it over from worker {owner}, who was never seen dead")
        for request_id, row in self._tables.triggers.items():
            if row.state == "accepted" and not endpoint.accepted(request_id):
                self._fail(request_id, "accepted in the ledger, and not by the endpoint")

    def look_back(self, endpoint: Endpoint) -> None:
        """What must hold in the end."""
        for request_id in self.expires:
            row = self._tables.triggers.get(request_id)
            if row is None or row.state == "sending":
                self._fail(request_id, f"left in state {row and row.state}")
                continue
            if endpoint.accepted(request_id) and row.state not in ("accepted", "unconfirmed"):
                self._fail(request_id, f"accepted by the endpoint, and {row.state} in the ledger")
            if (row.state == "accepted") == (request_id in self._tables.held):
                self._fail(
                    request_id, f"{row.state}, and its payload is {'' if row.state == 'accepted' else 'not '}held"
                )
            if row.state == "accepted" and not any(one.outcome == "accepted" for one in self._attempts(request_id)):
                self._fail(request_id, "accepted, and no attempt on record was")
            if row.possible_duplicate and not self._was_in_doubt(request_id):
                self._fail(request_id, f"marked {row.duplicate_causes}, but no attempt was ambiguous or interrupted")

    def _announced(self, call: Seen) -> bool:
        """Whether it was announced, and may be sent."""
        row, sender = self._tables.triggers.get(call.request_id), self.worker_ids[call.loop]
        if row is None:
            self._fail(call.request_id, "sent before it was admitted")
            return False
        key = (row.request_id, row.fence, row.attempts_started)
        if self._tables.announced.get(key) != sender:
            text = f"sent by worker {sender.int}, who has not announced {key[1:]} (fence, attempt)"
            self._fail(call.request_id, text)
            return False
        if key in self._used:
            self._fail(call.request_id, f"sent twice under one announcement {key[1:]} (fence, attempt)")
        self._used.add(key)
        return True

    def _in_time(self, call: Seen) -> None:
        row, now = self._tables.triggers.get(call.request_id), self._network.true_now()
        first = self._first_calls.setdefault(call.request_id, now)
        if row is not None:
            self._calls[row.request_id, row.round, row.attempts_started] = now
        if self._network.clock_was_set:
            row, expires = None, None  # instants in the ledger are of another clock
        else:
            expires = self.expires[call.request_id]
        if row is not None and row.fence > 1 and row.first_dispatched_at is not None:
            first = min(first, row.first_dispatched_at)
        unnoticed = self._network.clock_was_set and not self._tables.clock_steps  # while nobody lived: no stamp tells
        if now > first + self._budget + NEARLY and not unnoticed:
            self._fail(call.request_id, f"sent {(now - first).total_seconds():.3f} s after its first dispatch")
        if expires is not None and now > expires + NEARLY:
            self._fail(call.request_id, f"sent {(now - expires).total_seconds():.3f} s after its expires_at")

    def _not_before_retry_after(self, call: Seen) -> None:
        taken_at = max((one.at for one in self._tables.taken if one.request_id == call.request_id), default=None)
        for key, attempt in self._tables.attempts.items():
            request_id, _, number = key
            if request_id != call.request_id or attempt.not_before is None:
                continue
            if taken_at is not None and taken_at < attempt.written_at and attempt.worker != self.worker_ids[call.loop]:
                continue  # a worker taken for dead wrote it after its trigger had gone
            not_before = attempt.not_before
            if self._network.clock_was_set:  # at the earliest it was answered when it was called
                if key not in self._calls or attempt.retry_after_seconds is None:
                    continue
                not_before = self._calls[key] + timedelta(seconds=attempt.retry_after_seconds)
            early = not_before - self._network.true_now()
            if early > NEARLY:
                text = f"sent {early.total_seconds():.3f} s before the Retry-After of attempt {number} was over"
                self._fail(call.request_id, text)

    def _was_in_doubt(self, request_id: UUID) -> bool:
        cut_off = any(taken.request_id == request_id and taken.interrupted for taken in self._tables.taken)
        return cut_off or any(one.ambiguous for one in self._attempts(request_id))

    def _attempts(self, request_id: UUID) -> list[Attempt]:
        return [made for key, made in self._tables.attempts.items() if key[0] == request_id]

    def _fail(self, request_id: UUID, text: str) -> None:
        self._world.fail(f"trigger {request_id.int}: {text}")
