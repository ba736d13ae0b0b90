"""What msgspec says, in words for people: none of its own names of types is left."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
import pytest
from ajo_producers.campaigns.mismatch import mismatch
from msgspec import Meta


@pytest.mark.parametrize(
    ("kind", "value", "told"),
    [
        (str, 5, "must be text, not a whole number"),
        (str | None, 1.5, "must be text, not a number"),
        (float, "x", "must be a number, not text"),
        (bool | None, [], "must be true or false, not a list"),
        (list[int], {}, "must be a list, not an object"),
        (dict[str, int], None, "must be an object, not null"),
        (datetime | None, date(2026, 11, 1), "must be a time, not a date"),
        (float | timedelta | None, [], "must be a number or a length of time, not a list"),
        (Annotated[float, Meta(gt=0)], -1, "must be a number above 0"),
        (Annotated[float, Meta(le=3600)], 3601, "must be a number of at most 3,600"),
        (Annotated[int, Meta(ge=1)], 0, "must be a whole number of at least 1"),
        (Annotated[tuple[str, ...], Meta(min_length=1)], [], "must be a list with at least 1"),
        (Literal["a", "b"], "c", "is wrong: invalid enum value 'c'"),
    ],
)
def test_a_value_that_does_not_fit_is_told_in_words(kind: Any, value: object, told: str) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(value, kind)
    assert mismatch(str(caught.value)) == told
