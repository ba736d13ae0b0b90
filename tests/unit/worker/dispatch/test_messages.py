"""What Flower shows of a message: counts, states and reasons, and red only where most of it failed."""

from collections import Counter
from itertools import pairwise

import pytest
from ajo_worker.dispatch.messages import FAILED, STATES, Fate, mostly_failed, summary
from hypothesis import given
from hypothesis import strategies as st

ACCEPTED = Fate("accepted", None)
OUTCOMES = st.builds(
    Fate, st.sampled_from([*STATES, "quarantined", "forgotten"]), st.sampled_from([None, "outage", "bad-request"])
)


@pytest.mark.parametrize(
    ("fates", "told", "red"),
    [
        ({ACCEPTED: 1}, "1 trigger: 1 accepted", False),
        (
            {ACCEPTED: 98, Fate("parked", "outage"): 1, Fate("rejected", "recipient-refused"): 1},
            "100 triggers: 98 accepted, 1 rejected (Adobe: recipient-refused), 1 parked (outage)",
            False,
        ),
        (
            {Fate("rejected", "bad-request"): 2_000, Fate("rejected", "invalid-payload"): 1},
            "2,001 triggers: 2,001 rejected (Adobe: bad-request 2,000, invalid-payload 1)",
            True,
        ),
        (
            {ACCEPTED: 1, Fate("expired", "budget-spent"): 1},
            "2 triggers: 1 accepted, 1 expired (budget-spent)",
            False,
        ),
        ({Fate("unconfirmed", "conflict"): 1}, "1 trigger: 1 unconfirmed (Adobe: conflict)", True),
        ({Fate("quarantined", "unreadable"): 1}, "1 trigger: 1 quarantined (unreadable)", True),
        ({Fate("parked", "outage"): 9}, "9 triggers: 9 parked (outage)", False),
        ({Fate("accepted", "known before"): 3}, "3 triggers: 3 accepted (known before)", False),
        ({ACCEPTED: 2, Fate("accepted", "known before"): 3}, "5 triggers: 5 accepted (known before 3)", False),
        (
            {Fate("rejected", reason): count for count, reason in enumerate("abcd", start=1)},
            "10 triggers: 10 rejected (d 4, c 3, b 2, …)",
            True,
        ),
    ],
)
def test_a_message_is_summed_up_by_state_and_reason_and_is_red_if_most_of_it_failed(
    fates: dict[Fate, int], told: str, *, red: bool
) -> None:
    assert summary(fates) == told
    assert mostly_failed(fates) is red


@given(st.lists(OUTCOMES, min_size=1))
def test_the_numbers_sum_to_the_triggers_and_one_dead_letter_of_many_is_never_red(fates: list[Fate]) -> None:
    counted = Counter(fates)
    words = summary(counted).replace(",", "").split()
    states = [int(number) for number, word in pairwise(words) if word.strip() in {*STATES, "quarantined", "forgotten"}]
    assert sum(states) == int(words[0]) == len(fates)
    assert mostly_failed(counted) is (2 * sum(fate.state in FAILED for fate in fates) > len(fates))
