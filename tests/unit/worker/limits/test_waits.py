"""Waits add up part by part."""

import pytest
from ajo_worker.ledger.attempts import AttemptRow
from ajo_worker.limits.waits import Waits
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple

SECONDS = st.floats(0, 1e6)
WAITS = st.builds(Waits, *([SECONDS] * len(Waits.__struct_fields__)))


@given(WAITS, WAITS)
def test_no_part_is_lost_or_mixed_up(one: Waits, other: Waits) -> None:
    assert astuple(one + other) == tuple(a + b for a, b in zip(astuple(one), astuple(other), strict=True))


@given(WAITS)
def test_each_part_has_its_column_of_an_attempt(waits: Waits) -> None:
    assert set(waits.by_column()) <= set(AttemptRow._fields)
    assert sum(waits.by_column().values()) == pytest.approx(sum(astuple(waits)))
