"""The clock that steps are measured by."""

import pytest


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock that steps are measured by; it goes on only where a test says so."""
    now = [0.0]
    for module in ("steps", "way"):
        monkeypatch.setattr(f"ajo_worker.network.{module}.monotonic", lambda: now[0])
    return now
