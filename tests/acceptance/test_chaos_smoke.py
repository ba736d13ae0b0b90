"""The short form of ``make chaos``: a few faults, on one broker each; docs/reliability.md has the whole matrix."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MINUTES = 30


@pytest.mark.usefixtures("rabbitmq_url")
def test_a_few_faults_lose_nothing_and_double_nothing_silently() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos", "--smoke"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=MINUTES * 60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 failed" in done.stdout
