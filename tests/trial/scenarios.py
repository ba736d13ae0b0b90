"""What is late in each scenario, by how much, under which noise: drawn from a seed, and known to the stage alone."""

import random
from dataclasses import dataclass

SYSTEMS = {
    "producer-late": "producer",
    "broker-stopped": "broker",
    "slots-taken": "worker",
    "prefetch-taken": "worker",
    "workers-dead": "worker",
    "rate-limited": "worker",
    "retries": "adobe-api",
    "token-slow": "adobe-api",
    "api-slow": "adobe-api",
    "departure-late": "adobe-departure",
    "mailbox-late": "downstream",
    "clock-wrong": "clocks",
}
"""What can be late, and the system that must be named for it."""
AMOUNTS = {
    "producer-late": (6, 120),
    "broker-stopped": (5, 9),
    "slots-taken": (5, 12),
    "prefetch-taken": (5, 12),
    "workers-dead": (5, 12),
    "rate-limited": (2, 4),  # calls a second: the delay is what comes of it
    "retries": (5, 15),  # whole seconds, as Retry-After has them
    "token-slow": (6, 9),
    "api-slow": (4, 12),
    "departure-late": (100, 900),
    "mailbox-late": (400, 4000),
    "clock-wrong": (5, 3000),
}
"""Least and most seconds of each."""
TWOFOLD = (("api-slow", "mailbox-late"), ("producer-late", "retries"))
TIMES_EACH = 3


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

    def toml(self, slow_campaign: str) -> str:
        """The simulator's script: noise, and what Adobe or a mailbox provider is late with."""
        amounts = self.amounts
        latency = (
            f"seconds = {amounts['api-slow']}"
            if "api-slow" in amounts
            else 'distribution = "lognormal"\nmedian = 0.05\np99 = 0.3'
        )
        departure = _latency(amounts.get("departure-late"), 0.5, 8)
        delivery = _latency(amounts.get("mailbox-late"), 1, 40)
        retried = f"share = 1\nattempts = 1\nretry_after = {amounts.get('retries', 0):.0f}\n"
        noise = "share = 0.05\nattempts = 1\n"
        return "\n".join([
            f"seed = {self.seed}",
            f"[latency]\n{latency}",
            f"[token]\nlatency = {amounts.get('token-slow', 0.02)}",
            f"[feedback]\ndeparture = {departure}\ndelivery = {delivery}",
            f'[[fault]]\ncampaign = "{slow_campaign}"\nkind = "slow"\nseconds = {self.blocked_seconds}',
            f'[[fault]]\nkind = "status"\nstatus = 503\n{retried if "retries" in amounts else noise}',
        ])  # fmt: skip


def _latency(seconds: float | None, low: float, high: float) -> str:
    if seconds is not None:
        return f"{{seconds = {seconds}}}"
    return f'{{distribution = "uniform", low = {low}, high = {high}}}'


def scenarios(seed: int) -> list[Scenario]:
    """Thirty-six with one system each, and two with two, in an order that tells nothing."""
    chance = random.Random(seed)
    kinds: list[tuple[str, ...]] = [(kind,) for kind in SYSTEMS for _ in range(TIMES_EACH)]
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
