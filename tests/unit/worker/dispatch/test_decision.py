"""What follows from a verdict: the table, and properties that hold for every history."""

from dataclasses import replace

import pytest
from ajo_worker.api.verdict import Verdict
from ajo_worker.dispatch.backoff import Backoff
from ajo_worker.dispatch.budget import Budget
from ajo_worker.dispatch.decision import End, History, Retry, Retrying, Situation, decide
from ajo_worker.dispatch.gate import KeptBack
from hypothesis import given
from hypothesis import strategies as st

MINIMUM = 1.0
RETRYING = Retrying(Backoff(0.5, 2, 10), MINIMUM, lambda: 1.0)


def after(
    verdict: Verdict, history: History | None = None, *, now: float = 1.0, expires: float | None = None
) -> End | Retry:
    """The decision for a round that began at 0 with 60 seconds, with the longest jitter."""
    return decide(
        verdict,
        Situation(
            (history or History()).after(verdict),
            budget=Budget(0.0, 60.0, expires),
            now=now,
        ),
        RETRYING,
    )


def kept_back(
    verdict: Verdict, history: History | None = None, *, of_campaign: bool, holds: bool = False, probe: bool = False
) -> End | Retry:
    """The decision while an outage, or a pause of one campaign, lasts."""
    return decide(
        verdict,
        Situation(
            (history or History()).after(verdict),
            budget=Budget(0.0, 60.0),
            now=59.9,
            holds_ambiguous=holds,
            kept_back=KeptBack("campaign-paused" if of_campaign else "outage", of_campaign=of_campaign),
            probe=probe,
        ),
        RETRYING,
    )


AMBIGUOUS = History(attempts=1, ambiguous=1)
BAD_REQUEST = Verdict("refused", reason="bad-request")
TIMEOUT = Verdict("retryable", ambiguous=True, reason="timeout")
BUSY = Verdict("retryable", reason="unavailable")
UNAUTHORIZED = Verdict("unauthorized", reason="unauthorized")


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (after(Verdict("accepted")), End("accepted", None)),
        (after(Verdict("accepted"), AMBIGUOUS), End("accepted", None)),
        (after(BAD_REQUEST), End("rejected", "bad-request")),
        (after(BAD_REQUEST, AMBIGUOUS), End("unconfirmed", "bad-request")),
        (after(Verdict("refused", ambiguous=True, reason="conflict")), End("unconfirmed", "conflict")),
        (after(BUSY), Retry(0.5)),
        (after(BUSY, History(attempts=3)), Retry(4.0)),
        (after(TIMEOUT), Retry(0.5)),
        (after(UNAUTHORIZED), Retry(0.0, fresh_token=True)),
        (after(UNAUTHORIZED, History(attempts=1, unauthorized=1)), End("rejected", "unauthorized")),
        (after(UNAUTHORIZED, History(attempts=2)), Retry(0.0, fresh_token=True)),
        (after(BUSY, now=58.4), Retry(0.5)),
        (after(BUSY, now=58.6), End("expired", "budget-spent")),
        (after(BUSY, AMBIGUOUS, now=58.6), End("unconfirmed", "budget-spent")),
        (after(TIMEOUT, now=58.6), End("unconfirmed", "budget-spent")),
        (after(UNAUTHORIZED, now=59.5), End("expired", "budget-spent")),
        (after(BUSY, now=9.0, expires=10.0), End("expired", "expires-at")),
        (after(Verdict("retryable", reason="rate-limited", retry_after=30.0)), Retry(30.0)),
        (after(Verdict("retryable", reason="rate-limited", retry_after=58.0)), Retry(58.0)),
        (
            after(Verdict("retryable", reason="rate-limited", retry_after=59.0)),
            End("expired", "retry-after-beyond-budget"),
        ),
    ],
)
def test_a_verdict_has_its_consequence(step: End | Retry, expected: End | Retry) -> None:
    assert step == expected


