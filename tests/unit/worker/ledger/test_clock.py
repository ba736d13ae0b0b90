"""The ledger's clock: the database's time, whatever the machine's wall clock does."""

from datetime import UTC, datetime, timedelta

import pytest
from ajo_worker.ledger.clock import LedgerClock

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


class Machine:
    """A machine whose wall clock can be wrong, or be set."""

    def __init__(self, wall: datetime) -> None:
        self.seconds = 1000.0
        self.wall_error = wall.timestamp() - 1000.0

    def monotonic(self) -> float:
        return self.seconds

    def wall(self) -> float:
        return self.seconds + self.wall_error


def test_after_a_sample_the_clock_shows_the_databases_time_and_the_skew_of_the_machine() -> None:
    machine = Machine(NOON + timedelta(hours=1))
    clock = LedgerClock(machine.monotonic, machine.wall)
    clock.sample(999.99, 1000.01, NOON)
    assert abs(clock.now() - NOON) < timedelta(microseconds=10)
    assert abs(clock.skew - timedelta(hours=1)) < timedelta(microseconds=10)


def test_a_step_of_the_wall_clock_moves_nothing() -> None:
    machine = Machine(NOON)
    clock = LedgerClock(machine.monotonic, machine.wall)
    clock.sample(1000.0, 1000.0, NOON)
    machine.wall_error -= 7200
    machine.seconds += 30
    assert abs(clock.now() - (NOON + timedelta(seconds=30))) < timedelta(microseconds=10)


def test_a_slow_answer_of_the_database_does_not_spoil_a_good_estimate() -> None:
    machine = Machine(NOON)
    clock = LedgerClock(machine.monotonic, machine.wall)
    clock.sample(1000.0, 1000.001, NOON)
    machine.seconds = 1010.0
    clock.sample(1005.0, 1010.0, NOON + timedelta(seconds=10))  # stamped at its end: off by 2.5 s
    assert abs(clock.now() - (NOON + timedelta(seconds=10))) < timedelta(milliseconds=5)


def test_an_old_estimate_gives_way_in_the_end_since_clocks_drift_apart() -> None:
    machine = Machine(NOON)
    clock = LedgerClock(machine.monotonic, machine.wall)
    clock.sample(1000.0, 1000.001, NOON)
    machine.seconds = 1000.0 + 86_400
    clock.sample(machine.seconds - 0.05, machine.seconds + 0.05, NOON + timedelta(seconds=86_401))
    assert abs(clock.now() - (NOON + timedelta(seconds=86_401))) < timedelta(milliseconds=100)


def test_instants_and_times_convert_back_and_forth() -> None:
    clock = LedgerClock()
    assert abs(clock.monotonic_at(clock.at(123.456)) - 123.456) < 1e-5


@pytest.mark.parametrize("seconds", [-86_400.0, -60.0, -2.1, 2.1, 60.0, 86_400.0])
def test_a_database_clock_that_was_set_is_told_and_followed_at_once(seconds: float) -> None:
    machine = Machine(NOON)
    clock = LedgerClock(machine.monotonic, machine.wall)
    assert clock.sample(1000.0, 1000.0, NOON) == 0
    machine.seconds = 1010.0
    shown = NOON + timedelta(seconds=10 + seconds)
    told = clock.sample(1009.98, 1010.02, shown)  # by a sample that is worse than the one before
    assert told == pytest.approx(seconds, abs=0.05)
    assert abs(clock.now() - shown) < timedelta(seconds=0.1)
    assert clock.sample(1010.0, 1010.0, shown) == 0


@pytest.mark.parametrize("seconds", [-1.9, 1.9])
def test_a_little_is_no_step(seconds: float) -> None:
    machine = Machine(NOON)
    clock = LedgerClock(machine.monotonic, machine.wall)
    clock.sample(1000.0, 1000.0, NOON)
    assert clock.sample(1000.0, 1000.0, NOON + timedelta(seconds=seconds)) == 0


def test_an_answer_that_takes_long_shows_no_step_whenever_it_was_stamped() -> None:
    machine = Machine(NOON)
    clock = LedgerClock(machine.monotonic, machine.wall)
    clock.sample(1000.0, 1000.0, NOON)
    for stamped in (0.0, 20.0):
        assert clock.sample(1000.0, 1020.0, NOON + timedelta(seconds=stamped)) == 0


def test_the_first_sample_shows_no_step_however_wrong_the_machine_is() -> None:
    machine = Machine(NOON + timedelta(days=400))
    assert LedgerClock(machine.monotonic, machine.wall).sample(1000.0, 1000.0, NOON) == 0
