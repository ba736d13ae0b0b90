"""A call with secrets in it, and the check that nobody sees them."""

from typing import TypeVar

from ajo_worker.api.answer import Answer, Call, Failure

T = TypeVar("T", Answer, Failure)

HEADERS = {
    "accept": "application/json",
    "content-type": "application/json",
    "x-api-key": "client-id",
    "authorization": "Bearer hidden-token",
}
SECRETS = ("hidden-token", "hidden-key", "someone@example.com")


def call_to(url: str, body: bytes = b'{"userId":"someone@example.com"}') -> Call:
    """A POST with a token, an address, and a secret in its URL."""
    return Call(url, HEADERS, body)


def only(kind: type[T], result: Answer | Failure) -> T:
    """The result as what it must be; whatever it is, it shows no secret."""
    assert not [secret for secret in SECRETS if secret in f"{result!r} {getattr(result, 'detail', '')}"]
    assert isinstance(result, kind), result
    return result
