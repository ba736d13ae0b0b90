"""``ajo-dispatch campaigns`` as a user types it."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.programs import PROGRAM, Finished, run
from tests.support.waiting import DEADLINE_SECONDS

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "campaigns" / "samples"
ORDER_SHIPPED = (SAMPLES / "order-shipped.curl").read_text(encoding="utf-8")
SECRETS = ("not-a-real-token", "not-a-real-api-key", "ada@example.com")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with the samples, and no definitions yet."""
    shutil.copytree(SAMPLES, tmp_path / "samples")
    return tmp_path


def campaigns(home: Path, *arguments: str, stdin: str | None = None) -> Finished:
    return run("campaigns", *arguments, env={}, input=stdin, cwd=home)


def files(home: Path) -> list[str]:
    return sorted(str(path.relative_to(home)) for path in home.rglob("*") if path.is_file() and path.suffix != ".curl")


def test_samples_are_imported_checked_listed_and_shown(home: Path) -> None:
    for name in ("order-shipped", "password-reset"):
        imported = campaigns(home, "import", f"samples/{name}.curl")
        assert imported.code == 0, imported.err
        assert f"wrote campaigns/{name}.toml" in imported.out
        assert "dropped from the sample: the bearer token (header Authorization); the API key" in imported.out
    assert files(home) == ["campaigns/order-shipped.toml", "campaigns/password-reset.toml"]

    assert campaigns(home, "check").out == "2 campaign definitions in campaigns: no faults\n"
    listed = json.loads(campaigns(home, "list", "--json").out)
    assert {one["name"]: one["lane"] for one in listed} == {
        "order-shipped": "standard",
        "password-reset": "high-throughput",
    }
    assert "6c1d9e52-84f0-4b7a-a3c5-19e7d2406fb8" in campaigns(home, "list").out
    shown = campaigns(home, "show", "order-shipped").out
    assert "context.customer.firstName  string  required" in shown
    assert "ajo-dispatch trigger order-shipped --to ada@example.com" in shown
    assert json.loads(campaigns(home, "show", "order-shipped", "--json").out)["context"]["orderId"]["required"] is True


def test_the_examples_that_show_prints_work_as_they_are(home: Path) -> None:
    odd = ORDER_SHIPPED.replace('"<carrier>"', '{"a b": []}').replace('"<eta>"', "12")
    push = odd.replace('"emailAddress"', '"pushInfo": {"token": "t"}, "x"')
    for name, sample in (("mail", odd), ("push", push)):
        assert campaigns(home, "import", "-", "--name", name, stdin=sample).code == 0
        shown = campaigns(home, "show", name).out
        python, _, shell = shown[shown.index("from ajo_producers") :].partition("\n\najo-dispatch ")
        code = python.replace("Publisher.from_env().publish(trigger)", "print(trigger.lane)")
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=home, check=False)
        assert done.stdout == "standard\n", done.stderr
        tried = run(*shlex.split(shell.replace("\\\n", "")), "--dry-run", env={}, cwd=home)
        assert f"{name} takes this trigger" in tried.out, tried.err


def test_no_secret_and_no_address_of_a_sample_is_printed_or_written(home: Path) -> None:
    printed = campaigns(home, "import", "samples/order-shipped.curl")
    changed = ORDER_SHIPPED.replace("carrier", "courier")
    printed_again = campaigns(home, "import", "-", "--name", "order-shipped", stdin=changed)
    broken = campaigns(home, "import", "-", stdin=ORDER_SHIPPED.replace('"campaignId"', '"campaignid"'))
    texts = [printed.out, printed.err, printed_again.out, printed_again.err, broken.out, broken.err]
    texts += [(home / file).read_text() for file in files(home)]
    assert [broken.code, printed_again.code, printed.code] == [1, 0, 0]
    assert [secret for secret in SECRETS for text in texts if secret in text] == []


