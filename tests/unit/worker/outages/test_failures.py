"""When failures are an outage, and when refusals are a campaign's fault."""

from dataclasses import replace
from uuid import UUID

import pytest
from ajo_worker.api.verdict import STRAY, Verdict
from ajo_worker.outages.failures import Failures, Suspicion, Thresholds, destination_failed
from ajo_worker.outages.refusals import Refusals
from hypothesis import given
from hypothesis import strategies as st

LIMITS = Thresholds(failures=20, seconds=5.0, share=0.9, refusals=3)


def trigger(number: int) -> UUID:
    return UUID(int=number)


def fail(failures: Failures, times: list[float], *, triggers: int = 10, kind: str = "503") -> Suspicion | None:
    """The suspicion after failures at these times, if there was one."""
    found = None
    for number, now in enumerate(times):
        found = failures.failed(now, trigger(number % triggers), kind) or found
    return found


def every(seconds: float, count: int, begin: float = 100.0) -> list[float]:
    return [begin + seconds * number for number in range(count)]


def test_failures_that_last_are_an_outage_and_the_evidence_says_what_was_seen() -> None:
    found = fail(Failures(LIMITS), every(0.25, 21))
    assert found == Suspicion(
        "sustained-failures", {"failures": 21, "answers": 21, "seconds": 5.0, "kinds": {"503": 21}}
    )


@pytest.mark.parametrize(
    ("times", "triggers"),
    [(every(0.25, 20), 10), (every(0.01, 400), 10), (every(0.25, 100), 2), (every(4.0, 7), 10), (every(0.6, 40), 2)],
    ids=["too short", "many at once", "of two triggers only", "few, not for long", "longer, of two triggers only"],
)
def test_failures_that_may_be_something_else_are_no_outage(times: list[float], triggers: int) -> None:
    assert fail(Failures(LIMITS), times, triggers=triggers) is None


def test_where_little_is_sent_few_failures_without_a_success_are_enough() -> None:
    assert fail(Failures(LIMITS), every(7.6, 5)) is not None
    assert fail(Failures(LIMITS), every(7.0, 5)) is None


def test_a_success_ends_a_run_of_few_failures() -> None:
    failures = Failures(LIMITS)
    assert fail(failures, every(7.0, 4)) is None
    failures.healthy(125.0)
    assert fail(failures, every(7.0, 4, begin=126.0)) is None


@pytest.mark.parametrize(("successes", "outage"), [(2, True), (3, False)])
def test_some_successes_among_many_failures_don_t_hide_an_outage(successes: int, outage: bool) -> None:
    failures = Failures(LIMITS)
    for _ in range(successes):
        failures.healthy(100.0)
    assert (fail(failures, every(0.25, 21)) is not None) == outage


@pytest.mark.parametrize(("kinds", "reason"), [(("500",), "suspected-cosmos"), (("500", "503"), "sustained-failures")])
def test_a_bare_run_of_500s_is_suspected_to_be_the_cosmos_outage(kinds: tuple[str, ...], reason: str) -> None:
    failures, found = Failures(LIMITS), None
    for number, now in enumerate(every(0.25, 30)):
        found = failures.failed(now, trigger(number), kinds[number % len(kinds)]) or found
    assert found is not None
    assert found.reason == reason


@pytest.mark.parametrize(
    ("kinds", "reason"),
    [
        (("proxy",), "proxy-failing"),
        (("proxy", "reset"), "proxy-failing"),
        (("proxy", "503", "503"), "sustained-failures"),
    ],
)
def test_what_our_own_proxy_fails_is_no_fault_of_the_destination(kinds: tuple[str, ...], reason: str) -> None:
    failures, found = Failures(LIMITS), None
    for number, now in enumerate(every(0.25, 30)):
        found = failures.failed(now, trigger(number), kinds[number % len(kinds)]) or found
    assert found is not None
    assert found.reason == reason


