"""Who is named, and for how long: read from the audit views alone, knowing nothing of the scenario."""

from dataclasses import dataclass
from statistics import median

from tests.support.database import query

CHARGED = """
    SELECT request_id, producer, c.system, c.seconds
    FROM audit.delays d LEFT JOIN LATERAL unnest(d.systems, d.system_seconds) AS c (system, seconds) ON true
    WHERE d.campaign = $1
"""
SHARE = 0.25
"""A system is named for a campaign if at least this share of its triggers is charged to it."""


@dataclass(frozen=True)
class Judgement:
    """The systems named, each with the median delay (seconds) of triggers charged to it, and how many these are."""

    triggers: int
    named: dict[str, tuple[float, int]]


def judge(database_url: str, campaign: str) -> Judgement:
    """Whose fault was it?"""
    rows = query(database_url, CHARGED, campaign)
    triggers = len({row["request_id"] for row in rows})
    charged: dict[str, list[float]] = {}
    for row in rows:
        if row["system"] is not None:
            charged.setdefault(row["system"], []).append(row["seconds"])
    named = {
        system: (median(seconds), len(seconds))
        for system, seconds in charged.items()
        if len(seconds) >= SHARE * triggers
    }
    return Judgement(triggers, named)


def mistakes(judgement: Judgement, systems: set[str], truth: dict[str, float], tolerance: float = 0.1) -> list[str]:
    """What is wrong with it; ``truth`` has the delay that each system really made, in seconds. Pure."""
    found = set(judgement.named)
    wrong = [f"{system} is not named" for system in sorted(systems - found)]
    wrong += [f"{system} is named" for system in sorted(found - systems)]
    for system in sorted(systems & found):
        seconds, real = judgement.named[system][0], truth[system]
        if abs(seconds - real) > tolerance * real:
            wrong.append(f"{system} is charged with {seconds:.2f} s, and it was {real:.2f} s")
    return wrong
