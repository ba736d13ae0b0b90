"""What Flower shows of a message: counts, states and reasons, and red only where most of it failed."""

from collections import Counter
from itertools import pairwise

import pytest
from ajo_worker.dispatch.summary import FAILED, STATES, Outcome, mostly_failed, summary
from hypothesis import given
from hypothesis import strategies as st

ACCEPTED = Outcome("accepted", None)
OUTCOMES = st.builds(
    Outcome, st.sampled_from([*STATES, "quarantined", "forgotten"]), st.sampled_from([None, "outage", "bad-request"])
)


@pytest.mark.parametrize(
    ("outcomes", "told", "red"),
    [
        ({ACCEPTED: 1}, "1 trigger: 1 accepted", False),
        (
            {ACCEPTED: 98, Outcome("parked", "outage"): 1, Outcome("rejected", "recipient-refused"): 1},
            "100 triggers: 98 accepted, 1 rejected (Adobe: recipient-refused), 1 parked (outage)",
            False,
        ),
        (
            {Outcome("rejected", "bad-request"): 2_000, Outcome("rejected", "invalid-payload"): 1},
            "2,001 triggers: 2,001 rejected (Adobe: bad-request 2,000, invalid-payload 1)",
            True,
        ),
        (
            {ACCEPTED: 1, Outcome("expired", "budget-spent"): 1},
            "2 triggers: 1 accepted, 1 expired (budget-spent)",
            False,
        ),
        ({Outcome("unconfirmed", "conflict"): 1}, "1 trigger: 1 unconfirmed (Adobe: conflict)", True),
        ({Outcome("quarantined", "unreadable"): 1}, "1 trigger: 1 quarantined (unreadable)", True),
        ({Outcome("parked", "outage"): 9}, "9 triggers: 9 parked (outage)", False),
        ({Outcome("accepted", "known before"): 3}, "3 triggers: 3 accepted (known before)", False),
        ({ACCEPTED: 2, Outcome("accepted", "known before"): 3}, "5 triggers: 5 accepted (known before 3)", False),
        (
            {Outcome("rejected", reason): count for count, reason in enumerate("abcd", start=1)},
            "10 triggers: 10 rejected (d 4, c 3, b 2, …)",
            True,
        ),
    ],
)
def test_a_message_is_summed_up_by_state_and_reason_and_is_red_if_most_of_it_failed(
    outcomes: dict[Outcome, int], told: str, *, red: bool
) -> None:
    assert summary(outcomes) == told
    assert mostly_failed(outcomes) is red


@given(st.lists(OUTCOMES, min_size=1))
def test_the_numbers_sum_to_the_triggers_and_one_dead_letter_of_many_is_never_red(outcomes: list[Outcome]) -> None:
    counted = Counter(outcomes)
    words = summary(counted).replace(",", "").split()
    states = [int(number) for number, word in pairwise(words) if word.strip() in {*STATES, "quarantined", "forgotten"}]
    assert sum(states) == int(words[0]) == len(outcomes)
    assert mostly_failed(counted) is (2 * sum(outcome.state in FAILED for outcome in outcomes) > len(outcomes))
