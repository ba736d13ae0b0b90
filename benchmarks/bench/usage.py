"""What trees of processes use, and the whole machine beside them, read from Linux's /proc several times a second."""

import os
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
SECONDS_BETWEEN = 0.2
LOOKS_PER_MEMORY = 4
"""Adding up a process's memory costs more than its CPU time."""


@dataclass(frozen=True)
class Process:
    """One line of /proc; ``cpu`` in seconds."""

    parent: int
    began: int
    cpu: float


def processes() -> dict[int, Process]:
    """All that run."""
    found = {}
    for name in os.listdir("/proc"):  # noqa: PTH208 - several times a second
        if name.isdigit():
            with suppress(OSError):
                line = Path("/proc", name, "stat").read_text(encoding="utf-8", errors="replace")
                words = line.rpartition(")")[2].split()
                found[int(name)] = Process(int(words[1]), int(words[19]), (int(words[11]) + int(words[12])) / TICKS)
    return found


def tree_of(roots: Iterable[int], among: Mapping[int, Process]) -> set[int]:
    """The roots that run, and all that descends from them."""
    tree = {pid for pid in roots if pid in among}
    while more := {pid for pid, each in among.items() if each.parent in tree} - tree:
        tree |= more
    return tree


def machine() -> float:
    """Seconds that all cores together have worked, for whomever."""
    words = Path("/proc/stat").read_text(encoding="utf-8").splitlines()[0].split()
    user, nice, system, _, _, interrupts, soft = map(int, words[1:8])
    return (user + nice + system + interrupts + soft) / TICKS


def resident(pids: Iterable[int]) -> float:
    """MB of several processes, each shared page counted once."""
    pages = 0
    for pid in pids:
        with suppress(OSError):
            lines = Path("/proc", str(pid), "smaps_rollup").read_text(encoding="ascii").splitlines()
            pages += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return pages * 1024 / 1e6


@dataclass(frozen=True)
class Look:
    """CPU seconds so far, by group, at a moment of the wall clock; ``machine`` is all of it, ``ours`` this process."""

    at: float
    groups: Mapping[str, float]
    machine: float
    ours: float


@dataclass
class Usage(threading.Thread):
    """Looks at groups of process trees until it is stopped; ``roots`` are the process ids of each group."""

    roots: Mapping[str, list[int]]
    memory_of: str = "worker"
    looks: list[Look] = field(default_factory=list)
    memory: list[tuple[float, float]] = field(default_factory=list)
    """When, and MB of the group ``memory_of``."""

    def __post_init__(self) -> None:
        super().__init__(daemon=True)
        self._stopped = threading.Event()
        self._seen: dict[str, dict[tuple[int, int], float]] = {group: {} for group in self.roots}

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        """Look until stopped."""
        while True:
            self._look()
            if self._stopped.wait(SECONDS_BETWEEN):
                self._look(memory=True)
                return

    def stop(self) -> None:
        """Look once more, and end."""
        self._stopped.set()
        self.join()

    def _look(self, *, memory: bool = False) -> None:
        at, running = time.time(), processes()
        for group, roots in self.roots.items():
            tree = tree_of(roots, running)
            for pid in tree:  # what has ended counts as it was last seen
                self._seen[group][pid, running[pid].began] = running[pid].cpu
            if group == self.memory_of and (memory or len(self.looks) % LOOKS_PER_MEMORY == 0):
                self.memory.append((at, resident(tree)))
        groups = {group: sum(seen.values()) for group, seen in self._seen.items()}
        self.looks.append(Look(at, groups, machine(), time.process_time()))

    def between(self, begin: float, end: float) -> dict[str, float]:
        """CPU seconds by group between two moments, with ``others``: what the machine did beside all of them."""
        first, last = at(self.looks, begin), at(self.looks, end)
        used = {group: last.groups[group] - first.groups[group] for group in first.groups}
        used["others"] = max(0.0, last.machine - first.machine - (last.ours - first.ours) - sum(used.values()))
        return used


def at(looks: list[Look], moment: float) -> Look:
    """What a look at that moment would have shown, between the two around it."""
    for before, after in pairwise(looks):
        if before.at <= moment <= after.at:
            share = (moment - before.at) / (after.at - before.at)

            def between(one: float, two: float, share: float = share) -> float:
                return one + (two - one) * share

            groups = {group: between(cpu, after.groups[group]) for group, cpu in before.groups.items()}
            return Look(moment, groups, between(before.machine, after.machine), between(before.ours, after.ours))
    return looks[0] if moment < looks[0].at else looks[-1]
