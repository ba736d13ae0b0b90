"""Who is named, for how long, and with which share of all seconds: read from the audit views alone.

The judge knows nothing of the scenario; the truth comes to it afterwards.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from statistics import median

from tests.support.database import query

CHARGED = """
    SELECT request_id, producer, c.system, c.seconds
    FROM audit.delays d LEFT JOIN LATERAL unnest(d.systems, d.system_seconds) AS c (system, seconds) ON true
    WHERE d.campaign = $1
"""
SPENT = """
    SELECT p.phase, p.system, coalesce((to_jsonb(d) ->> (replace(p.phase, '-', '_') || '_seconds'))::float8, 0)
        AS seconds
    FROM audit.delays d JOIN audit.phases p ON p.system IS NOT NULL
    WHERE d.campaign = $1 AND p.phase NOT IN ('skew', 'departure', 'delivery')
"""
ANSWERED = """
    SELECT request_id, to_headers_seconds AS seconds FROM audit.attempts
    WHERE round = 1 AND attempt = 1 AND to_headers_seconds IS NOT NULL
"""
NAMED = 0.25
"""A system is named for a campaign if at least this share of its triggers is charged to it."""
POINTS = 0.10
"""How far a share may be from the truth, and how much of the seconds may be ours where we did nothing wrong."""
OTHER_SECONDS = 0.05
"""What the phase ``other`` may take at the 99th percentile: whatever nobody has measured."""
ANSWER_SECONDS = 0.01
"""How far the ledger and the journal may be apart at the 99th percentile."""
WORTH = 1.0
"""Below so many seconds a trigger nobody asks whose they are."""


@dataclass(frozen=True)
class Judgement:
    """The systems named, each with the median delay (seconds) of triggers charged to it, and how many these are.

    ``charged`` are the seconds of late phases by system, ``spent`` those of all phases up to the end, of all triggers;
    ``other`` is the 99th percentile of that phase, and ``answers`` says what the first call of each trigger took.
    """

    triggers: int
    named: dict[str, tuple[float, int]]
    charged: Mapping[str, float] = field(default_factory=dict)
    spent: Mapping[str, float] = field(default_factory=dict)
    phases: Mapping[str, float] = field(default_factory=dict)
    other: float = 0.0
    answers: Mapping[str, float] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Truth:
    """What was really late: ``typical`` has the delay of each late trigger by system, in seconds, if they are alike.

    ``seconds`` has the sums over all triggers up to their ends, if they are known; ``answers`` what the endpoint took
    for the first call of each trigger, where that is to agree. ``crowded`` is whether the worker waited longer for a
    processor than it had one: then it is late, too, whatever else was.
    """

    typical: Mapping[str, float] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    answers: Mapping[str, float] = field(default_factory=dict, repr=False)
    crowded: bool = False


def judge(database_url: str, campaign: str) -> Judgement:
    """Whose fault was it?"""
    rows = query(database_url, CHARGED, campaign)
    triggers = len({row["request_id"] for row in rows})
    delays: dict[str, list[float]] = {}
    for row in rows:
        if row["system"] is not None:
            delays.setdefault(row["system"], []).append(row["seconds"])
    phases: dict[tuple[str, str], list[float]] = {}
    for row in query(database_url, SPENT, campaign):
        phases.setdefault((row["phase"], row["system"]), []).append(row["seconds"])
    spent: dict[str, float] = {}
    for (_, system), seconds in phases.items():
        spent[system] = spent.get(system, 0.0) + sum(seconds)
    return Judgement(
        triggers,
        {
            system: (median(seconds), len(seconds))
            for system, seconds in delays.items()
            if len(seconds) >= NAMED * triggers
        },
        {system: sum(seconds) for system, seconds in delays.items()},
        spent,
        {phase: sum(seconds) for (phase, _), seconds in phases.items() if sum(seconds) > WORTH},
        next((percentile(seconds) for (phase, _), seconds in phases.items() if phase == "other"), 0.0),
        {str(row["request_id"]): row["seconds"] for row in query(database_url, ANSWERED)},
    )


def percentile(seconds: list[float], share: float = 0.99) -> float:
    """The smallest value that so large a share of the values doesn't exceed."""
    return sorted(seconds)[ceil(share * len(seconds)) - 1] if seconds else 0.0


def mistakes(judgement: Judgement, truth: Truth) -> list[str]:
    """What is wrong with a judgement. Pure."""
    guilty = {*truth.typical, *truth.seconds}
    wrong = _medians(judgement, truth.typical) if truth.typical else []
    if truth.typical:
        wrong += _shares("charged", judgement.charged, truth.typical)
    if truth.seconds:
        wrong += [f"{system} is named" for system in sorted(judgement.named.keys() - guilty)]
        wrong += _shares("spent", judgement.spent, truth.seconds)
    innocent = "worker" not in guilty and not truth.crowded
    if guilty and innocent and sum(judgement.spent.values()) > WORTH * judgement.triggers:
        ours = _share(judgement.spent, "worker")
        wrong += [f"{ours:.0%} of the seconds are ours, who did nothing wrong"] if ours >= POINTS else []
    if judgement.other > OTHER_SECONDS and not truth.crowded:
        wrong.append(f"other takes {judgement.other:.3f} s")
    return [*wrong, *_answers(judgement.answers, truth.answers)]


def _medians(judgement: Judgement, typical: Mapping[str, float], tolerance: float = 0.1) -> list[str]:
    systems, found = set(typical), set(judgement.named)
    wrong = [f"{system} is not named" for system in sorted(systems - found)]
    wrong += [f"{system} is named" for system in sorted(found - systems)]
    for system in sorted(systems & found):
        seconds, real = judgement.named[system][0], typical[system]
        if abs(seconds - real) > tolerance * real:
            wrong.append(f"{system} is charged with {seconds:.2f} s, and it was {real:.2f} s")
    return wrong


def _shares(what: str, found: Mapping[str, float], real: Mapping[str, float]) -> list[str]:
    pairs = [(system, _share(found, system), _share(real, system)) for system in sorted({*found, *real})]
    return [
        f"{share:.0%} of the seconds {what} are of {system}, and it was {true:.0%}"
        for system, share, true in pairs
        if abs(share - true) > POINTS
    ]


def _share(seconds: Mapping[str, float], system: str) -> float:
    total = sum(seconds.values())
    return seconds.get(system, 0.0) / total if total else 0.0


def _answers(found: Mapping[str, float], real: Mapping[str, float]) -> list[str]:
    if not real:
        return []
    if missing := real.keys() - found.keys():
        return [f"{len(missing)} answers are not in the ledger"]
    apart = percentile([abs(found[key] - seconds) for key, seconds in real.items()])
    return [f"answers differ by {apart * 1000:.1f} ms from the endpoint's"] if apart > ANSWER_SECONDS else []
