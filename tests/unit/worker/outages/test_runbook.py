"""The runbook names the steps, and what the system has checked of them."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from ajo_worker.outages.history import Detail, Outage, TriggerProbe, WithWorkers
from ajo_worker.outages.runbook import STEPS, runbook

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def detail(
    reason: str, *probes: TriggerProbe, scope: str = "destination:standard@api.example.com", **seen: int
) -> Detail:
    outage = Outage(1, scope, reason, "open", NOON, "a worker", None, None, NOON, len(probes), seen)
    return Detail(outage, list(probes), [], [], WithWorkers(0, {}))


def test_a_redrive_is_printed_with_all_that_the_command_asks_for() -> None:
    step = runbook(detail("campaign-failing", scope="campaign:order-shipped"))[-1]
    assert step.text.endswith("ajo-dispatch dead redrive --campaign order-shipped --why '…'")


@pytest.mark.parametrize("reason", ["cosmos-identity", "cosmos-key", "suspected-cosmos"])
def test_the_cosmos_outage_has_its_four_steps_and_the_last_is_a_command(reason: str) -> None:
    steps = runbook(detail(reason))
    assert len(steps) == 4
    assert steps[-1].text.endswith("ajo-dispatch outage probe destination:standard@api.example.com")
    assert all(step.checked is None for step in steps)


def test_the_probes_are_what_the_system_has_checked_of_the_last_step() -> None:
    steps = runbook(detail("cosmos-key", TriggerProbe(NOON, uuid4(), False, "500 CJMRT-110100-500")))
    assert [step.checked for step in steps[:3]] == [None] * 3
    assert steps[3].checked == "probed 1 times; the last at 12:00:00 UTC found 500 CJMRT-110100-500"


@pytest.mark.parametrize(("status", "number"), [(4000, 1), (4002, 2), (4003, 3), (4015, 1), (4017, 3), (4099, 3)])
def test_the_status_that_the_answer_told_marks_the_step_to_begin_with(status: int, number: int) -> None:
    steps = runbook(detail("cosmos-key", customerManagedKeyStatus=status))
    told = [place for place, step in enumerate(steps, start=1) if step.checked]
    assert told == [number]
    assert f"{status}" in str(steps[number - 1].checked)


@pytest.mark.parametrize("reason", [*STEPS, "something new"])
def test_every_reason_has_steps_and_no_place_is_left_open(reason: str) -> None:
    steps = runbook(detail(reason, scope="campaign:flash-sale"))
    assert steps
    assert not any("{" in step.text for step in steps)
