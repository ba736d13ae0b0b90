"""How rows of many triggers reach one statement, and how that is written: from the fields of the row types.

A hot statement gets whole rows, as an array of the composite type that is named in it: that costs the driver and
PostgreSQL half of what an array for each column does. The others get an array for each column.
"""

from collections.abc import Sequence
from functools import cache
from operator import attrgetter
from typing import Any, Protocol
from uuid import UUID

LOCK_ORDER = attrgetter("request_id.int")
"""Rows are locked in the order of their ids, and triggers before attempts: else workers lock each other out."""


class OfTrigger(Protocol):
    """A row about one trigger."""

    @property
    def request_id(self) -> UUID:
        """The trigger."""


def within(column: str, first: str, last: str) -> str:
    """A condition that a statement opens those partitions alone that its ids are in, of 400 days'.

    It is written so that no index is searched by it (bitmaps are turned off): the planner would at times read all that
    is between the bounds, once for each id, instead of looking each id up.
    """
    return f"({column} > {first} OR {column} = {first}) AND ({column} < {last} OR {column} = {last})"


HELD_ENDS = """
    SELECT (SELECT request_id FROM ledger.held_payloads ORDER BY request_id LIMIT 1) AS first,
           (SELECT request_id FROM ledger.held_payloads ORDER BY request_id DESC LIMIT 1) AS last
"""
"""For ``within``, of triggers with held payloads. It is asked first: a statement that begins on 400 days' partitions
takes 300 ms and 1,700 locks, if only to find that there is nothing to do."""


def count(status: str) -> int:
    """How many rows a statement has changed, from what PostgreSQL says of it: ``INSERT 0 100``."""
    return int(status.rpartition(" ")[2])


@cache
def _getters(row_type: type) -> tuple[Any, ...]:
    return tuple(attrgetter(name) for name in row_type.__slots__)  # type: ignore[attr-defined] # rows are slotted dataclasses


def columns(rows: Sequence[Any], row_type: type) -> list[list[Any]]:
    """The columns of ``rows``, in the order of the fields of ``row_type``."""
    return [[get(row) for row in rows] for get in _getters(row_type)]
