"""What a worker says at its start, before it has done anything, and of what it has in hand."""

import asyncio
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from ajo_producers.contract.sealing import new_key
from ajo_worker.bootstrap import in_hand, start_worker
from ajo_worker.settings import Settings
from structlog.testing import capture_logs

unused: Any = None


@pytest.mark.parametrize(("keys", "warnings"), [("", 1), (new_key(), 0)], ids=["none", "one"])
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


def test_what_waits_with_a_worker_is_what_it_has_in_hand_and_does_not_send() -> None:
    under_way = Counter({("standard", "a"): 480, ("standard", "b"): 3, ("high-throughput", "c"): 7})
    dispatcher: Any = SimpleNamespace(under_way=under_way, unopened={"ajo-dispatch.standard": 100})
    slots: Any = SimpleNamespace(bounds=SimpleNamespace(taken_by=Counter({"a": 20, "b": 3})))
    found = in_hand(dispatcher, slots)
    assert found.unopened == {"ajo-dispatch.standard": 100}
    assert found.waiting == {"standard": {"a": 460}, "high-throughput": {"c": 7}}
