"""The phases and systems as people read them."""

from ajo_worker.cli.phases import SYSTEMS, label
from ajo_worker.ledger.delays import PHASES


def test_every_phase_has_its_own_name_and_a_system_that_people_can_read() -> None:
    assert set(PHASES.values()) <= set(SYSTEMS)
    assert len({label(phase) for phase in PHASES}) == len(PHASES)


def test_systems_cannot_be_confused() -> None:
    assert len(set(SYSTEMS.values())) == len(SYSTEMS)
