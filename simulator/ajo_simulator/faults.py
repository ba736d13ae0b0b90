"""Which fault a call meets, and how long its answer takes. Pure: the same scenario and call give the same answer."""

from hashlib import blake2b
from math import exp, log
from statistics import NormalDist

from ajo_simulator.scenario import Fault, Latency, Scenario

_NORMAL = NormalDist()
_Z99 = _NORMAL.inv_cdf(0.99)
LONGEST = 3600.0


def pick_fault(scenario: Scenario, campaign: str, request_id: str, attempt: int, seconds: float) -> Fault | None:
    """The first rule that hits the ``attempt``-th call of a request id, ``seconds`` after the start.

    Shares are drawn once for each request id, and all rules of a campaign share the draw: two rules of 10 % hit
    20 % of the ids between them, never the same ones.
    """
    draw, taken = drawn(scenario.seed, request_id, "fault"), 0.0
    for fault in scenario.fault:
        if fault.campaign not in {"*", campaign}:
            continue
        if seconds < fault.from_ or (fault.until is not None and seconds >= fault.until):
            continue
        low, taken = taken, taken + fault.share
        if fault.share >= 1:
            low = 0.0
        if low <= draw < max(taken, low) or fault.share >= 1:
            if fault.attempts is not None and attempt > fault.attempts:
                if fault.share >= 1:
                    continue
                return None
            return fault
    return None


def latency_of(latency: Latency, seed: int, request_id: str, attempt: int) -> float:
    """Seconds that the answer to a call takes."""
    if latency.distribution == "constant":
        return latency.seconds
    draw = drawn(seed, request_id, f"latency {attempt}")
    if latency.distribution == "uniform":
        return latency.low + draw * (latency.high - latency.low)
    sigma = log(latency.p99 / latency.median) / _Z99
    return min(latency.median * exp(sigma * _NORMAL.inv_cdf(min(max(draw, 1e-12), 1 - 1e-12))), LONGEST)


def drawn(seed: int, request_id: str, purpose: str) -> float:
    """A number from 0 to 1 (exclusive) that depends on nothing but its arguments."""
    digest = blake2b(f"{seed}\0{purpose}\0{request_id}".encode(), digest_size=7).digest()
    return int.from_bytes(digest) / 2**56
