"""``ajo-dispatch settings``, as a user calls it."""

import json
from collections.abc import Callable
from pathlib import Path

from ajo_worker.settings.listing import AllSettings
from ajo_worker.settings.source import variable_of

from tests.support.programs import Finished

Cli = Callable[..., Finished]

SECRET = "hunter2-very-secret"


def test_every_setting_has_a_line_with_its_source_and_no_secret_is_shown(run_cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "client_secret"
    file.write_text(SECRET, encoding="utf-8")
    env = {
        "AJO_BROKER_URL": f"amqps://ada:{SECRET}@broker.example.com/orders",
        "AJO_DATABASE_URL": f"postgresql://ada:{SECRET}@db.example.com/ledger?sslpassword={SECRET}",
        "AJO_CLIENT_SECRET_FILE": str(file),
        "AJO_HASH_KEY": SECRET,
        "AJO_BUDGET_SECONDS": "45",
    }
    done = run_cli("settings", env=env)
    assert (done.code, done.err) == (0, "")
    lines = {line.split()[0]: line for line in done.out.splitlines()[1:]}
    assert list(lines) == [variable_of(name) for name in AllSettings.model_fields]
    assert lines["AJO_BROKER_URL"].split()[1:3] == ["amqps://…@broker.example.com/orders", "env"]
    assert lines["AJO_DATABASE_URL"].split()[1:3] == ["postgresql://…@db.example.com/ledger?…", "env"]
    assert lines["AJO_CLIENT_SECRET"].split()[1:3] == ["(hidden)", "file"]
    assert lines["AJO_HASH_KEY"].split()[1:3] == ["(hidden)", "env"]
    assert lines["AJO_BUDGET_SECONDS"].split()[1:3] == ["45", "env"]
    assert lines["AJO_CLIENT_ID"].split()[1:4] == ["(not", "set)", "default"]
    as_json = run_cli("settings", "--json", env=env)
    assert json.loads(as_json.out)["ok"] is True
    assert "hunter2" not in done.out + as_json.out


def test_all_faults_and_typing_errors_are_told_at_once_with_exit_code_2(run_cli: Cli) -> None:
    env = {
        "AJO_PREFETCH": "many",
        "AJO_TOKEN_URL": f"https://ada:{SECRET}@login.example.com",
        "AJO_CLIENT_SECRET_FILE": "/nowhere/secret",
        "AJO_DATABSE_URL": f"postgresql://{SECRET}",
    }
    done = run_cli("settings", env=env)
    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines()[0] == (
        "warning: AJO_DATABSE_URL is the name of no setting; did you mean AJO_DATABASE_URL?"
    )
    assert [line.removeprefix("error: ").partition(":")[0] for line in done.err.splitlines()[1:]] == [
        "AJO_CLIENT_SECRET_FILE",
        "AJO_TOKEN_URL",
        "AJO_PREFETCH",
    ]
    as_json = run_cli("settings", "--json", env=env)
    assert (as_json.code, as_json.err) == (2, "")
    found = json.loads(as_json.out)
    assert (found["ok"], found["settings"], len(found["faults"])) == (False, [], 3)
    assert found["unknown"] == [{"variable": "AJO_DATABSE_URL", "did_you_mean": "AJO_DATABASE_URL"}]
    assert SECRET not in done.err + as_json.out


def test_a_name_that_is_no_settings_is_a_warning_and_no_failure(run_cli: Cli) -> None:
    done = run_cli("settings", env={"AJO_XYZZY": "1"})
    assert done.code == 0
    assert done.err == "warning: AJO_XYZZY is the name of no setting\n"
