"""What was scripted for the triggers of a local run, and whom the ledger blames for their delay: the two, compared."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import asyncpg
from ajo_worker.words import system_name
from rich.table import Table

from ajo_local.outcome import Called

FAULTS = {
    ("status", 400): "400: refused",
    ("status", 409): "409: perhaps accepted before",
    ("status", 503): "503: overloaded",
    ("status", 504): "504: a gateway's",
    ("rate-limit", 429): "429: told to wait",
    ("slow", 202): "a slow answer",
    ("reset-before", None): "reset before the call was taken",
    ("reset-after", None): "reset after it was taken",
}
NONE = "nothing"

DELAYS = "SELECT request_id, systems, coalesce(delay_seconds, 0) AS seconds FROM audit.delays"


@dataclass(frozen=True)
class Blamed:
    """Whom the ledger charges with a trigger's delay, the most guilty first, and with how many seconds that one."""

    request_id: str
    systems: tuple[str, ...]
    seconds: float


async def blamed_triggers(connection: asyncpg.Connection) -> list[Blamed]:
    """Every trigger of the ledger."""
    rows = await connection.fetch(DELAYS)
    return [Blamed(str(row["request_id"]), tuple(row["systems"]), row["seconds"]) for row in rows]


def scripted_faults(calls: Iterable[Called]) -> dict[str, str]:
    """The first fault that each trigger met, in words; those that met none are not among them."""
    met: dict[str, str] = {}
    for call in calls:
        if call.fault is not None:
            met.setdefault(call.request_id, FAULTS.get((call.fault, call.status)) or str(call.status or call.fault))
    return met


def blame_table(blamed: Sequence[Blamed], scripted: Mapping[str, str]) -> Table:
    """For each fault, those first that made most late: how many met it, how many were late, who is charged with it."""
    table = Table("scripted", title_justify="left")
    for column in ("triggers", "late", "seconds"):
        table.add_column(column, justify="right")
    table.add_column("late because of")
    groups: dict[str, list[Blamed]] = defaultdict(list)
    for one in blamed:
        groups[scripted.get(one.request_id, NONE)].append(one)
    late_ones = {fault: [one for one in group if one.systems] for fault, group in groups.items()}
    for fault in sorted(groups, key=lambda fault: (fault == NONE, -len(late_ones[fault]), fault)):
        late = late_ones[fault]
        charged = Counter(system_name(one.systems[0]) for one in late)
        named = ", ".join(f"{system} {count:,}" for system, count in charged.most_common())
        seconds = f"{sum(one.seconds for one in late):,.1f}" if late else ""
        table.add_row(fault, f"{len(groups[fault]):,}", f"{len(late):,}", seconds, named)
    return table
