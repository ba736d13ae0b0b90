"""The states of a trigger, in the order in which they are told. ``ledger.is_dead`` says the same in SQL."""

from typing import Literal, TypeAlias, get_args

DeadState: TypeAlias = Literal["rejected", "expired", "unconfirmed"]
DEAD: tuple[DeadState, ...] = get_args(DeadState)
"""Ended unaccepted: dead letters."""
STATES = ("accepted", *DEAD, "parked", "sending")
