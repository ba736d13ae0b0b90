"""``ajo-dispatch campaigns check --live`` as a user types it, against a simulator."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from ajo_local.processes import environment

from tests.support.programs import PLAIN, Finished, Simulator
from tests.support.waiting import DEADLINE_SECONDS

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "campaigns"
ORDER_SHIPPED, PASSWORD_RESET = "6c1d9e52-84f0-4b7a-a3c5-19e7d2406fb8", "b27f4a18-d3c6-4e95-8f01-5a6b90e7c3d4"
SECRET = "planted-secret-5d41402abc4b"

AGREEING = f"""
[[campaign]]
id = "{ORDER_SHIPPED}"
namespace = "Email"
throughput = "standard"
create_profiles = true
[[campaign]]
id = "{PASSWORD_RESET}"
namespace = "email"
throughput = "high"
create_profiles = false
"""
DIFFERING = f"""
[[campaign]]
id = "{ORDER_SHIPPED}"
status = "STOPPED"
end = 2027-01-01T00:00:00Z
namespace = "Phone"
throughput = "high"
create_profiles = false
"""

Check = Callable[..., Finished]
Start = Callable[..., Simulator]


@pytest.fixture
def check(run_cli: Callable[..., Finished]) -> Check:
    """Runs the check of the repository's own definitions: ``check(simulator, "--json", AJO_…="…")``."""

    def run(simulator: Simulator, *arguments: str, **more: str) -> Finished:
        env = {
            "AJO_BASE_URL": simulator.url,
            "AJO_TOKEN_URL": simulator.token_url,
            "AJO_CLIENT_ID": "test-client",
            "AJO_CLIENT_SECRET": SECRET,
            "AJO_CAMPAIGNS": str(FOLDER),
        }
        done = run_cli("campaigns", "check", "--live", *arguments, env={**env, **more})
        assert SECRET not in done.out + done.err
        assert "Traceback" not in done.err
        return done

    return run


def test_definitions_that_agree_with_adobe_end_with_0_over_https_too(
    check: Check, simulator: Start, tmp_path: Path
) -> None:
    ca = tmp_path / "ca.pem"
    api = simulator(AGREEING, "--tls", "--ca-out", str(ca))
    done = check(api, AJO_CA_FILE=str(ca))
    assert (done.code, done.err) == (0, "")
    assert done.out == f"2 campaign definitions in {FOLDER}: as in Journey Optimizer\n"
    assert check(api).err == "error: token endpoint: ConnectError\n", "nobody's certificate is trusted unseen"


def test_every_difference_has_a_line_with_what_to_do_and_the_end_is_1(check: Check, simulator: Start) -> None:
    done = check(simulator(DIFFERING))
    assert (done.code, done.out) == (1, "")
    assert done.err.splitlines() == [
        "error: order-shipped: status is STOPPED in Journey Optimizer: its calls fail; activate a new version there, "
        "or remove the definition",
        "error: order-shipped: end is 2027-01-01T00:00:00Z in Journey Optimizer: write end = 2027-01-01T00:00:00Z into "
        "the definition, so that nothing is sent from then on",
        "error: order-shipped: namespace is email in the definition and Phone in Journey Optimizer: import the "
        "campaign's cURL sample again",
        "error: order-shipped: lane is standard in the definition and high-throughput in Journey Optimizer: import the "
        "campaign's cURL sample again",
        "error: order-shipped: creates_profiles is false in Journey Optimizer: calls for unknown profiles fail; "
        'switch on "create new profiles" there, or agree to it with creates_profiles = false in the definition',
    ]


