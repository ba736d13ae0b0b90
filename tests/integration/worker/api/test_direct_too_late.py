"""The direct adapter sends nothing whose time is over: its process may have been frozen on the way."""

from ajo_worker.api.adapters.direct_adapter import direct_adapter
from ajo_worker.api.answer import Answer, Failure
from ajo_worker.settings import Settings

from tests.support import raw_behaviours as does
from tests.support.calls import call_to, only
from tests.support.raw_server import RawServer


async def test_a_call_whose_time_is_over_is_not_sent_whether_a_connection_is_kept_or_not() -> None:
    adapter = direct_adapter(Settings(connect_timeout=20))
    async with RawServer(does.answering(does.whole())) as server:
        first = only(Failure, await adapter.post(call_to(server.url), timeout=0))
        assert only(Answer, await adapter.post(call_to(server.url), timeout=60)).status == 202
        second = only(Failure, await adapter.post(call_to(server.url), timeout=0))
        assert len(server.requests) == 1
    assert not first.perhaps_processed
    assert (second.kind, second.perhaps_processed) == ("timeout", False)
    await adapter.close()
