"""What a worker says at its start, before it has done anything."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from ajo_producers.contract.sealing import new_key
from ajo_worker.bootstrap import start_worker
from ajo_worker.settings import Settings
from structlog.testing import capture_logs

unused: Any = None


@pytest.mark.parametrize(("keys", "warnings"), [("", 1), (new_key(), 0)])
def test_a_worker_without_payload_keys_warns_once_and_says_what_to_do(
    keys: str, warnings: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AJO_PAYLOAD_KEYS", keys)
    settings = Settings(campaigns=tmp_path / "missing")
    with capture_logs() as logged, pytest.raises(ValueError, match="missing"):
        asyncio.run(start_worker(settings, uuid4(), unused, unused))
    told = [entry for entry in logged if entry["event"] == "payloads-plain"]
    assert len(told) == warnings
    assert all("ajo-dispatch keys new" in entry["do"] for entry in told)
