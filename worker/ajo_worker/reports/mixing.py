"""Percentiles of many triggers together, from those of groups of them.

Each group says how many it has, and four of its percentiles. Between these its values are taken to be spread evenly. So
the answer for one group is the group's own, and for several it lies, like the true one, between the least and the
greatest of the groups' own.
"""

from collections.abc import Iterable, Sequence

from ajo_worker.reports.value import Spread

SHARES = (0.5, 0.95, 0.99)


def mix(groups: Iterable[Spread]) -> Spread | None:
    """The spread of all groups together; None of nothing. Pure."""
    some = [group for group in groups if group.triggers > 0]
    if not some:
        return None
    triggers = sum(group.triggers for group in some)
    p50, p95, p99 = _crossings(_changes(some), [share * triggers for share in SHARES])
    return Spread(
        triggers,
        _within([group.p50 for group in some], p50),
        _within([group.p95 for group in some], p95),
        _within([group.p99 for group in some], p99),
        max(group.longest for group in some),
    )


def _changes(groups: Sequence[Spread]) -> list[tuple[float, float, float]]:
    """Where the number of triggers up to a value jumps, and where it grows quicker or slower: (value, jump, slope)."""
    changes = []
    for group in groups:
        low = (min(0.0, group.p50), 0.0)
        for high in ((group.p50, 0.5), (group.p95, 0.95), (group.p99, 0.99), (group.longest, 1.0)):
            many = (high[1] - low[1]) * group.triggers
            if high[0] > low[0]:
                slope = many / (high[0] - low[0])
                changes += [(low[0], 0.0, slope), (high[0], 0.0, -slope)]
                low = high
            else:  # no width at all, or so badly rounded that they change places
                changes.append((low[0], many, 0.0))
                low = (low[0], high[1])
    return sorted(changes)


def _crossings(changes: Sequence[tuple[float, float, float]], wanted: Sequence[float]) -> list[float]:
    """The values up to which there are as many triggers as wanted; ``wanted`` grows."""
    found: list[float] = []
    number, slope, at = 0.0, 0.0, changes[0][0]
    for value, jump, bend in changes:
        grown = number + slope * (value - at)
        while len(found) < len(wanted) and slope > 0 and grown >= wanted[len(found)]:
            found.append(at + (wanted[len(found)] - number) / slope)
        number, slope, at = grown + jump, slope + bend, value
        while len(found) < len(wanted) and number >= wanted[len(found)]:
            found.append(value)
    return found + [changes[-1][0]] * (len(wanted) - len(found))


def _within(own: Sequence[float], value: float) -> float:
    return min(max(value, min(own)), max(own))