def test_a_new_sample_shows_the_difference_and_keeps_what_people_edited(home: Path) -> None:
    campaigns(home, "import", "samples/order-shipped.curl")
    path = home / "campaigns" / "order-shipped.toml"
    edited = path.read_text().replace(
        'eta = { type = "string", required = true }', 'eta = { default = "soon" }  # agreed'
    )
    path.write_text(edited)
    assert "is up to date" in campaigns(home, "import", "samples/order-shipped.curl").out
    assert path.read_text() == edited

    changed = ORDER_SHIPPED.replace('"carrier"', '"courier"').replace("prod'", "prod-eu'")
    dry = campaigns(home, "import", "-", "--name", "order-shipped", "--dry-run", stdin=changed)
    assert "would update campaigns/order-shipped.toml" in dry.out
    assert path.read_text() == edited
    done = campaigns(home, "import", "-", "--name", "order-shipped", stdin=changed)
    for line in ('-sandbox = "prod"', '+sandbox = "prod-eu"', "new: context.courier", "removed: context.carrier"):
        assert line in done.out
    assert 'eta = { default = "soon" }  # agreed' in path.read_text()
    assert files(home) == ["campaigns/order-shipped.toml"]


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        ("--request POST", "--request GET", "order.curl:1: the method is GET; a campaign is executed with POST"),
        ("platform.adobe.io", "platform.example.com", "order.curl:1: the host platform.example.com is not Adobe's"),
        ("unitary", "highthroughput", "order.curl:12: recipients[0].type is aep"),
        ("unitary", "audience", "order.curl:1: campaigns to an audience (…/executions/audience) can't be imported yet"),
        ('"carrier"', '"system"', "order.curl:23: recipients[0].context.system is reserved by Journey Optimizer"),
        ('"requestId"', "requestId", "order.curl:8: the body is not JSON: Expecting property name"),
        ('"userId"', '"attachments": [], "userId"', "order.curl:13: recipients[0].attachments can't be imported yet"),
    ],
)  # fmt: skip
def test_a_sample_that_can_t_be_imported_is_told_with_its_line_and_nothing_is_written(
    home: Path, was: str, now: str, told: str
) -> None:
    (home / "order.curl").write_text(ORDER_SHIPPED.replace(was, now), encoding="utf-8")
    done = campaigns(home, "import", "order.curl")
    assert (done.code, done.out) == (1, "")
    assert told in done.err
    assert "nothing was written" in done.err
    assert files(home) == []


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_sample_from_windows_is_read(home: Path, encoding: str) -> None:
    text = ORDER_SHIPPED.replace(" \\\n", " `\n").replace("curl ", "curl.exe ").replace("\n", "\r\n")
    (home / "Order Shipped.curl").write_bytes(text.encode(encoding))
    assert campaigns(home, "import", "Order Shipped.curl").code == 0
    assert files(home) == ["campaigns/order-shipped.toml"]


def test_a_campaign_from_standard_input_is_named_after_its_id(home: Path) -> None:
    assert campaigns(home, "import", "-", stdin=ORDER_SHIPPED).code == 0
    assert files(home) == ["campaigns/6c1d9e52-84f0-4b7a-a3c5-19e7d2406fb8.toml"]


@pytest.mark.parametrize("name", ["../evil", "/tmp/evil", "Order", "a b", "", "..", "x" * 65])
def test_a_name_that_is_no_name_is_wrong_usage(home: Path, name: str) -> None:
    done = campaigns(home, "import", "samples/order-shipped.curl", "--name", name)
    assert done.code == 2
    assert "lower-case words with hyphens" in done.err
    assert files(home) == []


