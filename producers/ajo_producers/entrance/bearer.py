"""What a request's headers say of who sends it, where that is a bearer token."""

from collections.abc import Sequence
from typing import Protocol

BEARER_NEEDED = "the header Authorization: Bearer is needed, once"


class Headers(Protocol):
    """A request's headers."""

    def getlist(self, key: str, /) -> Sequence[str]:
        """All values of one of them."""


def bearer_of(headers: Headers) -> str | None:
    """The token of ``Authorization: Bearer``; None if that isn't there once, and nothing beside it."""
    given = headers.getlist("authorization")
    scheme, _, token = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    return token.strip() if scheme.lower() == "bearer" else None
