"""The states of a trigger, in the order in which they are told. ``ledger.is_dead`` says the same in SQL."""

from typing import Literal, TypeAlias, get_args

DeadState: TypeAlias = Literal["rejected", "expired", "unconfirmed"]
DEAD: tuple[DeadState, ...] = get_args(DeadState)
"""Ended unaccepted: dead letters."""
STATES = ("accepted", *DEAD, "parked", "sending")
EndState: TypeAlias = Literal["accepted", DeadState, "parked"]
"""What a round of attempts may end in; what is parked goes on in another one."""
InsertState: TypeAlias = Literal["sending", "rejected", "expired", "parked"]
"""What a trigger may begin in: nothing was sent yet."""