@given(st.lists(st.tuples(st.floats(0.0, 1.0), st.booleans()), max_size=200))
def test_with_a_third_of_all_answers_good_there_is_never_an_outage(
    steps: list[tuple[float, bool]],
) -> None:
    failures, now = Failures(LIMITS), 100.0
    for number, (wait, twice) in enumerate(steps):
        now += wait
        failures.healthy(now)
        for _ in range(1 + twice):
            assert failures.failed(now, trigger(number), "500") is None


def test_refusals_of_one_kind_in_a_row_pause_their_campaign() -> None:
    refusals = Refusals(LIMITS)
    assert refusals.refused("403 403003") is None
    assert refusals.refused("403 403003") is None
    found = refusals.refused("403 403003")
    assert found == Suspicion("campaign-failing", {"refusals": 3, "kinds": {"403 403003": 3}})


@pytest.mark.parametrize(("most", "enough"), [(20, 3), (2, 2)])
def test_fresh_tokens_that_are_refused_pause_their_campaign_after_a_few(most: int, enough: int) -> None:
    refusals, kind = Refusals(replace(LIMITS, refusals=most)), "401 401013"
    assert [refusals.refused(kind, token=True) for _ in range(enough - 1)] == [None] * (enough - 1)
    found = refusals.refused(kind, token=True)
    assert found == Suspicion("campaign-failing", {"refusals": enough, "kinds": {kind: enough}})


def test_an_acceptance_or_another_kind_of_refusal_begins_anew() -> None:
    refusals = Refusals(LIMITS)
    for kind in ("400 a", "400 a", "400 b", "400 b"):
        assert refusals.refused(kind) is None
    refusals.accepted()
    assert refusals.refused("400 b") is None
    assert refusals.refused("400 b") is None


def test_what_a_recipient_or_the_trigger_is_to_blame_for_never_pauses_a_campaign() -> None:
    refusals = Refusals(LIMITS)
    for number in range(1000):
        assert refusals.refused("400", "recipient" if number % 2 else "trigger", number) is None
    assert not refusals.on_trial


def test_where_it_is_not_told_others_are_tried_before_a_campaign_is_paused() -> None:
    refusals = Refusals(LIMITS)
    for number in range(5):
        assert refusals.refused("400", None, number) is None
        assert refusals.on_trial == (number >= 2)
    found = refusals.refused("400", None, 5)
    assert found == Suspicion("campaign-failing", {"refusals": 6, "recipients": 6, "kinds": {"400": 6}})


def test_one_that_is_accepted_ends_the_trial() -> None:
    refusals = Refusals(LIMITS)
    for number in range(5):
        refusals.refused("400", None, number)
    refusals.accepted()
    assert not refusals.on_trial
    assert refusals.refused("400", None, 5) is None


def test_a_campaign_that_was_acquitted_is_suspected_later_but_not_for_ever() -> None:
    refusals, needed = Refusals(LIMITS), []
    for _ in range(5):
        number = 0
        while not refusals.on_trial:
            refusals.refused("400", None, number)
            number += 1
        needed.append(number)
        refusals.accepted()
    assert needed == [3, 6, 12, 12, 12]
    assert [refusals.refused("400", "campaign", 0) for _ in range(3)][-1] is not None, "what it is to blame for counts"


def test_the_same_recipient_again_and_again_tells_nothing_of_the_campaign() -> None:
    refusals = Refusals(LIMITS)
    assert all(refusals.refused("400", None, "ada") is None for _ in range(1000))
    assert not refusals.on_trial


@given(
    st.integers(1, 30),
    st.lists(st.sampled_from(["accepted", "recipient", "trigger", "unknown", "again", "campaign"]), max_size=300),
)
def test_a_campaign_is_paused_soon_and_never_while_it_works(most: int, answers: list[str]) -> None:
    refusals, told, untold, enough = Refusals(Thresholds(20, 5.0, 0.9, most)), 0, 0, most
    for number, answer in enumerate(answers):
        found = None
        match answer:
            case "accepted":
                refusals.accepted()
                told = untold = 0
                enough = most << min(refusals.acquitted, 2)
            case "again":
                found = refusals.refused("400", None, -1)
            case "unknown":
                found = refusals.refused("400", None, number)
                untold += 1
            case "campaign":
                found = refusals.refused("400", "campaign", number)
                told += 1
            case "recipient" | "trigger" as own:
                assert refusals.refused("400", own, number) is None  # type: ignore[arg-type] # one of the two
        if found is not None:
            assert told >= most or untold >= 2 * enough - 1
            return
        assert told < most
        assert untold < 2 * enough


