"""A model of the ledger's tables: what the statements of ledger/admission.py and ledger/attempts.py do, without SQL.

tests/integration/worker/ledger/test_tables.py holds it to what PostgreSQL does.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from ajo_worker.ledger.admission import MOST_AHEAD, Admission, Known
from ajo_worker.ledger.attempts import AttemptRow, Ending, Intent
from ajo_worker.ledger.ownership import Release, Takeover


@dataclass(slots=True)
class WorkerRow:
    """As much of a row of ledger.workers as decides whether a worker lives."""

    heartbeat_at: datetime
    owner_timeout: timedelta
    stopped_at: datetime | None = None

    @property
    def newest(self) -> datetime:
        """Its newest stamp."""
        return max(self.heartbeat_at, self.stopped_at or self.heartbeat_at)


@dataclass(slots=True)
class TriggerRow:
    """A row of ledger.triggers, less what no statement reads."""

    request_id: UUID
    owner: UUID | None
    state: str
    reason: str | None
    first_dispatched_at: datetime | None
    last_intent_at: datetime | None
    completed_at: datetime | None
    attempts_started: int
    fence: int = 1
    round: int = 1
    redeliveries: int = 0
    possible_duplicate: bool = False
    duplicate_causes: tuple[str, ...] = ()
    execution_id: str | None = None


@dataclass(slots=True)
class Attempt:
    """A row of ledger.attempts, less its waits; ``written_at`` is the model's own."""

    worker: UUID | None
    outcome: str
    ambiguous: bool
    responded_at: datetime | None
    retry_after_seconds: float | None
    http_status: int | None
    failure: str | None
    written_at: datetime

    @property
    def not_before(self) -> datetime | None:
        """Until when its ``Retry-After`` asked to wait, by the ledger's clock as it was."""
        if self.responded_at is None or self.retry_after_seconds is None:
            return None
        return self.responded_at + timedelta(seconds=self.retry_after_seconds)


@dataclass(frozen=True, slots=True)
class ClockStep:
    """A row of ledger.clock_steps."""

    noticed_at: datetime
    stamped_since: datetime
    stamped_until: datetime
    seconds: float


@dataclass(frozen=True, slots=True)
class Taken:
    """A trigger that changed hands."""

    request_id: UUID
    before: UUID | None
    by: UUID
    interrupted: bool
    at: datetime


