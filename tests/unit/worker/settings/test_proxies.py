"""Which way calls take: the setting, the usual variables and their exceptions."""

from urllib.parse import quote

import pytest
from ajo_worker.settings.proxies import Proxies, Proxy, Route, is_excepted, proxies_of, read_proxy
from ajo_worker.settings.source import SettingsError
from hypothesis import given
from hypothesis import strategies as st

API, PLAIN = "https://platform.adobe.io/ajo/im/executions/unitary", "http://127.0.0.1:8080/x"


def way(setting: str, environment: dict[str, str], url: str = API) -> str:
    return str(proxies_of(setting, environment).route(url))


@pytest.mark.parametrize(
    ("setting", "environment", "told"),
    [
        ("", {}, "direct"),
        ("http://a:1", {}, "through the proxy a:1 (AJO_PROXY)"),
        ("http://a:1", {"HTTPS_PROXY": "http://b:2"}, "through the proxy a:1 (AJO_PROXY)"),
        ("", {"HTTPS_PROXY": "http://b:2"}, "through the proxy b:2 (HTTPS_PROXY)"),
        ("", {"HTTPS_PROXY": "http://b:2", "https_proxy": "http://c:3"}, "through the proxy c:3 (https_proxy)"),
        ("", {"HTTPS_PROXY": "b.example.com"}, "through the proxy b.example.com:80 (HTTPS_PROXY)"),
        ("", {"HTTPS_PROXY": " "}, "direct"),
        ("", {"HTTP_PROXY": "http://b:2"}, "direct"),
        ("", {"https_proxy": "http://b:2", "NO_PROXY": "localhost,.adobe.io"}, "direct (NO_PROXY)"),
        ("http://a:1", {"no_proxy": "adobe.io"}, "direct (no_proxy)"),
        ("none", {"HTTPS_PROXY": "http://b:2"}, "direct (AJO_PROXY)"),
        ("http://[::1]:3", {}, "through the proxy [::1]:3 (AJO_PROXY)"),
    ],
)
def test_the_way_is_that_of_the_first_variable_that_says_so(
    setting: str, environment: dict[str, str], told: str
) -> None:
    assert way(setting, environment) == told


def test_plain_calls_go_by_their_own_variable_or_by_the_setting() -> None:
    assert (
        way("", {"HTTP_PROXY": "http://b:2", "HTTPS_PROXY": "http://c:3"}, PLAIN)
        == "through the proxy b:2 (HTTP_PROXY)"
    )
    assert way("", {"HTTPS_PROXY": "http://c:3"}, PLAIN) == "direct"
    assert way("http://a:1", {}, PLAIN) == "through the proxy a:1 (AJO_PROXY)"


@pytest.mark.parametrize(
    ("word", "host", "port", "excepted"),
    [
        ("*", "platform.adobe.io", 443, True),
        ("adobe.io", "platform.adobe.io", 443, True),
        ("adobe.io", "adobe.io", 443, True),
        (".adobe.io", "adobe.io", 443, True),
        ("*.adobe.io", "platform.adobe.io", 443, True),
        ("dobe.io", "adobe.io", 443, False),
        ("adobe.io:443", "platform.adobe.io", 443, True),
        ("adobe.io:8443", "platform.adobe.io", 443, False),
        ("127.0.0.1", "127.0.0.1", 8080, True),
        ("127.0.0.1:8080", "127.0.0.1", 8080, True),
        ("127.0.0.1:1", "127.0.0.1", 8080, False),
        ("127.0.0.0/8", "127.9.9.9", 80, True),
        ("10.0.0.0/8", "127.0.0.1", 80, False),
        ("10.0.0.0/8", "a.example.com", 80, False),
        ("::1", "::1", 80, True),
        ("[::1]:80", "::1", 80, True),
        ("[::1]:81", "::1", 80, False),
        ("fd00::/8", "fd12::1", 80, True),
    ],
)
def test_an_exception_is_a_name_with_all_below_it_an_address_or_a_network(
    word: str, host: str, port: int, *, excepted: bool
) -> None:
    assert is_excepted(host, port, ("other.example.com", word)) is excepted
    assert is_excepted(host.upper(), port, (word,)) is excepted


@pytest.mark.parametrize(
    "value",
    [
        "https://proxy.example.com:3128",
        "socks5://proxy.example.com",
        "http://",
        "http://proxy.example.com:port",
        "http://proxy.example.com/path",
        "http://us:pa/ss@proxy.example.com",
        "http://us:pa#ss@proxy.example.com",
        "http://us:pa?ss@proxy.example.com",
        "http://us%3Aer:pass@proxy.example.com",
        "http://us:pass%0A@proxy.example.com",
        "http://proxy example.com",
    ],
)
def test_a_proxy_that_cant_be_used_is_refused_by_its_variable_and_nothing_of_it_is_told(value: str) -> None:
    with pytest.raises(SettingsError, match=r"^HTTPS_PROXY: ") as refused:
        read_proxy(value, "HTTPS_PROXY")
    told = str(refused.value).removeprefix("HTTPS_PROXY: ")
    assert "example" not in told
    assert "pa" not in told.replace("password", "")


SIGNS = st.characters(min_codepoint=32, exclude_categories=["Cs"])


@given(st.text(SIGNS.filter(lambda sign: sign != ":"), max_size=8), st.text(SIGNS))
def test_user_and_password_come_as_they_are_meant_and_are_never_shown(user: str, password: str) -> None:
    proxy = read_proxy(f"http://{quote(user, safe='')}:{quote(password, safe='')}@proxy.example.com:3128", "AJO_PROXY")
    assert (proxy.user, proxy.password) == (user, password)
    shown = f"{proxy} {proxy!r} {Route(proxy, 'AJO_PROXY')!r} {Proxies({'https': Route(proxy)})!r}"
    assert shown.count("proxy.example.com") == 4
    assert "user" not in shown.replace("user=", "")
    assert "password" not in shown


def test_without_a_user_nothing_is_authorized() -> None:
    assert Proxy("a", 1).authorization is None
    assert Proxy("a", 1, "us@er", "p:w").authorization == "Basic dXNAZXI6cDp3"