@pytest.mark.parametrize(
    ("verdict", "failed"),
    [
        (Verdict("accepted", http_status=202), False),
        (Verdict("refused", http_status=400), False),
        *((Verdict("retryable", http_status=status), False) for status in (408, 421, 423, 425, 429)),
        *((Verdict("retryable", http_status=status), True) for status in (302, 307, 424, 500, 503)),
        (Verdict("refused", http_status=409, ambiguous=True, reason="conflict"), False),
        (Verdict("refused", http_status=200, ambiguous=True, reason="unexpected-status"), True),
        (Verdict("refused", http_status=409, ambiguous=True), False),
        (Verdict("retryable", http_status=429), False),
        (Verdict("retryable", http_status=408), False),
        (Verdict("retryable", http_status=500), True),
        (Verdict("retryable", http_status=503), True),
        (Verdict("retryable", failure="connect"), True),
        (Verdict("retryable", failure="exhausted"), None),
        (Verdict("retryable", failure="timeout", ambiguous=True), True),
        (Verdict("unauthorized", http_status=401), None),
        (Verdict("retryable", http_status=202, ambiguous=True, reason=STRAY), None),
    ],
)
def test_what_an_answer_says_of_its_destination(verdict: Verdict, failed: bool | None) -> None:
    assert destination_failed(verdict) is failed


SLOW = 60.0
"""Seconds that an answer may take here."""
ACCEPTED, BUSY = Verdict("accepted", http_status=202), Verdict("retryable", http_status=503)
TIMEOUT = Verdict("retryable", failure="timeout", ambiguous=True)


class Told:
    """A destination's calls as a worker sees them: each sent, and what came of it so many seconds later."""

    def __init__(self) -> None:
        self.failures = Failures(LIMITS, began=0.0, patience=SLOW)
        self.events: list[tuple[float, int, float, Verdict | None]] = []

    def call(self, sent: float, took: float, verdict: Verdict) -> None:
        number = len(self.events)
        self.events += [(sent, number, sent, None), (sent + took, number, sent, verdict)]

    def calls(self, begin: float, every: float, count: int, took: float, verdict: Verdict) -> None:
        for number in range(count):
            self.call(begin + number * every, took, verdict)

    def told(self) -> tuple[str, float] | None:
        """Why and when it is first taken for an outage."""
        for now, number, sent, verdict in sorted(self.events, key=lambda event: event[:2]):
            if verdict is None:
                self.failures.sends(now)
            elif found := self.failures.learn(now, sent, trigger(number), verdict):
                return found.reason, now
        return None


@pytest.mark.parametrize("latency", [0.1, 5.0, 25.0, 55.0, 59.9])
@pytest.mark.parametrize("every", [0.05, 1.0, 20.0])
def test_slowness_is_no_outage_whatever_the_latency_and_the_load(latency: float, every: float) -> None:
    told = Told()
    told.calls(0.0, every, 300, latency, ACCEPTED)
    assert told.told() is None


def test_time_outs_of_calls_since_which_something_was_answered_are_no_evidence() -> None:
    told = Told()
    told.calls(0.0, 0.1, 900, SLOW, TIMEOUT)
    told.calls(0.05, 30.0, 8, 29.0, ACCEPTED)  # one answer in half a minute
    assert told.told() is None


