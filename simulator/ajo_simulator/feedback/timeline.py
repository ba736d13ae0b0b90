"""When a message departs and arrives, and in which order that is told. Pure: the same call gives the same events."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ajo_simulator.draw import drawn, span_of
from ajo_simulator.feedback.message import Acceptance, Message, Report
from ajo_simulator.feedback.rules import Course, FeedbackRules, Standstill, course_of


def reports_of(rules: FeedbackRules, seed: int, acceptance: Acceptance) -> list[Report]:
    """All that will be told of an accepted call, message by message, each in the order in which it is told."""
    course = course_of(rules, acceptance.campaign_id)
    timestamps = course.channel == "sms" if course.timestamps is None else course.timestamps
    told_id = acceptance.request_id if course.request_id == "ours" else acceptance.gateway_id
    reports: list[Report] = []
    for number in range(len(acceptance.recipients)):
        message = Message(acceptance, number, course.channel, timestamps, told_id)
        events = list(_events(course, rules.outage, seed, message))
        if _drawn(seed, message, "disorder") < course.disorder:
            events = [replace(event, told_at=events[-1].told_at) for event in reversed(events)]
        for event in events:
            twice = _drawn(seed, message, f"twice {event.status} {event.retry_count}") < course.duplicate_share
            reports += [event, event] if twice else [event]
    return reports


def passed(begun: float, seconds: float, standstills: Iterable[Standstill]) -> float:
    """When something is over that takes so many seconds from ``begun`` on, and stands still in some windows.

    All are seconds since the scenario's start. What would be over in a window is over after it, when the rest of
    its time has passed.
    """
    at, rest = begun, seconds
    for window in sorted(standstills, key=lambda one: one.from_):
        if window.until is None or window.until <= at:
            continue
        if at + rest < window.from_:
            break
        rest = max(rest - max(window.from_ - at, 0), 0)
        at = window.until
    return at + rest


def _events(course: Course, outages: Iterable[Standstill], seed: int, message: Message) -> Iterator[Report]:
    acceptance = message.acceptance
    mine = [one for one in outages if one.campaign in {"*", acceptance.campaign_id}]
    takes = [
        span_of(latency, seed, acceptance.request_id, _purpose(message, name))
        for latency, name in ((course.departure, "departure"), (course.delivery, "delivery"))
    ]
    departed = passed(acceptance.seconds, takes[0], (one for one in mine if one.what == "departure"))
    arrived = passed(departed, takes[1], (one for one in mine if one.what == "provider"))

    def at(seconds: float) -> tuple[float, float]:
        instant = acceptance.accepted_at + seconds - acceptance.seconds
        return instant, instant

    yield Report(message, "sent", *at(departed))
    delays = course.delay_events
    for retry in range(1, delays + 1):
        yield Report(message, "delay", *at(departed + (arrived - departed) * retry / (delays + 1)), retry)
    if _drawn(seed, message, "bounce") < course.bounce_share:
        yield Report(message, "bounce", *at(arrived), delays, course.bounce)
    else:
        yield Report(message, "delivered", *at(arrived), delays)


def _drawn(seed: int, message: Message, purpose: str) -> float:
    return drawn(seed, message.acceptance.request_id, _purpose(message, purpose))


def _purpose(message: Message, name: str) -> str:
    return f"{name} {message.acceptance.attempt} {message.number}"
