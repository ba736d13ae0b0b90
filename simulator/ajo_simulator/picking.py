"""Which fault a call meets, and how long its answer takes. Pure: the same scenario and call give the same answer."""

from dataclasses import dataclass

from ajo_simulator.draw import WHOLE, drawn, latency_of, point
from ajo_simulator.faults import CallFault, Lane, Refuse, ResetUnread, Rule, Slow
from ajo_simulator.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Call:
    """A call, as far as it decides on its fault: the ``attempt``-th of its request id, for these users."""

    campaign: str
    request_id: str
    attempt: int = 1
    lane: Lane = "standard"
    users: tuple[str, ...] = ()


def pick_fault(scenario: Scenario, call: Call, seconds: float) -> CallFault | None:
    """The first rule that hits a call, ``seconds`` after the start.

    The rules for calls like this one (by campaign, lane and users) lie side by side on a circle, each as wide as its
    share, and a request id is drawn once to be one point of it: two rules of 10 % hit 20 % of the ids between them, at
    any time and attempt, and never the same ones. Shares beyond the whole go round again.
    """
    place, low = point(scenario.seed, call.request_id, "fault"), 0
    for fault in scenario.fault:
        if not isinstance(fault, Rule) or not _is_for(fault, call):
            continue
        width = int(fault.share * WHOLE)
        inside = (place - low) % WHOLE < width
        low += width
        if inside and fault.holds(seconds) and (fault.attempts is None or call.attempt <= fault.attempts):
            return fault
    return None


def _is_for(rule: Rule, call: Call) -> bool:
    if rule.campaign not in {"*", call.campaign} or rule.lane not in {None, call.lane}:
        return False
    return not rule.user_id or any(user.startswith(rule.user_id) for user in call.users)


def pick_unread(scenario: Scenario, call: int, seconds: float) -> ResetUnread | None:
    """The rule that resets the ``call``-th call of all, of which nothing but its number is known yet."""
    for number, fault in enumerate(scenario.fault):
        if not isinstance(fault, ResetUnread) or not fault.holds(seconds):
            continue
        if drawn(scenario.seed, str(call), f"unread {number}") < fault.share:
            return fault
    return None


def is_shut(scenario: Scenario, seconds: float) -> bool:
    """Whether connections are refused, ``seconds`` after the start."""
    return any(isinstance(fault, Refuse) and fault.holds(seconds) for fault in scenario.fault)


def delay(scenario: Scenario, fault: CallFault | None, request_id: str, attempt: int) -> float:
    """Seconds until a call is decided on and answered."""
    usual = latency_of(scenario.latency, scenario.seed, request_id, attempt)
    if not isinstance(fault, Slow):
        return usual
    more = 0.0 if fault.high is None else fault.high - fault.seconds
    more *= drawn(scenario.seed, request_id, f"slow {attempt}") if more else 0.0
    return usual * fault.factor + fault.seconds + more