def test_only_the_named_definitions_are_compared(check: Check, simulator: Start) -> None:
    api = simulator(DIFFERING)
    done = check(api, "password-reset")
    assert (done.code, done.out) == (0, f"1 campaign definition in {FOLDER}: as in Journey Optimizer\n")
    assert check(api, "order-shipped").code == 1
    unknown = check(api, "order-shipt")
    assert (unknown.code, unknown.out) == (1, "")
    assert "did you mean order-shipped?" in unknown.err


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (403, "error: order-shipped: the credential may not read campaigns: an administrator can give it that "),
        (404, f"error: order-shipped: sandbox prod has no campaign {ORDER_SHIPPED}, or it was never activated: "),
        (500, "error: order-shipped: Journey Optimizer gave no answer that can be read: try again (status 500"),
    ],
)
def test_a_campaign_that_cannot_be_read_is_told_with_the_reason_and_the_others_all_the_same(
    check: Check, simulator: Start, answer: int, told: str
) -> None:
    scenario = f'[[campaign]]\nid = "{ORDER_SHIPPED}"\nanswer = {answer}\n'
    scenario += f'[[campaign]]\nid = "{PASSWORD_RESET}"\nstatus = "COMPLETED"\n'
    done = check(simulator(scenario))
    first, second = done.err.splitlines()
    assert done.code == 1
    assert first.startswith(told)
    assert "password-reset: status is COMPLETED" in second


def test_as_json_there_is_what_adobe_says_and_what_differs(check: Check, simulator: Start) -> None:
    done = check(simulator(DIFFERING), "--json")
    report = json.loads(done.out)
    assert (done.code, done.err, report["ok"]) == (1, "", False)
    assert report["campaigns"] == ["order-shipped", "password-reset"]
    assert len(report["problems"]) == 5
    shipped, reset = report["live"]
    assert (shipped["live"]["status"], shipped["live"]["end"]) == ("ended", "2027-01-01T00:00:00Z")
    assert [one["field"] for one in shipped["differences"]] == [
        "status",
        "end",
        "namespace",
        "lane",
        "creates_profiles",
    ]
    assert (reset["live"]["status"], reset["live"]["namespace"], reset["differences"]) == ("live", None, [])


@pytest.mark.parametrize(
    ("variables", "code", "told"),
    [
        ({"AJO_CLIENT_SECRET": ""}, 2, "set AJO_CLIENT_SECRET (or AJO_CLIENT_SECRET_FILE)"),
        ({"AJO_PREFETCH": "0"}, 2, "error: AJO_PREFETCH: "),
        ({"AJO_CA_FILE": "/nowhere/ca.pem"}, 2, "error: AJO_CA_FILE: /nowhere/ca.pem: No such file or directory"),
        ({"AJO_TOKEN_URL": "http://127.0.0.1:1/"}, 1, "error: token endpoint: ConnectError"),
        ({"AJO_BASE_URL": "", "AJO_ALLOWED_HOSTS": "a.example.com"}, 1, "platform.adobe.io' is not allowed"),
        ({"AJO_CAMPAIGNS": "/nowhere"}, 1, "/nowhere: no such folder of campaign definitions"),
    ],
)
def test_what_it_cannot_do_is_told(
    check: Check, simulator: Start, variables: dict[str, str], code: int, told: str
) -> None:
    done = check(simulator(), **variables)
    assert (done.code, done.out) == (code, "")
    assert told in done.err


def test_names_without_live_are_wrong_usage(run_cli: Callable[..., Finished]) -> None:
    done = run_cli("campaigns", "check", "order-shipped", "--dir", str(FOLDER))
    assert done.code == 2
    assert "only with --live" in done.err


def test_without_the_workers_packages_it_says_how_to_get_them() -> None:
    code = (
        "import sys; sys.modules['httpx2'] = None; from ajo_producers.cli.main import main;"
        "sys.exit(main(['campaigns', 'check', '--live']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, cwd=ROOT, timeout=DEADLINE_SECONDS, check=False, env={**environment(), **PLAIN},
    )  # fmt: skip
    assert done.returncode == 2
    assert "--live asks Adobe, which takes the worker's packages: install ajo-dispatch[worker]" in done.stderr