@pytest.mark.parametrize(
    ("lived", "times"),
    [
        ([True, True], 2),
        ([False, True, True], 3),
        ([True, False, True], 3),
        ([False] * 20, 7),
        ([False, False, True], 0),
    ],
)
def test_refusals_of_tokens_that_may_have_expired_on_the_way_do_not_count_up_to_a_number(
    lived: list[bool], times: int
) -> None:
    history, ended = History(), 0
    for number, one in enumerate(lived, start=1):
        history = history.after(UNAUTHORIZED, token_lived=one)
        step = decide(
            UNAUTHORIZED,
            Situation(
                history,
                budget=Budget(0.0, 60.0),
                now=1.0,
            ),
            RETRYING,
        )
        if isinstance(step, End):
            assert step == End("rejected", "unauthorized")
            ended = number
            break
        assert step == Retry(0.0, fresh_token=True)
    assert ended == times
    assert history.after(BUSY).expired_tokens == 0


@pytest.mark.parametrize("of_campaign", [False, True])
def test_a_probe_whose_token_was_refused_is_tried_once_more_with_a_fresh_one(of_campaign: bool) -> None:
    """A token that was revoked during an outage must not keep it open until it expires."""

    def step(history: History, *, probe: bool) -> End | Retry:
        back = KeptBack("outage", of_campaign=of_campaign)
        situation = Situation(history.after(UNAUTHORIZED), Budget(0.0, 60.0), 1.0, kept_back=back, probe=probe)
        return decide(UNAUTHORIZED, situation, RETRYING)

    assert step(History(), probe=True) == Retry(0.0, fresh_token=True)
    assert step(History(attempts=1, unauthorized=1), probe=True) == End("parked", "outage")
    assert step(History(), probe=False) == End("parked", "outage")


@pytest.mark.parametrize(
    ("history", "cause"),
    [
        (History(attempts=3), None),
        (History(attempts=1, ambiguous=1), "ambiguous-answer"),
        (History(attempts=1, ambiguous=1, interrupted=1), "worker-crash"),
        (History(attempts=2, ambiguous=2, interrupted=1), "ambiguous-answer"),
    ],
)
def test_one_more_attempt_may_be_a_duplicate_only_after_an_ambiguous_one(history: History, cause: str | None) -> None:
    assert history.duplicate_cause == cause


verdicts = st.builds(
    Verdict,
    outcome=st.sampled_from(["accepted", "refused", "retryable", "unauthorized"]),
    ambiguous=st.booleans(),
    reason=st.just("x"),
    retry_after=st.none() | st.floats(0, 1e8),
)


@given(
    st.lists(verdicts, min_size=1, max_size=30),
    st.floats(0, 1),
    st.floats(0.01, 5),
    st.none() | st.floats(0, 100),
)
def test_a_round_ends_and_never_promises_an_attempt_after_its_budget(
    shown: list[Verdict], jitter: float, took: float, expires: float | None
) -> None:
    budget = Budget(0.0, 60.0, expires)
    history, now, step = History(), 0.0, None
    for verdict in shown:
        now += took
        history = history.after(verdict)
        step = decide(verdict, Situation(history, budget, now), replace(RETRYING, jitter=lambda: jitter))
        if isinstance(step, End):
            break
        assert now + step.wait + MINIMUM <= budget.end
        assert step.wait >= (verdict.retry_after or 0) or verdict.outcome == "unauthorized"
        now += step.wait
    if isinstance(step, End):
        assert (step.state == "accepted") == (shown[history.attempts - 1].outcome == "accepted")
        assert step.state != "expired" or not history.ambiguous
        assert step.state != "rejected" or not history.ambiguous
        assert (step.reason is None) == (step.state == "accepted")


