"""Draws: numbers and durations that depend on a seed, a text and a purpose alone. Pure."""

from hashlib import blake2b
from math import exp, log
from statistics import NormalDist

from ajo_simulator.latency import Latency

_NORMAL = NormalDist()
_Z99 = _NORMAL.inv_cdf(0.99)
WHOLE = 2**53
"""All draws: a share is so many of them, exactly, which sums of fractions would not be."""
LONGEST = 3600.0


def latency_of(latency: Latency, seed: int, request_id: str, attempt: int) -> float:
    """Seconds that the answer to a call usually takes."""
    return span_of(latency, seed, request_id, f"latency {attempt}")


def span_of(latency: Latency, seed: int, text: str, purpose: str) -> float:
    """Seconds that something takes, drawn for ``text`` and this purpose."""
    if latency.distribution == "constant":
        return latency.seconds
    draw = drawn(seed, text, purpose)
    if latency.distribution == "uniform":
        return latency.low + draw * (latency.high - latency.low)
    sigma = log(latency.p99 / latency.median) / _Z99
    return min(latency.median * exp(sigma * _NORMAL.inv_cdf(max(draw, 1 / WHOLE))), LONGEST)


def drawn(seed: int, text: str, purpose: str) -> float:
    """A number from 0 to 1 (exclusive) that depends on nothing but its arguments."""
    return point(seed, text, purpose) / WHOLE


def point(seed: int, text: str, purpose: str) -> int:
    """The same as one of ``WHOLE`` numbers."""
    digest = blake2b(f"{seed}\0{purpose}\0{text}".encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest) % WHOLE
