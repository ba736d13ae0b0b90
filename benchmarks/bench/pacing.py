"""Ours under a steady load: what it uses, and the time from a trigger's confirm to the first byte of its call."""

import subprocess
import time
from dataclasses import dataclass

from benchmarks.bench.building import HERE
from benchmarks.bench.ours import Checkout
from benchmarks.bench.stage import Failed, Stage

RATE_OF_A_THREAD = 250
"""Triggers a second that one thread publishes in messages of one, without falling behind."""
MOST_THREADS = 16


@dataclass(frozen=True)
class Load:
    """Triggers a second, in messages of so many, for so many seconds."""

    rate: float
    batch: int
    seconds: float

    @property
    def threads(self) -> int:
        """How many publish."""
        return min(MOST_THREADS, max(1, round(self.rate / self.batch / RATE_OF_A_THREAD)))


@dataclass(frozen=True)
class Paced:
    """What a load came to: triggers a second, milliseconds of each trigger, cores by process."""

    rate: float
    waits: list[float]
    cores: dict[str, float]

    def wait(self, share: float) -> float:
        """The milliseconds within which that share of triggers was on its way."""
        return self.waits[min(len(self.waits) - 1, int(len(self.waits) * share))]


def paced(stage: Stage, checkout: Checkout, load: Load) -> Paced:
    """Put a load on a live stage, and end it.

    Raises:
        Failed: publishing failed, or a trigger was not called once.
    """
    command = [checkout.programs / "python", HERE / "paced.py", load.batch, load.rate, load.seconds, load.threads]
    begin = time.time() + 1.5  # once the publisher is at its rate
    done = subprocess.run(list(map(str, command)), env=stage.env, capture_output=True, text=True, check=False)  # noqa: S603 - our own script
    end = time.time() - 0.5
    if done.returncode != 0 or stage.usage is None:
        raise Failed(f"publishing at {load.rate:.0f}/s failed:\n{done.stderr[-800:]}")
    confirmed = {name: int(at) / 1e9 for name, at in map(str.split, done.stdout.splitlines())}
    stage.wait_for_calls(1 + len(confirmed))
    time.sleep(0.3)
    stage.stop()
    calls = stage.place.endpoint.stop()
    arrived = dict(calls)
    if len(calls) != 1 + len(confirmed) or not confirmed.keys() <= arrived.keys():
        raise Failed(f"{len(confirmed)} triggers were published, {len(calls) - 1} calls made of {len(arrived)} ids")
    used = stage.usage.between(begin, end)
    waits = sorted((arrived[name] - at) * 1000 for name, at in confirmed.items())
    several = sorted(confirmed.values())
    within = [at for at in several if begin <= at <= end]
    return Paced(len(within) / (end - begin), waits, {name: cpu / (end - begin) for name, cpu in used.items()})
