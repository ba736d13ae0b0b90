"""How long an attempt waited before it could be announced, by what held it back. Pure; seconds."""

from msgspec import Struct


class Waits(Struct, frozen=True):
    """Each part is a column of ``ledger.attempts``, and a phase of its own.

    ``rate_limit`` and ``slot`` are ours: the limits as they are configured. What goes beyond that is Adobe's: answers
    429 slowed the rate (``throttle``), it comes back after an outage (``ramp``), nothing is answered (``silence``),
    calls in flight are slow (``congestion``), there is no access token (``token``). ``intake`` is ours again: its
    message lay there, and the loop had not come round to it; and so is ``ledger``: it gave no permits.
    """

    rate_limit: float = 0.0
    throttle: float = 0.0
    ramp: float = 0.0
    silence: float = 0.0
    slot: float = 0.0
    congestion: float = 0.0
    token: float = 0.0
    intake: float = 0.0
    ledger: float = 0.0

    def by_column(self) -> dict[str, float]:
        """Those that took any time, by their columns."""
        return {f"{name}_wait_seconds": wait for name in self.__struct_fields__ if (wait := getattr(self, name))}

    def __add__(self, other: "Waits") -> "Waits":
        """Both, one after the other."""
        if self is NO_WAIT:
            return other
        if other is NO_WAIT:
            return self
        return Waits(
            self.rate_limit + other.rate_limit,
            self.throttle + other.throttle,
            self.ramp + other.ramp,
            self.silence + other.silence,
            self.slot + other.slot,
            self.congestion + other.congestion,
            self.token + other.token,
            self.intake + other.intake,
            self.ledger + other.ledger,
        )


NO_WAIT = Waits()
