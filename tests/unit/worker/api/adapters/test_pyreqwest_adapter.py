"""The pyreqwest adapter where the library itself fails: no real client does what these do."""

import asyncio
from typing import Any

from ajo_worker.api.adapters.pyreqwest_adapter import PyreqwestAdapter
from ajo_worker.api.answer import Call, Failure

CALL = Call("https://platform.adobe.io/", {}, b"")


class Lost:
    """A client, its builder and its request in one, whose answer never comes."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_: self

    async def __aenter__(self) -> None:
        await asyncio.Event().wait()

    async def __aexit__(self, *_: object) -> None:
        """Never reached."""


async def test_a_call_that_the_library_has_lost_ends_all_the_same() -> None:
    adapter: Any = PyreqwestAdapter(Lost(), max_answer_bytes=10, lost_after=0.01)  # type: ignore[arg-type] # a stand-in
    failure = await adapter.post(CALL, timeout=0.01)
    assert isinstance(failure, Failure)
    assert (failure.kind, failure.perhaps_processed) == ("timeout", True)


async def test_a_client_that_builds_no_request_has_sent_nothing() -> None:
    adapter: Any = PyreqwestAdapter(object(), max_answer_bytes=10)  # type: ignore[arg-type] # a stand-in
    failure = await adapter.post(CALL, timeout=1)
    assert isinstance(failure, Failure)
    assert (failure.kind, failure.perhaps_processed, failure.detail) == ("internal", False, "AttributeError")
