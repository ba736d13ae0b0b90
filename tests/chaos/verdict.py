"""The verdict of a run, by sets of ids. Pure: evidence in, what is wrong out."""

from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import dataclass, field

TERMINAL = frozenset({"accepted", "rejected", "expired", "unconfirmed"})


@dataclass(frozen=True)
class Row:
    """A trigger as the ledger has it at the end."""

    state: str
    possible_duplicate: bool = False
    causes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """What each party says after a run; everything is known by request id.

    ``confirmed`` has the publisher's receipts, ``offered`` all that it tried to publish; ``in_broker`` what still
    waits; ``accepted`` how often the journal accepted each; ``suspects`` those in flight at a fault, or those
    whose call the simulator answered ambiguously: only they may be marked. ``late`` are attempts after their budget,
    ``outages`` what was kept back in the meantime, and why. ``came_to_rest``: everything had its state in time.
    """

    confirmed: Set[str]
    offered: Set[str]
    in_broker: Set[str]
    ledger: Mapping[str, Row]
    accepted: Mapping[str, int]
    suspects: Set[str]
    late: Set[str] = frozenset()
    outages: Set[str] = frozenset()
    came_to_rest: bool = True
    log_faults: tuple[str, ...] = ()
    leaks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Expectation:
    """What a fault allows: whether duplicates and outages at all, and states other than accepted."""

    duplicates: bool = True
    outages: bool = True
    states: Set[str] = field(default_factory=lambda: frozenset({"accepted"}))


@dataclass(frozen=True)
class Figures:
    """What the report shows of a run."""

    confirmed: int
    states: Counter[str]
    doubled: int
    marked: int
    causes: Counter[str]


def figures(evidence: Evidence) -> Figures:
    """Count what the report shows."""
    marked = [row for row in evidence.ledger.values() if row.possible_duplicate]
    return Figures(
        confirmed=len(evidence.confirmed),
        states=Counter(row.state for row in evidence.ledger.values()),
        doubled=sum(times > 1 for times in evidence.accepted.values()),
        marked=len(marked),
        causes=Counter(cause for row in marked for cause in row.causes),
    )


def findings(evidence: Evidence, expectation: Expectation) -> list[str]:
    """Everything that must not be; empty if the run passed."""
    rows, accepted = evidence.ledger, {key for key, times in evidence.accepted.items() if times}
    done = {key for key, row in rows.items() if row.state in TERMINAL or row.state == "parked"}
    doubled = {key for key, times in evidence.accepted.items() if times > 1}
    marked = {key for key, row in rows.items() if row.possible_duplicate}
    in_ledger = {key for key, row in rows.items() if row.state == "accepted"}
    unconfirmed = {key for key, row in rows.items() if row.state == "unconfirmed"}
    wrong = {
        "lost: confirmed, and in no state, neither parked nor in the broker": evidence.confirmed
        - done
        - evidence.in_broker,
        "in the ledger, but never offered": rows.keys() - evidence.offered,
        "called, but never offered": accepted - evidence.offered,
        "left sending": {key for key, row in rows.items() if row.state == "sending"},
        "accepted in the ledger, but not in the journal": in_ledger - accepted,
        "accepted in the journal, but in the ledger neither accepted nor unconfirmed": accepted
        - in_ledger
        - unconfirmed,
        "accepted more than once, and not marked": doubled - marked,
        "marked without a cause": {key for key in marked if not rows[key].causes},
        "marked, but neither in flight at a fault nor answered ambiguously": marked - evidence.suspects,
        "attempted after the budget": evidence.late,
        "in a state that this fault doesn't explain": {
            key for key, row in rows.items() if row.state in TERMINAL and row.state not in expectation.states
        },
    }
    if not expectation.duplicates:
        wrong["accepted more than once, where nothing may be"] = doubled
    if not expectation.outages:
        wrong["outages, where there is none"] = evidence.outages
    if not evidence.came_to_rest:
        wrong["left in the broker, long after all was well"] = evidence.in_broker - done
    told = [f"{len(keys):,} {what}, such as {min(keys)}" for what, keys in wrong.items() if keys]
    return [*told, *evidence.log_faults, *evidence.leaks]
