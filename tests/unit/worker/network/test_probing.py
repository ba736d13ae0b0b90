"""What a worker probes, and the row of a way."""

from datetime import UTC, datetime

import pytest
from ajo_worker.api.request import Endpoint
from ajo_worker.network.destination import token_destination
from ajo_worker.network.probing import probe_of, probed
from ajo_worker.network.steps import Head
from ajo_worker.network.way import Way
from ajo_worker.settings.proxies import Proxies
from uuid_utils.compat import uuid7

API = "https://platform.adobe.io/ajo/im/executions/unitary"
TOKEN = "https://ims-na1.adobelogin.com/ims/token/v3"


@pytest.mark.parametrize(
    ("base_url", "token_url", "endpoints"),
    [
        (None, TOKEN, ["platform.adobe.io:443", "ims-na1.adobelogin.com:443"]),
        (None, "https://platform.adobe.io/token", ["platform.adobe.io:443"]),
    ],
)
def test_the_hosts_of_campaigns_and_of_the_token_are_probed_each_once(
    base_url: str | None, token_url: str, endpoints: list[str]
) -> None:
    found = probed({"order-shipped": Endpoint(API, {})}, base_url, token_url, Proxies({}))
    assert [one.endpoint for one in found] == endpoints
    assert found[0].campaigns == ("order-shipped",)


def test_without_campaigns_the_token_s_host_is_probed_alone() -> None:
    assert [one.endpoint for one in probed({}, None, TOKEN, Proxies({}))] == ["ims-na1.adobelogin.com:443"]


def test_a_row_has_the_steps_that_were_made_and_the_fault_of_the_one_that_failed() -> None:
    worker, now = uuid7(), datetime(2026, 6, 1, tzinfo=UTC)
    failed = Way({"dns": 0.1}, failed="connect", fault=ConnectionRefusedError(111, "hidden"))
    row = probe_of(token_destination(TOKEN), failed, worker, now)
    assert (row.seconds, row.failure, row.http_status) == ({"dns": 0.1}, "connect: Connection refused", None)
    whole = Way({"dns": 0.1, "connect": 0.2}, address="192.0.2.1", answer=Head(404, None, 0.1, 0.0, 0.1))
    row = probe_of(token_destination(TOKEN), whole, worker, now)
    assert (row.failure, row.http_status, row.address, row.probed_at, row.worker) == (
        None,
        404,
        "192.0.2.1",
        now,
        worker,
    )
