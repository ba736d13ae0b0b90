"""Rows turned into the arrays that ``unnest`` takes: one parameter a column, however many rows."""

from collections.abc import Sequence
from functools import cache
from operator import attrgetter
from typing import Any

LOCK_ORDER = attrgetter("request_id")
"""Rows are locked in the order of their ids, and triggers before attempts: else workers lock each other out."""


@cache
def _getters(row_type: type) -> tuple[Any, ...]:
    return tuple(attrgetter(name) for name in row_type.__slots__)  # type: ignore[attr-defined] # rows are slotted dataclasses


def columns(rows: Sequence[Any], row_type: type) -> list[list[Any]]:
    """The columns of ``rows``, in the order of the fields of ``row_type``."""
    return [[get(row) for row in rows] for get in _getters(row_type)]
