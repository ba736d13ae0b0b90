"""Ids that begin with their time."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import RFC_4122

from ajo_producers.contract.timed_ids import floor_of, milliseconds_at, moment_of, timed_id
from hypothesis import given
from hypothesis import strategies as st

moments = st.integers(0, 10**16).map(lambda number: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=number))


@given(moments)
def test_the_least_id_of_a_moment_tells_it_to_the_millisecond(moment: datetime) -> None:
    assert moment_of(floor_of(moment)) == moment.replace(microsecond=moment.microsecond // 1000 * 1000)


@given(moments, st.binary())
def test_every_id_of_a_moment_is_a_version_7_and_lies_in_its_millisecond(moment: datetime, content: bytes) -> None:
    made = timed_id(milliseconds_at(moment), sha256(content).digest())
    assert (made.version, made.variant) == (7, RFC_4122)
    assert floor_of(moment) < made < floor_of(moment + timedelta(milliseconds=1))
