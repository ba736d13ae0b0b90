"""What the declarations of the ledger's tables have in common."""

from collections.abc import Iterator
from datetime import datetime
from types import UnionType
from typing import Any, get_args, get_type_hints
from uuid import UUID

from sqlalchemy import Boolean, Column, DateTime, Double, LargeBinary, MetaData, SmallInteger, Text, Uuid
from sqlalchemy.types import TypeEngine

METADATA = MetaData(schema="ledger")
INSTANT = DateTime(timezone=True)
TYPES: dict[type, TypeEngine[Any]] = {
    UUID: Uuid(),
    datetime: INSTANT,
    float: Double(),
    int: SmallInteger(),
    bool: Boolean(),
    str: Text(),
    bytes: LargeBinary(),
}
"""What a field of a row type is in the ledger."""


def columns_of(row_type: type) -> Iterator[Column[Any]]:
    """A column for each field of a row type, named and in order as they are; a wait that was none is null."""
    for name, hint in get_type_hints(row_type).items():
        kinds = get_args(hint) if isinstance(hint, UnionType) else (hint,)
        [kind] = (each for each in kinds if each is not type(None))
        yield Column(name, TYPES[kind], nullable=len(kinds) > 1 or name.endswith("_wait_seconds"))