CONFLICT = Verdict("refused", ambiguous=True, reason="conflict")
OUTAGE, PAUSED = End("parked", "outage"), End("parked", "campaign-paused")
IN_DOUBT = End("unconfirmed", "outage")
REDRIVEN = History(ambiguous=1, ambiguous_before=1)
"""A round that an operator opened for what may have been accepted, and nothing was sent in it."""


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (kept_back(BUSY, of_campaign=False), OUTAGE),
        (kept_back(BUSY, REDRIVEN, of_campaign=False), OUTAGE),
        (kept_back(UNAUTHORIZED, of_campaign=False), OUTAGE),
        (kept_back(UNAUTHORIZED, History(attempts=1, unauthorized=1), of_campaign=False), OUTAGE),
        (kept_back(UNAUTHORIZED, History(attempts=1, unauthorized=1), of_campaign=True), PAUSED),
        (kept_back(UNAUTHORIZED, of_campaign=True, probe=True), PAUSED),
        (kept_back(BAD_REQUEST, of_campaign=False), End("rejected", "bad-request")),
        (kept_back(Verdict("accepted"), of_campaign=False), End("accepted", None)),
        (kept_back(BAD_REQUEST, of_campaign=True), PAUSED),
        (kept_back(replace(BAD_REQUEST, blame="campaign"), of_campaign=True), PAUSED),
        (kept_back(replace(BAD_REQUEST, blame="recipient"), of_campaign=True), End("rejected", "bad-request")),
        (kept_back(replace(BAD_REQUEST, blame="trigger"), of_campaign=True), End("rejected", "bad-request")),
        (kept_back(BUSY, of_campaign=True), PAUSED),
        (
            kept_back(Verdict("refused", ambiguous=True, reason="conflict"), of_campaign=True),
            End("unconfirmed", "conflict"),
        ),
        (kept_back(TIMEOUT, of_campaign=False, holds=True), End("unconfirmed", "timeout")),
    ],
)
def test_an_outage_is_not_the_trigger_s_failure_and_its_budget_doesn_t_matter(step: End, expected: End) -> None:
    assert step == expected


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (kept_back(TIMEOUT, of_campaign=False), IN_DOUBT),
        (kept_back(TIMEOUT, REDRIVEN, of_campaign=False), IN_DOUBT),
        (kept_back(BUSY, AMBIGUOUS, of_campaign=False), IN_DOUBT),
        (kept_back(Verdict("retryable", reason="cosmos-key"), AMBIGUOUS, of_campaign=False), IN_DOUBT),
        (kept_back(BAD_REQUEST, AMBIGUOUS, of_campaign=True), End("unconfirmed", "campaign-paused")),
        (kept_back(Verdict("accepted"), AMBIGUOUS, of_campaign=False), End("accepted", None)),
    ],
)
def test_what_may_have_been_accepted_is_not_parked_for_a_round_that_would_send_it_again(
    step: End, expected: End
) -> None:
    assert step == expected


@given(st.lists(verdicts, min_size=1, max_size=10), st.booleans(), st.booleans(), st.floats(0, 70))
def test_nothing_is_parked_of_which_an_attempt_of_this_round_was_ambiguous(
    shown: list[Verdict], holds: bool, of_campaign: bool, now: float
) -> None:
    history = History(ambiguous=2, ambiguous_before=2)
    for verdict in shown:
        history = history.after(verdict)
    step = decide(
        shown[-1],
        Situation(
            history,
            budget=Budget(0.0, 60.0),
            now=now,
            holds_ambiguous=holds,
            kept_back=KeptBack("x", of_campaign=of_campaign),
        ),
        RETRYING,
    )
    if any(verdict.ambiguous for verdict in shown):
        assert not (isinstance(step, End) and step.state == "parked")
        assert history.kept_back() == "unconfirmed"
    else:
        assert history.kept_back() == "parked"


def test_where_ambiguous_calls_are_held_none_is_sent_again_and_others_are() -> None:
    def step(verdict: Verdict) -> End | Retry:
        return decide(
            verdict,
            Situation(
                History().after(verdict),
                budget=Budget(0.0, 60.0),
                now=1.0,
                holds_ambiguous=True,
            ),
            RETRYING,
        )

    assert step(TIMEOUT) == End("unconfirmed", "timeout")
    assert step(BUSY) == Retry(0.5)
