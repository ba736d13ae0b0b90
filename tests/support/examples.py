"""How many examples a property test tries: a usual number, and more where AJO_FUZZ_EXAMPLES asks for more."""

import os

VARIABLE = "AJO_FUZZ_EXAMPLES"


def examples(usual: int) -> int:
    """The number of examples: ``usual``, or that of ``AJO_FUZZ_EXAMPLES`` if it is greater."""
    return max(usual, int(os.environ.get(VARIABLE) or 0))
