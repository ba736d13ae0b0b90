"""``ajo-dispatch simulate`` as a user has it: HTTPS, clear errors, a clean end."""

import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from tests.integration.simulator.calls import FORM, PATIENCE, SHORT, TOKEN, Api
from tests.support.programs import Finished, Simulator


def trusting(ca: Path) -> httpx2.Client:
    """A client that trusts this authority and no other."""
    return httpx2.Client(verify=ssl.create_default_context(cafile=str(ca)), timeout=PATIENCE)


def test_with_tls_a_caller_that_trusts_the_written_authority_is_served(
    simulator: Callable[..., Simulator], tmp_path: Path
) -> None:
    ca = tmp_path / "ca.pem"
    running = simulator('[[fault]]\nkind = "reset-after"\ncampaign = "reset"\n', "--tls", "--ca-out", str(ca))
    assert running.url.startswith("https://")
    with trusting(ca) as client:
        api = Api.at(running.url, running.journal, client)
        assert api.call("r-1").status_code == 202
        assert api.entry("r-1")["accepted"]
        with pytest.raises((httpx2.ReadError, httpx2.RemoteProtocolError)):
            api.call("r-2", "reset")
        assert api.entry("r-2")["accepted"]


@pytest.mark.parametrize(
    ("certificate", "told"),
    [("expired", "certificate has expired"), ("wrong-host", "certificate is not valid for '127.0.0.1'")],
)
def test_a_flawed_certificate_is_refused_by_a_caller_that_trusts_its_authority(
    simulator: Callable[..., Simulator], tmp_path: Path, certificate: str, told: str
) -> None:
    ca = tmp_path / "ca.pem"
    running = simulator(None, "--tls", "--ca-out", str(ca), "--certificate", certificate)
    with trusting(ca) as client, pytest.raises(httpx2.ConnectError, match=told):
        client.get(f"{running.url}/ajo/im/health")


def test_a_caller_that_does_not_know_the_authority_refuses_it(simulator: Callable[..., Simulator]) -> None:
    with pytest.raises(httpx2.ConnectError, match="certificate verify failed"):
        httpx2.get(f"{simulator(None, '--tls').url}/ajo/im/health")


def test_a_bad_scenario_ends_the_command_with_the_file_and_the_field(
    run_cli: Callable[..., Finished], tmp_path: Path
) -> None:
    file = tmp_path / "chaos.toml"
    file.write_text('[[fault]]\nkind = "hang"\nshare = 2\n', encoding="utf-8")
    done = run_cli("simulate", "--port", "0", "--scenario", file)
    assert (done.code, done.out) == (1, "")
    assert done.err == f"error: {file}: Expected `float` <= 1.0 - at `fault[0].share`\n"


def test_a_scenario_that_is_not_text_or_not_there_ends_the_command_too(
    run_cli: Callable[..., Finished], tmp_path: Path
) -> None:
    file = tmp_path / "chaos.toml"
    done = run_cli("simulate", "--scenario", file)
    assert (done.code, done.err) == (1, f"error: {file}: No such file or directory\n")
    file.write_bytes(b"\xff\xfe")
    done = run_cli("simulate", "--scenario", file)
    assert (done.code, done.err) == (1, f"error: {file}: not TOML: not in UTF-8\n")


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="there is no IPv6 here")
def test_the_url_that_it_tells_leads_there_by_ipv6_too(own_api: Callable[..., tuple[Simulator, Api]]) -> None:
    running, api = own_api(None, "--host", "::1")
    assert running.url.startswith("http://[::1]:")
    assert api.get("/ajo/im/health").status_code == 200


def test_a_port_that_is_taken_is_named(run_cli: Callable[..., Finished]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run_cli("simulate", "--port", str(port))
    assert (done.code, done.out) == (1, "")
    assert done.err == f"error: can't listen on 127.0.0.1:{port}: Address already in use\n"


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--host", "192.0.2.1", "--port", "0"], 1, "error: can't listen on 192.0.2.1:0: "),
        (["--host", "nowhere.invalid", "--port", "0"], 1, "error: can't listen on nowhere.invalid:0: "),
        (["--host", "", "--port", "0"], 2, "Invalid value for '--host': must be an address of this machine"),
        (["--host", f"{70 * 'x'}.invalid", "--port", "0"], 2, "Invalid value for '--host': must be an address of this"),
        (["--journal", "missing/journal.jsonl"], 1, "missing/journal.jsonl: No such file or directory"),
        (["--tls", "--ca-out", "missing/ca.pem"], 1, "missing/ca.pem: No such file or directory"),
        (["--ca-out", "ca.pem"], 2, "Invalid value for --ca-out: needs --tls"),
        (["--certificate", "expired"], 2, "Invalid value for --certificate: needs --tls"),
        (["--tls", "--certificate", "old"], 2, "--certificate"),
        (["--port", "65536"], 2, "--port"),
    ],
)
def test_what_cannot_be_is_told_in_a_line(
    run_cli: Callable[..., Finished], arguments: list[str], code: int, told: str
) -> None:
    done = run_cli("simulate", *arguments)
    assert done.code == code
    assert told in done.err
    assert "Traceback" not in done.err


def test_sigterm_ends_it_with_exit_code_0_though_calls_hang(own_api: Callable[..., tuple[Simulator, Api]]) -> None:
    running, api = own_api('[[fault]]\nkind = "hang"\naccept = true\n')
    with socket.create_connection(api.address, PATIENCE) as begun:
        begun.send(b"POST ")
        with pytest.raises(httpx2.ReadTimeout):
            api.call("r-1", timeout=SHORT)
        assert running.child.stop() == 0
    assert running.child.output().splitlines() == [f"listening on {api.url}"], "and nothing else is printed"
    assert len(api.entries("r-1")) == 1


def test_only_the_named_client_gets_a_token(simulator: Callable[..., Simulator]) -> None:
    running = simulator(None, "--client-id", "me", "--client-secret", "secret")
    statuses = [
        httpx2.post(f"{running.url}{TOKEN}", data={**FORM, **changes}).status_code
        for changes in ({}, {"client_id": "you"}, {"client_secret": "guessed"})
    ]
    assert statuses == [200, 400, 400]


def test_a_seed_of_its_own_goes_over_the_scenarios(own_api: Callable[..., tuple[Simulator, Api]]) -> None:
    scenario = 'seed = 1\n[[fault]]\nkind = "status"\nshare = 0.5\n'
    ids = [f"id-{number}" for number in range(40)]
    met = []
    for arguments in (["--seed", "1"], ["--seed", "2"]):
        _, api = own_api(scenario, *arguments)
        met.append([api.call(one).status_code for one in ids])
    assert met[0] != met[1]


def test_an_authority_that_is_kept_makes_a_later_run_trusted(
    simulator: Callable[..., Simulator], run_cli: Callable[..., Finished], tmp_path: Path
) -> None:
    ca, authority = tmp_path / "ca.pem", tmp_path / "authority.pem"
    options = ("--tls", "--authority", str(authority))
    simulator(None, *options, "--ca-out", str(ca)).child.stop()
    with trusting(ca) as client:
        assert client.get(f"{simulator(None, *options).url}/ajo/im/health").status_code == 200
    authority.write_text("nothing of the kind")
    done = run_cli("simulate", "--port", "0", *options)
    assert (done.code, done.err) == (1, f"error: {authority}: holds no certificate authority with its key\n")
