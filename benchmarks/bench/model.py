"""A model of what a steady load costs, fitted on measurements: so much at rest, a trigger, and a message.

Commits are shared by what arrives together, so a message costs less the more of them there are; their number therefore
stands in the model with an exponent of its own, chosen by the fit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

EXPONENTS = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)


@dataclass(frozen=True)
class Sample:
    """A load (triggers a second, in messages of ``batch``), and what it used: cores, or kB a second."""

    rate: float
    batch: int
    used: Mapping[str, float]


@dataclass(frozen=True)
class Line:
    """What one thing costs: at rest, a trigger, and a message."""

    rest: float
    trigger: float
    message: float
    exponent: float

    def at(self, rate: float, batch: float) -> float:
        """What a load uses. Pure."""
        return self.rest + self.trigger * rate + self.message * float((rate / batch) ** self.exponent)


def fitted(samples: Sequence[Sample], thing: str) -> Line:
    """The line with the least relative error; no part of it is negative. Pure."""
    lines = [_least_squares(samples, thing, exponent) for exponent in EXPONENTS]
    return min(lines, key=lambda line: error(line, samples, thing))


def error(line: Line, samples: Sequence[Sample], thing: str) -> float:
    """The mean of squared relative errors. Pure."""
    found = [(line.at(each.rate, each.batch) / _amount(each, thing) - 1) ** 2 for each in samples]
    return sum(found) / len(found)


def _amount(sample: Sample, thing: str) -> float:
    return max(sample.used[thing], 1e-4)  # what is as good as nothing mustn't outweigh the rest


def _least_squares(samples: Sequence[Sample], thing: str, exponent: float) -> Line:
    amounts = np.array([_amount(each, thing) for each in samples])
    columns = np.array([[1.0, each.rate, (each.rate / each.batch) ** exponent] for each in samples])
    weighted = columns / amounts[:, None]
    kept = [0, 1, 2]
    while True:
        found, *_ = np.linalg.lstsq(weighted[:, kept], np.ones(len(samples)), rcond=None)
        if not kept or found.min() >= 0:
            break
        kept.pop(int(found.argmin()))
    parts = dict(zip(kept, map(float, found), strict=True))
    return Line(parts.get(0, 0.0), parts.get(1, 0.0), parts.get(2, 0.0), exponent)
