"""Rounds of all contenders in turn, after a warm-up that also decides how many triggers a run has."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.bench.contender import Contender
from benchmarks.bench.run import Run

MOST, FEWEST = 100_000, 200
Measure = Callable[[Contender, int, int], Run]
"""Measures a contender with so many triggers, in the round of this number."""


@dataclass(frozen=True)
class Length:
    """How much is measured: seconds a run, rounds, and seconds in all, past which no further round begins."""

    run: float
    rounds: int
    limit: float = float("inf")


def count_for(rate: float, seconds: float) -> int:
    """How many triggers take about so long, in round numbers; pure."""
    return int(min(MOST, max(FEWEST, round(rate * seconds, -2))))


def rotated(several: Sequence[Contender], by: int) -> list[Contender]:
    """Each round begins with another one; pure."""
    first = by % max(1, len(several))
    return [*several[first:], *several[:first]]


def play(contenders: Sequence[Contender], measure: Measure, length: Length) -> Iterator[Run]:
    """The warm-up is round 0; who fails there takes no further part."""
    began = time.monotonic()
    counts = {}
    for contender in contenders:
        run = measure(contender, contender.warm_up, 0)
        yield run
        if not run.wrong:
            counts[contender.name] = count_for(run.steady, length.run)
    taking_part = [contender for contender in contenders if contender.name in counts]
    longest = 0.0
    for round_ in range(1, length.rounds + 1):
        begin = time.monotonic()
        if round_ > 1 and begin - began + longest > length.limit:
            return
        for contender in rotated(taking_part, round_):
            yield measure(contender, counts[contender.name], round_)
        longest = max(longest, time.monotonic() - begin)
