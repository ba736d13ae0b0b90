"""What a local run is reported with."""

from collections import Counter
from collections.abc import Iterator, Sequence

from rich.table import Table

from ajo_local.outcome import Called, Recorded


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