@dataclass(slots=True)
class Tables:
    """The tables, since when their server runs, and what nobody can read off them afterwards.

    ``announced`` has every announcement (trigger, fence, attempt) with its worker, ``taken`` every takeover,
    ``seen_dead`` the owners that a look found dead, ``grasped`` what was to be taken from an owner not seen dead.
    """

    started_at: datetime
    workers: dict[UUID, WorkerRow] = field(default_factory=dict)
    triggers: dict[UUID, TriggerRow] = field(default_factory=dict)
    attempts: dict[tuple[UUID, int, int], Attempt] = field(default_factory=dict)
    held: dict[UUID, tuple[int, bytes, str | None]] = field(default_factory=dict)
    clock_steps: list[ClockStep] = field(default_factory=list)
    announced: dict[tuple[UUID, int, int], UUID | None] = field(default_factory=dict)
    taken: list[Taken] = field(default_factory=list)
    seen_dead: set[tuple[UUID, UUID | None]] = field(default_factory=set)
    grasped: list[tuple[UUID, UUID | None]] = field(default_factory=list)

    def time(self, now: datetime) -> dict[str, Any]:
        """TIME."""
        return {"at": now, "ahead": any(row.newest > now + MOST_AHEAD for row in self.workers.values())}

    def note_clock_step(self, stepped: float | None, now: datetime) -> float:
        """CLOCK_STEP."""
        if stepped is None:
            if not self.workers:
                return 0.0
            stepped = (now - max(row.newest for row in self.workers.values())).total_seconds()
        was = now - timedelta(seconds=stepped)
        slack = max((row.owner_timeout for row in self.workers.values()), default=timedelta())
        self.clock_steps.append(ClockStep(now, was - timedelta(minutes=10), was + slack, stepped))
        for row in self.workers.values():
            if stepped < 0:
                row.heartbeat_at = min(row.heartbeat_at, now)
                row.stopped_at = row.stopped_at and min(row.stopped_at, now)
            elif row.stopped_at is None and was - row.owner_timeout < row.heartbeat_at < now:
                row.heartbeat_at = now
        return stepped

    def beat(self, worker: UUID, now: datetime, *, owner_timeout: float) -> None:
        """BEAT."""
        self.workers.setdefault(worker, WorkerRow(now, timedelta(seconds=owner_timeout))).heartbeat_at = now

    def stop(self, worker: UUID, now: datetime) -> None:
        """STOPPED."""
        if worker in self.workers:
            self.workers[worker].stopped_at = now

    def lives(self, worker: UUID | None, now: datetime) -> bool:
        """ledger.lives."""
        row = self.workers.get(worker) if worker else None
        if row is None or row.stopped_at is not None:
            return False
        started = self.started_at if self.started_at <= now else row.heartbeat_at
        return max(row.heartbeat_at, started) > now - row.owner_timeout

    def insert(self, rows: Iterable[Admission]) -> list[UUID]:
        """INSERT and INSERT_HELD: the ids that were new."""
        fresh = []
        for row in rows:
            if row.request_id in self.triggers:
                continue
            self.triggers[row.request_id] = TriggerRow(
                request_id=row.request_id,
                owner=row.owner,
                state=row.state,
                reason=row.reason,
                first_dispatched_at=row.intended_at,
                last_intent_at=row.intended_at,
                completed_at=row.completed_at,
                attempts_started=row.attempts_started,
            )
            fresh.append(row.request_id)
            if row.payload is not None:
                self.held.setdefault(row.request_id, (1, row.payload, row.reason))
            if row.state == "sending":
                self.announced[row.request_id, 1, row.attempts_started] = row.owner
        return fresh

    def look(self, request_ids: Iterable[UUID], now: datetime) -> dict[UUID, Known]:
        """LOOK."""
        found = {}
        for request_id in request_ids:
            row = self.triggers.get(request_id)
            if row is None:
                continue
            alive = self.lives(row.owner, now)
            if not alive:
                self.seen_dead.add((request_id, row.owner))
            attempts = {key[2]: made for key, made in self.attempts.items() if key[:2] == (request_id, row.round)}
            found[request_id] = Known(
                state=row.state,
                owner=row.owner,
                owner_alive=alive,
                fence=row.fence,
                round=row.round,
                attempts_started=row.attempts_started,
                first_dispatched_at=row.first_dispatched_at,
                last_intent_at=row.last_intent_at,
                last_attempt_recorded=row.attempts_started in attempts,
                not_before=max((self._not_before(made) for made in attempts.values() if made.not_before), default=None),
                ambiguous_attempts=sum(made.ambiguous for made in attempts.values()),
                ambiguous_before=0,  # it has no second rounds
                interrupted_attempts=sum(made.outcome == "interrupted" for made in attempts.values()),
                looked_at=now,
                before_step=row.first_dispatched_at is not None
                and any(
                    step.seconds < 0 and step.stamped_since <= row.first_dispatched_at <= step.stamped_until
                    for step in self.clock_steps
                ),
            )
        return found

    def _not_before(self, made: Attempt) -> datetime:
        assert made.not_before is not None
        assert made.responded_at is not None
        leaps = [
            step.seconds
            for step in self.clock_steps
            if step.seconds > 0 and made.responded_at <= step.noticed_at - timedelta(seconds=step.seconds)
        ]
        return made.not_before + timedelta(seconds=max(leaps, default=0.0))

    def intend(self, intents: Iterable[Intent]) -> list[UUID]:
        """INTEND: the ids whose attempts are announced."""
        kept = []
        for intent in intents:
            row = self.triggers.get(intent.request_id)
            if row is None or row.fence != intent.fence or row.state != "sending":
                continue
            if row.attempts_started > intent.attempt:
                continue
            row.attempts_started, row.last_intent_at = intent.attempt, intent.intended_at
            row.first_dispatched_at = row.first_dispatched_at or intent.intended_at
            if intent.duplicate_cause is not None:
                row.possible_duplicate = True
                if intent.duplicate_cause not in row.duplicate_causes:
                    row.duplicate_causes = (*row.duplicate_causes, intent.duplicate_cause)
            self.announced[intent.request_id, intent.fence, intent.attempt] = row.owner
            kept.append(intent.request_id)
        return kept

    def record(self, attempts: Iterable[AttemptRow], now: datetime) -> None:
        """RECORD: the attempts."""
        for attempt in attempts:
            key = (attempt.request_id, attempt.round, attempt.attempt)
            before = self.attempts.get(key)
            if before is not None and (before.outcome != "interrupted" or attempt.outcome == "interrupted"):
                continue
            self.attempts[key] = Attempt(
                worker=before.worker if before else attempt.worker,
                outcome=attempt.outcome,
                ambiguous=attempt.ambiguous,
                responded_at=attempt.responded_at,
                retry_after_seconds=attempt.retry_after_seconds,
                http_status=attempt.http_status,
                failure=attempt.failure,
                written_at=now,
            )

    def accept(
        self,
        attempts: Iterable[AttemptRow],
        first_dispatched: Iterable[datetime],
        completed: Iterable[datetime],
        now: datetime,
    ) -> int:
        """ACCEPT: how many triggers it ended."""
        ended = 0
        for attempt, first_dispatched_at, completed_at in zip(attempts, first_dispatched, completed, strict=True):
            row = self.triggers.get(attempt.request_id)
            if row is None or (row.state, row.fence, row.round) != ("sending", 1, 1):
                continue
            row.state, row.completed_at, row.execution_id = "accepted", completed_at, attempt.execution_id
            row.first_dispatched_at, row.attempts_started = first_dispatched_at, attempt.attempt
            assert (attempt.request_id, 1, attempt.attempt) not in self.attempts, "a duplicate key would roll it back"
            self.record([attempt], now)
            ended += 1
        return ended

    def accepted(self, request_ids: Iterable[UUID]) -> list[UUID]:
        """ACCEPTED."""
        rows = [self.triggers[one] for one in request_ids if one in self.triggers]
        return [row.request_id for row in rows if (row.state, row.fence, row.round) == ("accepted", 1, 1)]

    def ends(self, end: Ending) -> bool:
        """Whether RECORD would set this state."""
        row = self.triggers.get(end.request_id)
        if row is None:
            return False
        if end.state == "accepted":
            return row.state in {"sending", "parked", "unconfirmed"}
        return row.state == "sending" and row.fence == end.fence

    def end(self, endings: Iterable[Ending]) -> list[UUID]:
        """RECORD: the ids whose state it set."""
        ended = []
        for end in endings:
            if not self.ends(end):
                continue
            row = self.triggers[end.request_id]
            row.state, row.reason = end.state, end.reason
            row.completed_at, row.execution_id = end.completed_at, end.execution_id
            if row.fence == end.fence:
                row.first_dispatched_at = end.first_dispatched_at or row.first_dispatched_at
                row.attempts_started = end.attempts_started
            if end.payload is not None:
                self.held[end.request_id] = (row.round, end.payload, end.reason or end.state)
            elif row.round > 1 or row.fence != end.fence:
                self.held.pop(end.request_id, None)
            ended.append(end.request_id)
        return ended

    def take_over(self, takeovers: Iterable[Takeover], now: datetime) -> list[UUID]:
        """TAKE_OVER: the ids that changed hands."""
        taken = []
        for wanted in takeovers:
            row = self.triggers.get(wanted.request_id)
            if row is None or row.fence != wanted.fence or row.state != "sending":
                continue
            if row.owner != wanted.owner and wanted.owner in self.workers and not self.lives(wanted.owner, now):
                continue
            if row.owner != wanted.owner and self.lives(row.owner, now):
                if (row.request_id, row.owner) not in self.seen_dead:
                    self.grasped.append((row.request_id, row.owner))
                continue
            last = (row.request_id, row.round, row.attempts_started)
            if row.attempts_started != wanted.attempts_started or (wanted.interrupted and last in self.attempts):
                continue
            self.taken.append(Taken(row.request_id, row.owner, wanted.owner, wanted.interrupted, now))
            if wanted.interrupted:
                self.attempts[last] = Attempt(
                    row.owner or wanted.owner, "interrupted", True, None, None, None, None, now
                )
            if wanted.marked:
                row.possible_duplicate = True
                if "worker-crash" not in row.duplicate_causes:
                    row.duplicate_causes = (*row.duplicate_causes, "worker-crash")
            row.owner = wanted.owner
            row.fence += 1
            row.redeliveries += 1
            taken.append(row.request_id)
        return taken

    def release(self, releases: Iterable[Release]) -> None:
        """RELEASE."""
        for given_up in releases:
            row = self.triggers.get(given_up.request_id)
            if row is not None and row.fence == given_up.fence and row.state == "sending":
                row.owner, row.attempts_started = None, given_up.attempts
                row.fence += 1
