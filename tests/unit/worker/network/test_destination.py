"""Where ways lead to."""

import pytest
from ajo_worker.api.request import Endpoint, ForeignHost
from ajo_worker.network.destination import destinations, token_destination

HEADERS = {"content-type": "application/json", "x-api-key": "shop", "x-sandbox-name": "prod"}
UNITARY = "https://platform.adobe.io/ajo/im/executions/unitary"


def test_each_host_is_visited_once_with_its_campaigns_and_a_foreign_one_never() -> None:
    found = destinations(
        {
            "order": Endpoint(UNITARY, HEADERS),
            "evil": ForeignHost("evil.example.com"),
            "sale": Endpoint("https://platform.adobe.io/ajo/im/executions/highthroughput", {}),
            "test": Endpoint("http://127.0.0.1:8080/gate/ajo/im/executions/unitary", {}),
        },
        None,
    )
    assert [(one.name, one.endpoint, one.secure, one.target, one.campaigns) for one in found] == [
        ("platform.adobe.io", "platform.adobe.io:443", True, "/ajo/im/health", ("order", "sale")),
        ("127.0.0.1:8080", "127.0.0.1:8080", False, "/gate/ajo/im/health", ("test",)),
    ]
    assert found[0].headers == {"x-api-key": "shop", "x-sandbox-name": "prod"}
    assert {one.method for one in found} == {"GET"}


@pytest.mark.parametrize(("base_url", "targets"), [(None, []), ("https://gate.example.com/a/", ["/a/ajo/im/health"])])
def test_a_base_url_is_visited_even_without_a_definition(base_url: str | None, targets: list[str]) -> None:
    assert [one.target for one in destinations({}, base_url)] == targets


def test_the_token_s_host_is_asked_for_its_root_alone() -> None:
    found = token_destination("https://ims-na1.adobelogin.com/ims/token/v3")
    assert (found.method, found.target, found.endpoint) == ("HEAD", "/", "ims-na1.adobelogin.com:443")
    assert (found.headers, found.campaigns) == ({}, ())


def test_an_address_of_ipv6_keeps_its_brackets() -> None:
    assert token_destination("https://[2001:db8::1]/token").endpoint == "[2001:db8::1]:443"
