"""``ajo-dispatch db maintain``: partitions are made ahead and dropped by age, and it says so."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.database import query
from tests.support.programs import Finished

Cli = Callable[..., Finished]


@pytest.fixture
def maintain(run_cli: Cli, database_url: str) -> Cli:
    def run(**env: str) -> Finished:
        return run_cli("db", "maintain", env={"AJO_DATABASE_URL": database_url, **env})

    return run


def test_it_says_what_it_made_and_dropped(maintain: Cli, database_url: str) -> None:
    today = datetime.now(UTC).date()
    old, ahead = today - timedelta(days=401), today + timedelta(days=14)
    query(database_url, "select ledger.make_partitions($1, $1)", old)
    query(database_url, f"drop table ledger.triggers_{ahead:%Y%m%d}")
    done = maintain()
    assert done.code == 0, done.err
    assert f"made 1 partition: triggers_{ahead:%Y%m%d}" in done.out
    assert f"dropped partition triggers_{old:%Y%m%d}" in done.out
    assert maintain().out == "nothing to do\n"


def test_the_age_is_a_setting(maintain: Cli, database_url: str) -> None:
    old = datetime.now(UTC).date() - timedelta(days=41)
    query(database_url, "select ledger.make_partitions($1, $1)", old)
    assert maintain().out == "nothing to do\n"
    assert "dropped partition" in maintain(AJO_RETENTION_DAYS="40").out


@pytest.mark.parametrize(
    "env",
    [
        {"AJO_RETENTION_DAYS": "30"},
        {"AJO_RETENTION_DAYS": "50", "AJO_CLOSE_DAYS": "50"},
        {"AJO_DEAD_LETTER_DAYS": "400"},
    ],
)
def test_settings_that_would_drop_what_is_needed_are_refused(maintain: Cli, env: dict[str, str]) -> None:
    refused = maintain(**env)
    assert refused.code == 2
    assert "AJO_RETENTION_DAYS must be above AJO_DEAD_LETTER_DAYS and AJO_CLOSE_DAYS" in refused.err
