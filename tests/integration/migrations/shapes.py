"""Triggers of many shapes, invented by hypothesis, with the phases that a person would read off their timeline.

All times are whole microseconds, so that instants are exact; expected phases are in seconds.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from hypothesis import strategies as st
from uuid_utils.compat import uuid7

EVENT = datetime(2026, 11, 25, 12, tzinfo=UTC)
WAITS = ("backoff", "slot", "rate_limit", "token", "ledger")

short = st.integers(0, 90_000_000)
between_machines = st.integers(-5_000_000, 90_000_000)
"""Two machines' clocks: a wait between them may come out negative."""


@dataclass(frozen=True)
class Call:
    """One attempt. ``gap`` is what nobody measured before it; an interrupted one knows neither waits nor an answer."""

    gap: int
    waits: dict[str, int]
    took: int
    interrupted: bool
    headers_only: bool


@dataclass
class Shape:
    """A trigger's rows, and its phases as they should be; a phase is None as long as it isn't known."""

    trigger: dict[str, Any]
    attempts: list[dict[str, Any]] = field(default_factory=list)
    phases: dict[str, float | None] = field(default_factory=dict)


calls = st.lists(
    st.builds(
        Call,
        gap=st.integers(0, 2_000_000),
        waits=st.fixed_dictionaries(dict.fromkeys(WAITS, short)),
        took=short,
        interrupted=st.sampled_from([False, False, True]),
        headers_only=st.booleans(),
    ),
    max_size=5,
)


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    """A trigger in any state, of any round, with attempts that ended, failed or were cut off, and skewed clocks."""
    producer, broker = draw(st.none() | between_machines), draw(between_machines)
    outbox = draw(st.none() | between_machines)
    later_round, made, ended = draw(st.none() | short), draw(calls), draw(st.none() | short)

    began = moment(producer or 0)
    enqueued = later(began, outbox or 0)
    received = later(enqueued, broker)
    opened = received if later_round is None else later(received, later_round)
    round_number = 1 if later_round is None else 2
    taken_over = draw(st.booleans())
    request_id, now = uuid7(), opened
    rows: list[dict[str, Any]] = []
    spent = dict.fromkeys((*WAITS, "other", "handover", "headers"), 0)
    if round_number == 2:  # an attempt of an earlier round, which was over as soon as the trigger was received
        rows.append(attempt_row(request_id, 1, 1, Call(0, dict.fromkeys(WAITS, 7), 7, False, False), received))
        spent |= dict.fromkeys(WAITS, 7) | {"other": -7 * len(WAITS), "headers": 7}
    for number, call in enumerate(made, start=1):
        unknown = call.gap + (sum(call.waits.values()) if call.interrupted else 0)
        handed = number > 1 and (made[number - 2].interrupted or (taken_over and round_number == 1))
        spent["handover" if handed else "other"] += unknown
        for name, wait in call.waits.items():
            spent[name] += 0 if call.interrupted else wait
        spent["headers"] += 0 if call.interrupted else call.took
        dispatched = later(now, call.gap + sum(call.waits.values()))
        now = dispatched if call.interrupted else later(dispatched, call.took)
        rows.append(attempt_row(request_id, round_number, number, call, dispatched))
    completed = None if ended is None else later(now, ended)
    rest = {"other": 0, "handover": 0, "ending": 0}
    rest["other" if not made else "handover" if made[-1].interrupted else "ending"] = ended or 0
    total = None if completed is None else seconds(completed - (EVENT if producer is not None else began))
    return Shape(
        {
            "request_id": request_id,
            "batch_id": uuid4(),
            "occurred_at": None if producer is None else EVENT,
            "outbox_at": None if outbox is None else began,
            "enqueued_at": enqueued,
            "received_at": received,
            "round_opened_at": None if later_round is None else opened,
            "completed_at": completed,
            "fence": 2 if taken_over else 1,
            "recipients": 1,
            "round": round_number,
            "attempts_started": len(made),
            "campaign": "order-shipped",
            "lane": "standard",
            "state": "sending" if completed is None else "unconfirmed",
            "producer": "shop",
        },
        rows,
        {
            "producer": None if producer is None else producer / 1e6,
            "outbox": (outbox or 0) / 1e6,
            "broker": broker / 1e6,
            "redrive": 0 if later_round is None else (later_round - 7) / 1e6,
            **{name.replace("backoff", "back_off"): spent[name] / 1e6 for name in (*WAITS, "headers")},
            "other": (spent["other"] + rest["other"]) / 1e6,
            "handover": (spent["handover"] + rest["handover"]) / 1e6,
            "ending": None if completed is None else rest["ending"] / 1e6,
            "residual": 0,
            "total": total,
        },
    )


def attempt_row(request_id: Any, round_number: int, number: int, call: Call, dispatched: datetime) -> dict[str, Any]:
    """An attempt's row; where there are only headers, the rest of the answer never came."""
    waits = {f"{name}_wait_seconds": None if call.interrupted else wait / 1e6 for name, wait in call.waits.items()}
    took = None if call.interrupted else call.took / 1e6
    return {
        "request_id": request_id,
        "worker": uuid4(),
        "intended_at": dispatched,
        "dispatched_at": dispatched,
        "responded_at": None if call.interrupted else later(dispatched, call.took),
        **waits,
        "to_headers_seconds": took,
        "to_body_seconds": None if call.headers_only else took,
        "round": round_number,
        "attempt": number,
        "ambiguous": call.interrupted,
        "outcome": "interrupted" if call.interrupted else "retryable",
    }


def moment(microseconds: int) -> datetime:
    return later(EVENT, microseconds)


def later(begin: datetime, microseconds: int) -> datetime:
    return begin + timedelta(microseconds=microseconds)


def seconds(span: timedelta) -> float:
    return span / timedelta(seconds=1)
