"""The phases as people read them."""

from ajo_worker.cli.phases import WHOSE, label
from ajo_worker.ledger.delays import PHASES


def test_every_phase_has_its_own_name_and_an_owner() -> None:
    assert list(WHOSE) == list(PHASES)
    assert len({label(phase) for phase in PHASES}) == len(PHASES)


def test_parts_of_a_phase_are_indented() -> None:
    assert [label("worker"), label("worker_rate_limit"), label("own_wait")] == ["worker", "  rate limit", "own wait"]
