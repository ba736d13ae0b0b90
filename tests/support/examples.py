"""How many examples a property test tries, and which: a usual number, always the same ones.

So a run that fails fails again. ``AJO_FUZZ_EXAMPLES`` asks for more, and for others each time. None has a deadline: a
machine that does much else at the time is no fault.
"""

import os

from hypothesis import settings

VARIABLE = "AJO_FUZZ_EXAMPLES"


def examples(usual: int) -> int:
    """The number of examples: ``usual``, or that of ``AJO_FUZZ_EXAMPLES`` if it is greater."""
    return max(usual, int(os.environ.get(VARIABLE) or 0))


def choose_examples() -> None:
    """Have hypothesis try the same examples each time, unless there are to be more."""
    settings.register_profile("others", deadline=None)
    settings.register_profile("same", deadline=None, derandomize=True)
    settings.load_profile("others" if os.environ.get(VARIABLE) else "same")