@pytest.mark.parametrize(
    "answer", [BUSY, Verdict("unauthorized", http_status=401), Verdict("refused", http_status=400)]
)
def test_any_answer_shows_that_something_answers(answer: Verdict) -> None:
    told = Told()
    told.calls(0.0, 1.0, 60, SLOW, TIMEOUT)
    told.call(30.5, 29.4, answer)
    told.call(40.0, 25.0, answer)
    told.call(80.0, 30.0, answer)
    assert told.told() is None


def test_a_destination_that_answers_nothing_is_an_outage_as_soon_as_calls_reach_the_end_of_their_budget() -> None:
    told = Told()
    told.calls(0.0, 0.05, 100, 0.1, ACCEPTED)
    told.calls(5.0, 0.005, 800, SLOW, TIMEOUT)  # the places of a lane, full within 4 s
    assert told.told() == ("no-answers", pytest.approx(65.1, abs=0.1))


def test_so_it_is_where_but_one_call_a_second_is_made_since_nothing_is_answered() -> None:
    told = Told()
    told.calls(0.0, 1.0, 100, SLOW, TIMEOUT)
    assert told.told() == ("no-answers", 64.0)


@pytest.mark.parametrize("patience", [3.0, 20.0])
def test_time_outs_that_an_operator_shortened_show_an_outage_no_sooner(patience: float) -> None:
    told = Told()
    told.calls(0.0, 0.1, 1000, patience, TIMEOUT)
    why, when = told.told() or ("", 0.0)
    assert why == "no-answers"
    assert 0.75 * SLOW <= when <= SLOW


def test_nor_are_they_one_where_a_patient_call_is_answered_now_and_then() -> None:
    told = Told()
    told.calls(0.0, 0.1, 3000, 20.0, TIMEOUT)
    told.calls(0.05, 40.0, 8, 25.0, ACCEPTED)  # probes, and campaigns with a longer time-out
    assert told.told() is None


def test_a_retry_that_is_not_answered_until_the_budget_ends_is_evidence_too() -> None:
    told = Told()
    told.calls(0.0, 0.1, 4, 0.1, BUSY)
    told.calls(10.0, 0.5, 20, 0.8 * SLOW, TIMEOUT)
    why, when = told.told() or ("", 0.0)
    assert (why, when >= 10.0 + 0.8 * SLOW) == ("sustained-failures", True)


@pytest.mark.parametrize("latency", [5.0, 25.0, 55.0])
def test_quick_failures_beside_as_many_slow_successes_are_no_outage(latency: float) -> None:
    told = Told()
    told.calls(0.0, 0.2, 1000, latency, ACCEPTED)
    told.calls(0.1, 0.2, 1000, 0.05, BUSY)
    assert told.told() is None


def test_quick_failures_beside_calls_that_are_never_answered_are_an_outage_once_nothing_succeeds() -> None:
    told = Told()
    told.calls(0.0, 0.2, 1000, 10 * SLOW, TIMEOUT)
    told.calls(0.1, 0.2, 1000, 0.05, BUSY)
    assert told.told() == ("sustained-failures", pytest.approx(60.0, abs=0.3))


@pytest.mark.parametrize("took", [0.05, 2.0, 8.0])
def test_where_all_fails_the_failures_own_slowness_delays_nothing(took: float) -> None:
    told = Told()
    told.calls(0.0, 0.1, 50, 0.1, ACCEPTED)
    told.calls(5.0, 0.1, 400, took, BUSY)
    why, when = told.told() or ("", 0.0)
    assert why == "sustained-failures"
    assert when < 5.0 + took + 2 * LIMITS.seconds + 1


@given(
    st.lists(st.tuples(st.floats(0, 3), st.floats(0.01, 50), st.sampled_from([ACCEPTED, None])), max_size=120),
)
def test_where_every_third_call_succeeds_however_late_time_outs_open_nothing(
    calls: list[tuple[float, float, Verdict | None]],
) -> None:
    told, at = Told(), 0.0
    for number, (wait, took, verdict) in enumerate(calls):
        at += wait
        succeeds = number % 3 == 0
        told.call(at, took if succeeds or verdict else SLOW, ACCEPTED if succeeds or verdict else TIMEOUT)
    assert told.told() is None
