"""``ajo-dispatch feedback import`` and ``match``: every good row is stored once, every bad one is named."""

import csv
import gzip
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.integration.worker.feedback.triggers import (
    delivery,
    feedback,
    put_campaign,
    put_sent,
    put_unconfirmed,
    trigger_row,
)  # fmt: skip
from tests.support.database import query
from tests.support.feedback_items import ADDRESS, FAILURE, HASH_KEY, dataset_row, dotted
from tests.support.ledger_rows import after, ago
from tests.support.programs import Finished

Cli = Callable[..., Finished]


@pytest.fixture
def cli(run_cli: Cli, database_url: str) -> Cli:
    put_campaign(database_url)

    def run(*arguments: Any, **env: str) -> Finished:
        return run_cli("feedback", *arguments, env={"AJO_DATABASE_URL": database_url, "AJO_HASH_KEY": HASH_KEY, **env})

    return run


def write_lines(path: Path, rows: list[Any]) -> Path:
    text = "".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def write_csv(path: Path, rows: list[Any]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        flat = [dotted(row) for row in rows]
        writer = csv.DictWriter(file, sorted({name for row in flat for name in row}))
        writer.writeheader()
        writer.writerows(flat)
    return path


def write_parquet(path: Path, rows: list[Any]) -> Path:
    flat = [dotted(row) for row in rows]
    names = sorted({name for row in flat for name in row})
    pq.write_table(pa.table({name: [row.get(name) for row in flat] for name in names}), path)
    return path


@pytest.mark.parametrize(
    ("write", "name"),
    [(write_lines, "a.jsonl"), (write_lines, "a.jsonl.gz"), (write_csv, "a.csv"), (write_parquet, "a.parquet")],
)
def test_an_export_is_stored_and_matched_and_a_second_time_has_nothing_new(
    cli: Cli, database_url: str, tmp_path: Path, write: Callable[[Path, list[Any]], Path], name: str
) -> None:
    sent = ago(hours=3)
    request_id = put_sent(database_url, sent, execution="HUMA-1")
    rows = [
        dataset_row("sent", after(sent, 10).isoformat(), execution="HUMA-1"),
        dataset_row("bounce", after(sent, 20).isoformat(), execution="HUMA-1", failure=FAILURE),
        dataset_row("sent", after(sent, 30).isoformat(), execution="HUMA-2", address="eve@example.com"),
    ]
    path = write(tmp_path / name, rows)
    done = cli("import", path)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        f"{path}: 3 rows: 3 new, 0 known already, 0 refused",
        "  2 matched (2 by execution id), 0 ambiguous, 1 unmatched",
    ]
    found = delivery(database_url, request_id)
    assert (found["departed_at"], found["failed_at"]) == (after(sent, 10), after(sent, 20))
    assert found["failure"].startswith("bounce Hard")
    again = cli("import", path)
    assert again.out.splitlines() == [f"{path}: 3 rows: 0 new, 3 known already, 0 refused"]
    assert delivery(database_url, request_id) == found


def test_what_carries_no_id_of_ours_is_matched_by_recipient_in_the_end(
    cli: Cli, database_url: str, tmp_path: Path
) -> None:
    request_id = put_sent(database_url, sent := ago(days=3))
    path = write_lines(
        tmp_path / "a.jsonl", [dataset_row("sent", after(sent, 5).isoformat(), address=" ADA.Lovelace@Example.com")]
    )
    done = cli("import", path)
    assert done.out.splitlines()[-1] == (
        "Of those without an id of ours: 1 matched (1 by recipient), 0 ambiguous, 0 unmatched"
    )
    assert feedback(database_url) == [{"status": "sent", "match": "recipient", "request_id": request_id}]
    assert json.loads(cli("import", "--json", path).out) == {
        "files": [
            {
                "file": str(path), "read": 1, "new": 0, "known": 1, "refused": 0, "refusals": [], "kinds": {},
                "fault": None,
            }
        ],
        "matching": {"kinds": {}, "confirmed": 0},
    }  # fmt: skip


