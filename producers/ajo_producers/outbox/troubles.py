"""What a relay says of what is away, once at the begin and once at the end, and for how long it pauses."""

import random
import time
from collections.abc import Callable

FIRST_SECONDS, LONGEST_SECONDS = 0.5, 30.0


class Trouble:
    """One part that may be away, such as the broker. ``say`` takes lines for people."""

    def __init__(self, what: str, say: Callable[[str], None]) -> None:
        self._what = what
        self._say = say
        self._since: float | None = None
        self._told = ""
        self._pause = FIRST_SECONDS

    @property
    def lasts(self) -> bool:
        """Whether it is away."""
        return self._since is not None

    def met(self, reason: str) -> float:
        """It is away: said once for each reason. Returns the seconds until the next try, which grow to 30."""
        if self._since is None:
            self._since = time.monotonic()
        if reason != self._told:
            self._say(f"{reason}; it is tried again until it works, and nothing is lost meanwhile")
            self._told = reason
        pause = self._pause
        self._pause = min(2 * pause, LONGEST_SECONDS)
        return pause * random.uniform(0.75, 1.0)  # noqa: S311 - so that several relays don't come at once

    def over(self) -> None:
        """It works: said once."""
        if self._since is not None:
            self._say(f"{self._what} is back, after {time.monotonic() - self._since:.1f} s")
        self._since, self._told, self._pause = None, "", FIRST_SECONDS
