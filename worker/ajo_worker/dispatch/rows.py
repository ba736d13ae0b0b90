"""Ledger rows and the wide log event, made from what is in hand. Pure, but for the clock's estimate of the time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from ajo_producers.contract.storable import storable

from ajo_worker.api.verdict import Verdict
from ajo_worker.dispatch.attempt import Policy, Round, Sent
from ajo_worker.dispatch.decision import End
from ajo_worker.ledger.admission import Admission
from ajo_worker.ledger.attempts import AttemptRow, Ending
from ajo_worker.ledger.clock import LedgerClock
from ajo_worker.ledger.quarantine import DifferingCopy
from ajo_worker.triggers.received import Received, content_digest, recipient_hashes
from ajo_worker.triggers.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one worker. Payloads of what is not accepted are sealed by the policy's newest key."""

    clock: LedgerClock
    worker: UUID
    policy: Policy

    def admission(self, received: Received, refused: Refusal | None, now: float) -> Admission:
        """A trigger's first row: with its first attempt announced, or ended by ``refused``."""
        trigger, moment = received.trigger, self.clock.at(now)
        key_id, payload = self.policy.sealer().seal(received.payload) if refused else (None, None)
        return Admission(
            request_id=trigger.request_id,
            campaign=storable(trigger.campaign),
            lane=received.lane,
            batch_id=received.batch_id,
            producer=storable(received.producer),
            trace_id=storable(trigger.trace_id) if trigger.trace_id else None,
            recipients=len(trigger.recipients),
            recipient_hashes=recipient_hashes(trigger.recipients, self.policy.hash_key),
            state=refused.state if refused else "sending",
            reason=refused.reason if refused else None,
            occurred_at=trigger.occurred_at,
            outbox_at=trigger.outbox_at,
            enqueued_at=received.enqueued_at,
            received_at=received.received_at,
            intended_at=None if refused else moment,
            completed_at=moment if refused and refused.state != "parked" else None,
            attempts_started=0 if refused else 1,
            expires_at=trigger.expires_at,
            owner=self.worker,
            resume_at=_resume_at(refused, moment),
            key_id=key_id,
            payload=payload,
            call_digest=received.call_digest,
            content_digest=content_digest(received, self.policy.hash_key),
        )

    def differing_copy(self, received: Received, digest: bytes) -> DifferingCopy:
        """What is on record of a copy that has other content than the trigger that the ledger knows."""
        trigger = received.trigger
        return DifferingCopy(
            request_id=trigger.request_id,
            content_digest=digest,
            received_at=received.received_at,
            enqueued_at=received.enqueued_at,
            campaign=storable(trigger.campaign),
            producer=storable(received.producer),
            trace_id=storable(trigger.trace_id) if trigger.trace_id else None,
            batch_id=received.batch_id,
            recipients=len(trigger.recipients),
            recipient_hashes=recipient_hashes(trigger.recipients, self.policy.hash_key),
            worker=self.worker,
        )

    def attempt(self, sent: Sent, verdict: Verdict) -> AttemptRow:
        """What came of one attempt."""
        announced, attempt, result, clock = sent.announced, sent.announced.attempt, sent.result, self.clock
        dispatched, waits = sent.dispatched + result.start_lag, attempt.waits
        # The loop had not come round to the call, and then to its first byte.
        lag = max(sent.dispatched - announced.intended - announced.ledger_wait, 0.0) + result.start_lag
        return AttemptRow(
            request_id=attempt.received.trigger.request_id,
            round=announced.round.number,
            attempt=announced.round.history.attempts + 1,
            worker=self.worker,
            intended_at=clock.at(announced.intended),
            dispatched_at=clock.at(dispatched),
            responded_at=clock.at(dispatched + result.seconds),
            intake_wait_seconds=waits.intake + lag,
            backoff_wait_seconds=attempt.backoff_wait,
            slot_wait_seconds=waits.slot,
            congestion_wait_seconds=waits.congestion,
            rate_limit_wait_seconds=waits.rate_limit,
            throttle_wait_seconds=waits.throttle,
            ramp_wait_seconds=waits.ramp,
            silence_wait_seconds=waits.silence,
            token_wait_seconds=waits.token,
            ledger_wait_seconds=waits.ledger + announced.ledger_wait,
            to_headers_seconds=result.to_headers,
            to_body_seconds=result.seconds,
            lag_seconds=result.lag,
            retry_after_seconds=verdict.retry_after,
            http_status=verdict.http_status,
            error_code=storable(verdict.error_code),
            error_title=storable(verdict.error_title),
            outcome=verdict.outcome,
            ambiguous=verdict.ambiguous,
            failure=verdict.failure,
            adobe_request_id=storable(verdict.adobe_request_id),
            answered_request_id=storable(verdict.answered_request_id),
            execution_id=storable(verdict.execution_id),
        )

    def ending(
        self, received: Received, current: Round, end: End, execution_id: str | None, refused: Refusal | None = None
    ) -> Ending:
        """The state that a trigger ends in, perhaps without an attempt; whatever was not accepted keeps its payload."""
        sent_by_us = current.fence == 1 and current.budget is not None
        now, in_vain = self.clock.now(), refused.in_vain if refused else None
        key_id, payload = (None, None) if end.state == "accepted" else self.policy.sealer().seal(received.payload)
        return Ending(
            request_id=received.trigger.request_id,
            fence=current.fence,
            campaign=storable(received.trigger.campaign),
            state=end.state,
            reason=end.reason,
            first_dispatched_at=self.clock.at(current.budget.started) if sent_by_us and current.budget else None,
            completed_at=None if end.state == "parked" else now,
            attempts_started=current.history.attempts,
            execution_id=storable(execution_id),
            resume_at=_resume_at(end, now),
            key_id=key_id,
            payload=payload,
            call_digest=received.call_digest,
            waited_in_vain=msgspec.json.encode(in_vain).decode() if in_vain else None,
        )


def _resume_at(end: End | Refusal | None, now: datetime) -> datetime | None:
    return (end.resume_at or now) if end and end.state == "parked" else None


def wide_event(received: Received, attempt: AttemptRow, end: End | None) -> dict[str, Any]:
    """One event an attempt, with the names of the ledger's columns, so that log and row agree."""
    return {
        "request_id": str(attempt.request_id),
        "campaign": received.trigger.campaign,
        "round": attempt.round,
        "attempt": attempt.attempt,
        "outcome": attempt.outcome,
        "ambiguous": attempt.ambiguous,
        "http_status": attempt.http_status,
        "error_code": attempt.error_code,
        "failure": attempt.failure,
        "answered_request_id": attempt.answered_request_id,
        "to_body_seconds": attempt.to_body_seconds,
        "state": end.state if end else "sending",
        "reason": end.reason if end else None,
    }
