"""Faults of campaigns, token and endpoints: each is seen, and the other checks stay good."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.support.connect_proxy import ConnectProxy
from tests.support.doctor import Diagnose, statuses
from tests.support.programs import Simulator


def test_an_endpoint_that_refuses_connections_fails_alone(env: dict[str, str], closed: int, diagnose: Diagnose) -> None:
    code, found = diagnose(env | {"AJO_BASE_URL": f"http://127.0.0.1:{closed}"})
    assert (code, statuses(found, "failed")) == (1, {f"connect 127.0.0.1:{closed}"})
    assert found[f"connect 127.0.0.1:{closed}"]["found"] == "Connection refused"
    assert {f"tls 127.0.0.1:{closed}", f"health 127.0.0.1:{closed}"} <= statuses(found, "skipped")
    assert {"token", "clocks", "database", "broker"} <= statuses(found, "ok")


@pytest.mark.parametrize(("certificate", "told"), [("expired", "has expired"), ("wrong-host", "mismatch")])
def test_a_certificate_that_does_not_hold_fails_alone(
    env: dict[str, str],
    simulator: Callable[..., Simulator],
    tmp_path: Path,
    diagnose: Diagnose,
    certificate: str,
    told: str,
) -> None:
    authority = tmp_path / "ca.pem"
    api = simulator(None, "--tls", "--certificate", certificate, "--ca-out", str(authority))
    code, found = diagnose(env | {"AJO_BASE_URL": api.url, "AJO_CA_FILE": str(authority)})
    place = api.url.removeprefix("https://")
    assert (code, statuses(found, "failed")) == (1, {f"tls {place}"})
    assert told in str(found[f"tls {place}"]["found"])
    assert "token" in statuses(found, "ok")


@pytest.fixture
def behind(env: dict[str, str], simulator: Callable[..., Simulator], tmp_path: Path) -> dict[str, str]:
    """As ``env``, with a simulator over TLS."""
    api = simulator(None, "--tls", "--ca-out", str(tmp_path / "ca.pem"))
    own = {"AJO_BASE_URL": api.url, "AJO_TOKEN_URL": api.token_url, "AJO_CA_FILE": str(tmp_path / "ca.pem")}
    return env | own


def test_token_and_endpoint_are_reached_through_the_proxy_and_the_way_is_named(
    behind: dict[str, str], diagnose: Diagnose
) -> None:
    with ConnectProxy() as proxy:
        code, found = diagnose(behind | {"AJO_PROXY": proxy.url})
        assert (code, proxy.tunnels) == (0, 2)
    place = behind["AJO_BASE_URL"].removeprefix("https://")
    assert found["proxy"]["found"] == f"through the proxy 127.0.0.1:{proxy.port} (AJO_PROXY): {place}"
    assert str(found[f"connect {place}"]["found"]).startswith(
        f"a tunnel through the proxy 127.0.0.1:{proxy.port} after "
    )
    assert {f"tls {place}", f"health {place}", "token"} <= statuses(found, "ok")
    assert "planted" not in repr(found)


def test_a_proxy_that_refuses_or_is_dead_fails_what_goes_through_it(behind: dict[str, str], diagnose: Diagnose) -> None:
    place = behind["AJO_BASE_URL"].removeprefix("https://")
    with ConnectProxy() as proxy:
        wrong = f"http://us:planted@127.0.0.1:{proxy.port}"
        code, found = diagnose(behind | {"AJO_PROXY": wrong})
        assert (code, statuses(found, "failed")) == (1, {f"connect {place}", "token"})
        assert f"the proxy 127.0.0.1:{proxy.port}: status 407" in str(found[f"connect {place}"]["found"])
        assert "through the proxy: status 407" in str(found["token"]["found"])
        proxy.die()
        _, found = diagnose(behind | {"AJO_PROXY": wrong})
        assert statuses(found, "failed") == {f"connect {place}", "token"}
        assert "Connection refused" in str(found["token"]["found"])
    assert "planted" not in repr(found)


def test_a_proxy_that_cant_be_used_fails_by_the_name_of_its_variable(
    env: dict[str, str], diagnose: Diagnose, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks5://us:planted@proxy.example.com")
    code, found = diagnose(env)
    assert (code, statuses(found, "failed")) == (1, {"proxy"})
    assert str(found["proxy"]["found"]).startswith("HTTPS_PROXY: must be http://")
    assert {"token", "endpoint"} <= statuses(found, "skipped")
    assert "planted" not in repr(found)


def test_a_refused_token_fails_and_the_endpoint_is_still_asked(
    env: dict[str, str], simulator: Callable[..., Simulator], diagnose: Diagnose
) -> None:
    api = simulator(None, "--client-id", "another")
    code, found = diagnose(env | {"AJO_TOKEN_URL": api.token_url})
    assert (code, statuses(found, "failed")) == (1, {"token"})
    assert found["token"]["found"] == "token endpoint: status 400, invalid_client"
    place = env["AJO_BASE_URL"].partition("://")[2]
    assert "asked without a token" in str(found[f"health {place}"]["found"])


def test_missing_credentials_fail_alone_and_the_endpoint_is_still_asked(
    env: dict[str, str], diagnose: Diagnose
) -> None:
    code, found = diagnose(env | {"AJO_CLIENT_SECRET": ""})
    assert (code, statuses(found, "failed")) == (1, {"client id and secret"})
    assert "see client id and secret" in str(found["token"]["found"])
    assert f"health {env['AJO_BASE_URL'].partition('://')[2]}" in statuses(found, "ok")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_endpoint_that_hangs_meets_the_timeout(
    env: dict[str, str], silent: int, scheme: str, diagnose: Diagnose
) -> None:
    url = f"{scheme}://127.0.0.1:{silent}"
    code, found = diagnose(env | {"AJO_BASE_URL": url}, "--timeout", "10")
    step = "health" if scheme == "http" else "tls"
    assert (code, statuses(found, "failed")) == (1, {f"{step} 127.0.0.1:{silent}"})
    assert found[f"{step} 127.0.0.1:{silent}"]["found"] == "no answer within 10 s"
    assert {"token", "clocks", "database", "broker"} <= statuses(found, "ok")


def test_a_faulty_definition_and_a_foreign_host_fail_and_the_others_are_visited(
    env: dict[str, str], diagnose: Diagnose, closed: int
) -> None:
    folder = Path(env["AJO_CAMPAIGNS"])
    (folder / "broken.toml").write_text("campaign_id = 7\n", encoding="utf-8")
    good = (folder / "order-shipped.toml").read_text(encoding="utf-8")
    foreign = good.replace("platform.adobe.io", f"127.0.0.1:{closed}")
    (folder / "foreign.toml").write_text(foreign, encoding="utf-8")
    near = {name: value for name, value in env.items() if name != "AJO_BASE_URL"} | {"AJO_ALLOWED_HOSTS": "*.invalid"}
    code, found = diagnose(near)
    assert (code, statuses(found, "failed")) == (1, {"campaigns", "campaign hosts"})
    assert found["endpoint"]["status"] == "skipped"
    _, found = diagnose(env)
    assert statuses(found, "failed") == {"campaigns"}
    assert f"health {env['AJO_BASE_URL'].partition('://')[2]}" in statuses(found, "ok")


class Answering(BaseHTTPRequestHandler):
    """Answers with the server's status, by the server's clock; and keeps what it was asked with."""

    server: "OddServer"

    def do_GET(self) -> None:
        self.server.headers.append(dict(self.headers.items()))
        self.send_response(self.server.status)
        self.send_header("content-length", "0")
        self.end_headers()

    def date_time_string(self, timestamp: float | None = None) -> str:  # noqa: ARG002 - the base's
        return super().date_time_string(time.time() + self.server.ahead)

    def log_message(self, *_: Any) -> None:
        """Not to the test's output."""