def test_check_tells_every_fault_of_every_file(home: Path) -> None:
    for name in ("order-shipped", "password-reset"):
        campaigns(home, "import", f"samples/{name}.curl")
        path = home / "campaigns" / f"{name}.toml"
        path.write_text(path.read_text().replace("sandbox", "sandbx").replace('type = "string"', 'type = "text"'))
    checked = campaigns(home, "check")
    assert checked.code == 1
    assert "error: campaigns/order-shipped.toml:8: sandbx is unknown; did you mean sandbox?" in checked.err
    assert "error: campaigns/password-reset.toml:29: context.resetLink.type is 'text'; choose string" in checked.err
    as_json = json.loads(campaigns(home, "check", "--json").out)
    assert (as_json["ok"], len(as_json["problems"])) == (False, 11)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("check",), "campaigns: no such folder of campaign definitions"),
        (("list",), "campaigns: no such folder of campaign definitions"),
        (("import", "nothing.curl"), "nothing.curl: No such file or directory"),
        (("check", "--dir", "samples"), "samples: no campaign definitions"),
        (("show", "order-shipt", "--dir", str(ROOT / "campaigns")), "did you mean order-shipped?"),
    ],
)
def test_what_is_not_there_is_told(home: Path, arguments: tuple[str, ...], told: str) -> None:
    done = campaigns(home, *arguments)
    assert done.code == 1
    assert told in done.err
    assert "Traceback" not in done.err


def test_the_example_definitions_are_what_their_samples_give() -> None:
    """The repository's own examples stay in step with their samples."""
    for name in ("order-shipped", "password-reset"):
        done = run("campaigns", "import", SAMPLES / f"{name}.curl", "--dry-run", env={}, cwd=ROOT)
        assert "is up to date" in done.out


def test_codegen_writes_typed_python_and_a_schema_and_says_when_they_are_out_of_date(home: Path) -> None:
    campaigns(home, "import", "samples/order-shipped.curl")
    files = ("--python", "shop_campaigns.py", "--schema", "campaigns.schema.json")
    done = campaigns(home, "codegen", *files)
    assert done.out == "wrote shop_campaigns.py (1 campaign)\nwrote campaigns.schema.json (1 campaign)\n"
    assert campaigns(home, "codegen", "--python", "-").out == (home / "shop_campaigns.py").read_text(encoding="utf-8")
    assert "order-shipped" in json.loads((home / "campaigns.schema.json").read_text(encoding="utf-8"))["$defs"]
    assert campaigns(home, "codegen", "--check", *files).code == 0

    campaigns(home, "import", "samples/password-reset.curl")
    stale = campaigns(home, "codegen", "--check", *files)
    assert (stale.code, len(stale.err.splitlines())) == (1, 2)
    assert "error: shop_campaigns.py is not what the definitions say: write it anew, without --check" in stale.err
    assert campaigns(home, "codegen").code == 2
    assert campaigns(home, "codegen", "--check", "--python", "-").code == 2


def test_codegen_says_of_a_file_that_is_no_text_that_it_is_out_of_date(home: Path) -> None:
    campaigns(home, "import", "samples/order-shipped.curl")
    (home / "shop_campaigns.py").write_bytes(b"\xff\xfe")
    stale = campaigns(home, "codegen", "--check", "--python", "shop_campaigns.py")
    assert (stale.code, stale.err.splitlines()) == (
        1,
        ["error: shop_campaigns.py is not what the definitions say: write it anew, without --check"],
    )


def test_a_closed_pipe_ends_a_command_quietly(home: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [str(PROGRAM), "campaigns", "list", "--dir", str(ROOT / "campaigns")]
    try:
        done = subprocess.run(
            command, stdout=writing, stderr=subprocess.PIPE, cwd=home, timeout=DEADLINE_SECONDS, check=False
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")


def test_the_command_line_loads_no_database_driver_no_http_client_and_no_celery() -> None:
    code = (
        "import sys; from ajo_producers.cli.main import main; main(['--help']); main(['campaigns', 'check']);"
        "heavy = ('celery', 'kombu', 'asyncpg', 'sqlalchemy', 'httpx2', 'aiohttp');"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=DEADLINE_SECONDS, check=False
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_reading_definitions_loads_neither_rich_nor_typer_nor_tomlkit() -> None:
    code = (
        "import sys; from ajo_producers.campaigns import folder, payload; folder.load_definitions('campaigns');"
        "print([name for name in ('rich', 'typer', 'tomlkit') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=DEADLINE_SECONDS, check=False
    )
    assert done.stdout == "[]\n", done.stderr
