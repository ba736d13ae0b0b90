"""How values are spread over many rows: one shape, and the one text that asks PostgreSQL for it.

A report of whole minutes asks ``audit.delay_percentiles`` instead, which sums up histograms: it answers as quickly for
ten million triggers as for ten.
"""

from collections.abc import Sequence

from msgspec import Struct


class Spread(Struct, frozen=True):
    """Half of the values are no larger than ``p50``, and so on; None where nothing is known."""

    p50: float | None
    p95: float | None
    p99: float | None
    longest: float | None


class KnownSpread(Spread, frozen=True):
    """The same of values of which there is one at least."""

    p50: float
    p95: float
    p99: float
    longest: float


DRAWN = 10_000
"""Rows that a live percentile is taken of at most, roughly; drawn at random where there are more."""


def drawn_of(relation: str) -> str:
    """SQL for the condition by which they are drawn from a relation. Pure."""
    return f"random() < {DRAWN} / greatest((SELECT count(*) FROM {relation}), 1)::float8"  # noqa: S608 - names of ours


def spread_of(expression: str) -> str:
    """SQL for the percentiles of an expression, over the rows of a group: an array, or null without rows. Pure."""
    return f"percentile_cont(ARRAY[0.5, 0.95, 0.99, 1]::float8[]) WITHIN GROUP (ORDER BY {expression})"


def read_spread(found: Sequence[float] | None) -> KnownSpread | None:
    """What such an array says. Pure."""
    return None if found is None else KnownSpread(*found)
