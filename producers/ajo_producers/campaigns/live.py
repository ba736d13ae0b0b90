"""What ``campaigns check --live`` learns of a campaign. The worker asks, since the SDK has no HTTP client."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from msgspec import Struct

from ajo_producers.campaigns.definition import Definition


class Difference(Struct, frozen=True):
    """A field in which a definition and Journey Optimizer differ, and what to do; None where a side says nothing."""

    field: str
    here: str | None
    there: str | None
    advice: str


class Compared(Struct, frozen=True, kw_only=True):
    """One campaign: what Journey Optimizer says of it (None: unknown) and the differences, or why nothing is known."""

    name: str
    live: dict[str, str | bool | None] | None = None
    differences: tuple[Difference, ...] = ()
    problem: str | None = None


LiveCheck: TypeAlias = Callable[[Sequence[Definition]], Sequence[Compared]]
"""What the entry points group ``ajo_dispatch.live_check`` names: compares definitions, in their order."""
