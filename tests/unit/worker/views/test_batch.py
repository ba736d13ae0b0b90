"""From when on a message's triggers are looked for."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from ajo_producers.contract.timed_ids import milliseconds_at, timed_id
from ajo_worker.views.batch import BEFORE, WITHOUT_TIME, begin_of, stretches

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)


def made_at(moment: datetime) -> UUID:
    return timed_id(milliseconds_at(moment), bytes(32))


@pytest.mark.parametrize(
    ("batch_id", "begin"),
    [
        (made_at(NOW - timedelta(days=2)), NOW - timedelta(days=2) - BEFORE),
        (made_at(NOW + timedelta(minutes=5)), NOW - BEFORE),
        (UUID("ffffffff-ffff-7fff-bfff-ffffffffffff"), NOW - BEFORE),
        (UUID("5ddd8e66-4a3b-4f7c-9d9e-0d4d3b0c8c11"), NOW - WITHOUT_TIME),
    ],
    ids=["of two days ago", "by a clock that is ahead", "of no year that there will be", "without a time"],
)
def test_it_begins_when_the_id_was_made_and_never_later_than_now(batch_id: UUID, begin: datetime) -> None:
    assert begin_of(batch_id, NOW) == begin


def test_an_id_of_1970_costs_a_few_looks_that_leave_nothing_out() -> None:
    begin = datetime(1970, 1, 1, tzinfo=UTC)
    looks = list(stretches(begin, NOW))
    assert len(looks) < 20
    assert looks[0] == (begin, begin + timedelta(days=1))
    assert all(one[1] == other[0] for one, other in pairwise(looks))
    assert looks[-1][0] <= NOW < looks[-1][1]