class OddServer(ThreadingHTTPServer):
    """An endpoint with a status and a clock of its own."""

    status, ahead = 200, 0.0

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.headers: list[dict[str, str]] = []


@pytest.fixture
def odd() -> Iterator[OddServer]:
    """An odd endpoint."""
    with OddServer() as server, ThreadPoolExecutor(1) as thread:
        thread.submit(server.serve_forever, 0.01)
        yield server
        server.shutdown()


@pytest.mark.parametrize(("ahead", "status"), [(-40.0, "failed"), (40.0, "failed"), (5.0, "warning"), (0.0, "ok")])
def test_an_endpoint_whose_clock_is_wrong_is_seen_by_its_date(
    env: dict[str, str], odd: OddServer, diagnose: Diagnose, ahead: float, status: str
) -> None:
    odd.ahead = ahead
    code, found = diagnose(env | {"AJO_BASE_URL": f"http://127.0.0.1:{odd.server_port}"})
    assert found["clocks"]["status"] == status
    assert (code, statuses(found, "failed")) == ((1, {"clocks"}) if status == "failed" else (0, set()))
    assert f"127.0.0.1:{odd.server_port}" in str(found["clocks"]["found"])
    assert "database" in str(found["clocks"]["found"])


@pytest.mark.parametrize(("answer", "judged"), [(401, "failed"), (403, "failed"), (503, "failed"), (429, "warning")])
def test_an_endpoint_that_does_not_take_the_token_is_told_with_its_status(
    env: dict[str, str], odd: OddServer, diagnose: Diagnose, answer: int, judged: str
) -> None:
    odd.status = answer
    _, found = diagnose(env | {"AJO_BASE_URL": f"http://127.0.0.1:{odd.server_port}", "AJO_ORG_ID": "OURS@AdobeOrg"})
    check = found[f"health 127.0.0.1:{odd.server_port}"]
    assert check["status"] == judged
    assert f"status {answer} " in str(check["found"])
    [headers] = odd.headers
    sent = {name.lower(): value for name, value in headers.items()}
    assert sent["authorization"].startswith("Bearer simulated-")
    assert (sent["x-api-key"], sent["x-gw-ims-org-id"], sent["x-sandbox-name"]) == (
        "test-client",
        "OURS@AdobeOrg",
        "prod",
    )
    assert "simulated-" not in repr(found)
