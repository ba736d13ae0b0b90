"""What became of the triggers of a local run: receipts, ledger and the simulator's journal, compared."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from rich.table import Table

PENDING = frozenset({"sending", "parked"})
REFUSED = frozenset({"rejected", "expired"})

TRIGGERS = """
    SELECT request_id, state, reason, attempts, possible_duplicate, duplicate_causes FROM audit.triggers
"""


@dataclass(frozen=True)
class Recorded:
    """A trigger as the ledger has it."""

    request_id: str
    state: str
    reason: str | None
    attempts: int
    possible_duplicate: bool
    causes: tuple[str, ...]


@dataclass(frozen=True)
class Called:
    """A call for a trigger as the simulator saw it; ``fault`` is the kind that it was met by."""

    request_id: str
    accepted: bool
    status: int | None = None
    fault: str | None = None


async def recorded_triggers(connection: asyncpg.Connection) -> list[Recorded]:
    """Every trigger of the ledger."""
    rows = await connection.fetch(TRIGGERS)
    return [Recorded(str(row[0]), row[1], row[2], row[3], row[4], tuple(row[5])) for row in rows]


def journal_calls(journal: Path) -> list[Called]:
    """Every call for a trigger that the simulator's journal has, in its order."""
    *lines, _ = journal.read_text(encoding="utf-8").split("\n")  # the last may be half written
    entries = (json.loads(line) for line in lines)
    return [
        Called(entry["request_id"], entry["accepted"], entry.get("status"), entry.get("fault"))
        for entry in entries
        if entry.get("request_id") is not None
    ]


def confirmed_ids(receipts: Path) -> set[str]:
    """The ids of the triggers that the broker confirmed to the publisher."""
    entries = (json.loads(line) for line in receipts.read_text(encoding="utf-8").splitlines())
    return {entry["request_id"] for entry in entries if entry.get("confirmed")}


def contradictions(recorded: Sequence[Recorded], calls: Sequence[Called], confirmed: Set[str]) -> list[str]:
    """What can't be true of a correct run; empty if publisher, ledger and journal tell the same story.

    Compared id by id: equal counts could hide one trigger lost and another one sent twice.
    """
    known = {row.request_id for row in recorded}
    accepted = Counter(call.request_id for call in calls if call.accepted)
    wrong = {
        "confirmed by the broker, but unknown to the ledger": confirmed - known,
        "known to the ledger, but never confirmed": known - confirmed,
        "not finished": [row.request_id for row in recorded if row.state in PENDING],
        "called, but unknown to the ledger": {call.request_id for call in calls} - known,
        "accepted in the ledger, but not in the journal": [
            row.request_id for row in recorded if row.state == "accepted" and not accepted[row.request_id]
        ],
        "rejected or expired in the ledger, but accepted in the journal": [
            row.request_id for row in recorded if row.state in REFUSED and accepted[row.request_id]
        ],
        "accepted twice, and not marked as a possible duplicate": [
            row.request_id for row in recorded if accepted[row.request_id] > 1 and not row.possible_duplicate
        ],
    }
    return [f"{len(ids):,} triggers {what}, such as {min(ids)}" for what, ids in wrong.items() if ids]


def outcome_table(recorded: Sequence[Recorded]) -> Table:
    """How many triggers ended in which state for which reason, and how many attempts that took."""
    table = Table("state", "reason")
    for column in ("triggers", "attempts", "retries"):
        table.add_column(column, justify="right")
    ends = Counter((row.state, row.reason or "") for row in recorded)
    attempts: Counter[tuple[str, str]] = Counter()
    retries: Counter[tuple[str, str]] = Counter()
    for row in recorded:
        attempts[row.state, row.reason or ""] += row.attempts
        retries[row.state, row.reason or ""] += max(row.attempts - 1, 0)
    for end, count in ends.most_common():
        table.add_row(*end, f"{count:,}", f"{attempts[end]:,}", f"{retries[end]:,}")
    table.add_section()
    table.add_row("all", "", f"{ends.total():,}", f"{attempts.total():,}", f"{retries.total():,}")
    return table


def duplicate_lines(recorded: Sequence[Recorded], calls: Sequence[Called]) -> Iterator[str]:
    """How many triggers may have been accepted twice, by cause, and how many the simulator says that were."""
    marked = [row for row in recorded if row.possible_duplicate]
    causes = Counter(cause for row in marked for cause in row.causes)
    by_cause = ", ".join(f"{cause} {count:,}" for cause, count in causes.most_common())
    yield f"Possible duplicates: {len(marked):,}" + (f" ({by_cause})." if by_cause else ".")
    accepted = Counter(call.request_id for call in calls if call.accepted)
    twice = sum(count > 1 for count in accepted.values())
    yield f"Accepted more than once by the simulator: {twice:,}, each of them marked if nothing is said below."
