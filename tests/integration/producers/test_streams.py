"""Commands end as they should whatever their standard streams are: missing, full, of another encoding."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.programs import PROGRAM

FULL = Path("/dev/full")
WITHOUT = """
import os, sys
for number in map(int, sys.argv[1]):
    os.close(number)
os.execv(sys.argv[2], sys.argv[2:])
"""
"""Starts a program without some of its streams."""
OPENS = """
import os, sys
from ajo_producers.cli.start import open_missing_streams
open_missing_streams()
opened = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
for stream in (sys.stdout, sys.stderr):
    print("said to people", file=stream, flush=True)
os.write(opened, b"%d" % opened if sys.stdin.read() == "" else b"read something")
"""
"""Says something to people once it has a file open, which it then writes its own number to."""


def run_without(streams: str, *command: str | Path) -> subprocess.CompletedProcess[bytes]:
    starter = [sys.executable, "-c", WITHOUT, streams, *map(str, command)]
    return subprocess.run(starter, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=120)


@pytest.mark.parametrize("streams", ["0", "1", "2", "01", "012"])
def test_what_is_opened_next_does_not_get_what_is_said_to_people(streams: str, tmp_path: Path) -> None:
    run_without(streams, sys.executable, "-c", OPENS, tmp_path / "file")
    assert int((tmp_path / "file").read_text()) > 2


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        (("campaigns", "import", "-"), 1, b"standard input"),
        (("trigger", "order-shipped", "--from", "-", "--format", "csv", "--dry-run"), 1, b"standard input:1: "),
        (("dead", "redrive", "--all", "--why", "it is a test"), 2, b"there is no terminal to ask on"),
    ],
)
def test_a_command_without_standard_input_finds_it_empty(command: tuple[str, ...], code: int, said: bytes) -> None:
    done = run_without("0", PROGRAM, *command)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr


def test_a_command_without_any_stream_ends_with_the_code_that_it_earned() -> None:
    assert run_without("012", PROGRAM, "campaigns", "show", "order-shipped").returncode == 0
    assert run_without("012", PROGRAM, "campaigns", "show", "nobody").returncode == 1


def test_what_a_terminal_has_no_letter_for_is_written_in_another_way(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([PROGRAM, "settings"], capture_output=True, check=False, timeout=120, env=environment)
    assert (done.returncode, done.stderr) == (0, b"")
    name = os.fsencode(tmp_path) + b"/\xff.py"
    command = [os.fsencode(PROGRAM), b"campaigns", b"codegen", b"--python", name]
    done = subprocess.run(command, capture_output=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not FULL.exists(), reason="there is no device that is always full")
def test_a_file_that_a_full_disk_ends_is_named() -> None:
    command = [str(PROGRAM), "campaigns", "codegen", "--python", str(FULL)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (1, f"error: {FULL}: No space left on device\n")


@pytest.mark.skipif(not FULL.exists(), reason="there is no device that is always full")
def test_wrong_usage_ends_with_2_also_where_nothing_can_be_said() -> None:
    with FULL.open("wb") as full:
        done = subprocess.run([PROGRAM, "campaigns", "show"], stderr=full, check=False, timeout=120)
    assert done.returncode == 2


@pytest.mark.skipif(not FULL.exists(), reason="there is no device that is always full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", ["--help", "campaigns list", "settings"])
def test_a_full_standard_output_is_named_and_nothing_else_is_said(command: str, unbuffered: str) -> None:
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with FULL.open("wb") as full:
        done = subprocess.run(
            [PROGRAM, *command.split()], stdout=full, stderr=subprocess.PIPE, env=environment, check=False, timeout=120
        )
    assert (done.returncode, done.stderr) == (1, b"error: standard output: No space left on device\n")


@pytest.mark.parametrize("command", [("db", "downgrade", "--to", "0001"), ("audit", "recipient")])
def test_bytes_that_are_no_text_are_no_answer(command: tuple[str, ...], database_url: str) -> None:
    environment = {**os.environ, "AJO_DATABASE_URL": database_url, "AJO_HASH_KEY": "a key"}
    done = subprocess.run(
        [PROGRAM, *command], input=b"\xff\xfe\n", capture_output=True, env=environment, check=False, timeout=120
    )
    assert b"unexpected" not in done.stderr, done.stderr


@pytest.mark.parametrize(
    ("command", "env", "code", "said"),
    [
        (("campaigns", "import", "/dev/zero"), {}, 1, "/dev/zero: too long for a sample"),
        (("campaigns", "check", "--dir", "{folder}"), {}, 1, "{folder}/endless.toml: has more than 10,000,000 bytes"),
        (("events", "check", "--mappings", "/dev/zero"), {}, 1, "/dev/zero: has more than 10,000,000 bytes"),
        (("simulate", "--scenario", "/dev/zero"), {}, 1, "/dev/zero: is no regular file"),
        (("simulate", "--tls", "--authority", "/dev/zero"), {}, 1, "/dev/zero: holds no certificate authority"),
        (
            ("trigger", "order-shipped", "--from", "{folder}/t.csv", "--dry-run", "--resume", "/dev/zero"),
            {},
            1,
            "/dev/zero: is no regular file",
        ),
        (("feedback", "import", "/dev/zero", "--format", "jsonl"), {}, 1, "/dev/zero: is no regular file"),
        (
            ("outbox", "status"),
            {"AJO_OUTBOX_URL_FILE": "/dev/zero"},
            2,
            "can't be read: has more than 10,000,000 bytes",
        ),
        (("db", "current"), {"AJO_DATABASE_URL_FILE": "/dev/zero"}, 2, "/dev/zero: has more than 10,000,000 bytes"),
    ],
)
def test_what_has_no_end_fills_no_memory(
    command: tuple[str, ...], env: dict[str, str], code: int, said: str, tmp_path: Path
) -> None:
    (tmp_path / "endless.toml").symlink_to("/dev/zero")
    (tmp_path / "t.csv").write_text("to\n")
    done = subprocess.run(
        [PROGRAM, *(part.format(folder=tmp_path) for part in command)],
        capture_output=True,
        text=True,
        env={**os.environ, **env},
        check=False,
        timeout=120,
    )
    assert (done.returncode, said.format(folder=tmp_path) in done.stderr) == (code, True), done.stderr


def test_a_terminal_that_tells_no_width_shows_everything() -> None:
    command = [PROGRAM, "campaigns", "import", "campaigns/samples/order-shipped.curl", "--dry-run"]
    told = [
        subprocess.run(command, capture_output=True, env={**os.environ, "COLUMNS": columns}, check=False, timeout=120)
        for columns in ("80", "0")
    ]
    assert told[0].stdout == told[1].stdout != b""
