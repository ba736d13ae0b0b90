"""What is late in each scenario, by how much, under which noise: drawn from a seed, and known to the stage alone."""

import random
from dataclasses import dataclass

SYSTEMS = {
    "producer-late": "producer",
    "first-publish": "producer",
    "broker-stopped": "broker",
    "workers-dead": "worker",
    "rate-limited": "worker",
    "concurrency": "worker",
    "starved": "worker",
    "saturated": "worker",
    "slots-taken": "adobe-api",
    "prefetch-taken": "adobe-api",
    "retries": "adobe-api",
    "token-slow": "adobe-api",
    "token-away": "adobe-api",
    "storm": "adobe-api",
    "recovery": "adobe-api",
    "silence": "adobe-api",
    "api-slow": "adobe-api",
    "api-crawls": "adobe-api",
    "departure-late": "adobe-departure",
    "mailbox-late": "downstream",
    "clock-wrong": "clocks",
}
"""What can be late, and the system that must be named for it."""
AMOUNTS = {
    "producer-late": (6, 120),
    "first-publish": (6, 9),
    "broker-stopped": (5, 9),
    "workers-dead": (5, 12),
    "rate-limited": (2, 4),  # calls a second: the delay is what comes of it
    "concurrency": (0.6, 1),  # what each call takes, one after the other: likewise
    "starved": (1.2, 1.5),  # of every two
    "saturated": (0.03, 0.07),  # what each call takes
    "slots-taken": (5, 12),
    "prefetch-taken": (5, 12),
    "retries": (5, 15),  # whole seconds, as Retry-After has them
    "token-slow": (6, 9),
    "token-away": (38, 44),
    "storm": (20, 30),
    "recovery": (15, 25),
    "silence": (25, 35),
    "api-slow": (4, 12),
    "api-crawls": (25, 40),  # and up to 15 more
    "departure-late": (100, 900),
    "mailbox-late": (400, 4000),
    "clock-wrong": (5, 3000),
}
"""Least and most seconds of each."""
BY_SECONDS = frozenset({"token-away", "storm", "recovery", "silence", "api-crawls", "starved"})
"""Kinds in which no two triggers are late alike: they are judged by the sums of seconds."""
LONG = BY_SECONDS | {"saturated"}
TWOFOLD = (("api-slow", "mailbox-late"), ("producer-late", "retries"), ("starved", "api-slow"))
TIMES_EACH, TIMES_LONG = 3, 1
ALONE = frozenset({"saturated"})
"""Nothing else is played meanwhile: they are about milliseconds."""


@dataclass(frozen=True)
class Scenario:
    """Late are ``amounts``, in seconds by kind; ``sign`` is -1 for a clock that is ahead."""

    number: int
    seed: int
    amounts: dict[str, float]
    sign: int = 1

    @property
    def systems(self) -> set[str]:
        """Those that must be named, and no others."""
        return {SYSTEMS[kind] for kind in self.amounts}

    @property
    def blocked_seconds(self) -> float:
        """How long calls of the slow campaign take."""
        return self.amounts.get("slots-taken", self.amounts.get("prefetch-taken", 0))

    @property
    def alone(self) -> bool:
        """Whether nothing else may be played meanwhile."""
        return not ALONE.isdisjoint(self.amounts)


def scenarios(seed: int) -> list[Scenario]:
    """Each kind alone, some times, and some pairs, in an order that tells nothing."""
    chance = random.Random(seed)
    alone = [kind for kind in SYSTEMS if kind != "starved"]
    kinds: list[tuple[str, ...]] = [
        (kind,) for kind in alone for _ in range(TIMES_LONG if kind in LONG else TIMES_EACH)
    ]
    chance.shuffle(kinds)
    return [
        Scenario(
            number,
            seed=chance.randrange(1 << 31),
            amounts={kind: round(chance.uniform(*AMOUNTS[kind]), 0 if kind == "retries" else 3) for kind in each},
            sign=chance.choice((1, -1)),
        )
        for number, each in enumerate((*kinds, *TWOFOLD), start=1)
    ]
