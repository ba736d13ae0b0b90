"""Chunks: every id of a day is in exactly one hour and one minute of it."""

from datetime import date, timedelta
from itertools import pairwise

from ajo_producers.contract.timed_ids import floor_of
from ajo_worker.evidence.chunks import DAILY, HOURLY, Chunk, begin_of, chunks_of

DAY = date(2026, 11, 20)


def test_a_day_is_24_hours_of_the_big_tables_and_one_day_of_the_small_ones() -> None:
    *hours, rest = chunks_of(DAY)
    assert len(hours) == 24
    assert all([chunk.relation for chunk in group] == [*HOURLY] for group in hours)
    assert sorted(chunk.relation for chunk in rest) == sorted(DAILY)


def test_hours_follow_one_another_from_midnight_to_midnight() -> None:
    hours = [group[0] for group in chunks_of(DAY)[:-1]]
    assert [chunk.hour for chunk in hours] == list(range(24))
    assert all(one.to_id == other.from_id for one, other in pairwise(hours))
    assert hours[0].from_id == floor_of(begin_of(DAY))
    assert hours[-1].to_id == floor_of(begin_of(DAY + timedelta(days=1)))
    assert [hours[5].begin, hours[5].end] == [begin_of(DAY) + timedelta(hours=hour) for hour in (5, 6)]


def test_a_whole_day_has_no_hour() -> None:
    chunk = Chunk(DAY, "operations")
    assert (chunk.hour, chunk.begin, chunk.end) == (None, begin_of(DAY), begin_of(DAY + timedelta(days=1)))