def test_refused_rows_are_named_and_the_others_are_stored(cli: Cli, database_url: str, tmp_path: Path) -> None:
    good = dataset_row("sent", ago(days=1).isoformat())
    path = write_lines(
        tmp_path / "a.jsonl", [good, dataset_row(at=ADDRESS), "{\n", {"a": ADDRESS, "timestamp": 0}, "\n"]
    )
    done = cli("import", path, "--limit", "2")
    assert done.code == 1
    assert done.out.splitlines()[0] == f"{path}: 4 rows: 1 new, 0 known already, 3 refused"
    assert done.err.splitlines() == [
        "  line 2: timestamp: is no instant (ISO 8601, or a number since 1970)",
        "  line 3: is no JSON: Input data was truncated",
        "  … and 1 refused row more (--limit)",
    ]
    assert cli("import", path, "--skip-refused").code == 0
    assert len(feedback(database_url)) == 1
    (report,) = json.loads(cli("import", path, "--json", "--skip-refused").out)["files"]
    assert [refusal["number"] for refusal in report["refusals"]] == [2, 3, 4]
    assert ADDRESS not in done.out + done.err


def test_more_rows_than_a_batch_are_stored_and_what_came_before_a_fault_stays(
    cli: Cli, database_url: str, tmp_path: Path
) -> None:
    begin = ago(days=2)
    rows = [dataset_row("sent", (begin + timedelta(seconds=number)).isoformat()) for number in range(2500)]
    path = write_lines(tmp_path / "a.jsonl.gz", rows)
    path.write_bytes(path.read_bytes()[:-20])
    done = cli("import", path)
    assert done.code == 1
    assert f"error: {path}: it is cut off: the rest is missing" in done.err
    stored = len(feedback(database_url))
    assert stored >= 2000
    write_lines(path, rows)
    assert cli("import", path).code == 0
    assert len(feedback(database_url)) == 2500


def test_several_files_are_told_one_by_one(cli: Cli, database_url: str, tmp_path: Path) -> None:
    one = write_lines(tmp_path / "one.jsonl", [dataset_row("sent", ago(days=1).isoformat())])
    bad = tmp_path / "bad.parquet"
    bad.write_bytes(b"no")
    two = write_lines(tmp_path / "two.txt", [dataset_row("delivered", ago(days=1).isoformat())])
    done = cli("import", one, bad, two)
    assert done.code == 2
    assert "two.txt: is it csv, jsonl or parquet? its name doesn't say" in done.err
    assert feedback(database_url) == []
    done = cli("import", one, bad)
    assert done.code == 1
    assert f"error: {bad}: it is no Parquet file" in done.err
    assert cli("import", two, "--format", "jsonl").code == 0
    assert len(feedback(database_url)) == 2


def test_a_missing_file_and_a_missing_ledger_are_told(cli: Cli, postgres_url: str, tmp_path: Path) -> None:
    assert cli("import", tmp_path / "none.csv").code == 2
    path = write_lines(tmp_path / "a.jsonl", [dataset_row()])
    done = cli("import", path, AJO_DATABASE_URL=postgres_url)
    assert done.code == 1
    assert "run 'ajo-dispatch db upgrade'" in done.err


def test_parquet_without_its_package_says_what_to_install(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "pyarrow.py").write_text("raise ModuleNotFoundError(name='pyarrow')\n")
    path = write_parquet(tmp_path / "a.parquet", [dataset_row()])
    done = cli("import", path, PYTHONPATH=str(tmp_path))
    assert done.code == 2
    assert "this command needs the package pyarrow: install ajo-dispatch[parquet]" in done.err


def test_match_looks_for_everything_again_also_for_what_was_given_up(
    cli: Cli, database_url: str, tmp_path: Path
) -> None:
    assert cli("match").out == "No feedback without its trigger\n"
    sent = ago(days=3)
    cli("import", write_lines(tmp_path / "a.jsonl", [dataset_row("sent", after(sent, 5).isoformat())]))
    query(database_url, "update ledger.feedback set match_due_at = null")
    put_unconfirmed(database_url, sent, campaign="of another")
    request_id = put_unconfirmed(database_url, sent)
    done = cli("match")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        "1 feedback looked at: 1 matched (1 by recipient), 0 ambiguous, 0 unmatched",
        "1 unconfirmed trigger confirmed",
    ]
    assert trigger_row(database_url, request_id)["state"] == "accepted"
    assert json.loads(cli("match", "--json").out) == {"looked_at": 0, "kinds": {}, "confirmed": 0}


def test_what_stands_before_the_damage_of_a_file_is_stored(cli: Cli, database_url: str, tmp_path: Path) -> None:
    rows = [dataset_row("sent", ago(hours=3).isoformat(), execution="HUMA-1"), *range(500)]
    path = write_lines(tmp_path / "a.jsonl.gz", rows)
    path.write_bytes(path.read_bytes()[:-100])
    done = cli("import", path)
    assert (done.code, "1 new, 0 known already" in done.out, "cut off" in done.err) == (1, True, True)
    assert query(database_url, "select count(*) from ledger.feedback") == [{"count": 1}]
