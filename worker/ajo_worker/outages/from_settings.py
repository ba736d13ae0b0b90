"""The outages' and limits' policy, from the settings."""

from collections.abc import Sequence

from ajo_producers.campaigns.definition import Definition

from ajo_worker.ledger.worker_rows import Speed
from ajo_worker.limits.bounds import Shares, shares
from ajo_worker.outages.answers import Patience
from ajo_worker.outages.failures import Thresholds
from ajo_worker.outages.patrol import Timing
from ajo_worker.outages.rates import Ramp
from ajo_worker.settings import Settings


def lane_rates(settings: Settings) -> dict[str, float]:
    """Calls a second of each lane."""
    return {"standard": settings.rate_limit_standard, "high-throughput": settings.rate_limit_high_throughput}


def speed(settings: Settings) -> Speed:
    """How fast a worker goes, as it tells the ledger."""
    return Speed(
        rate_limits=lane_rates(settings),
        rate_recovery=settings.rate_limit_recovery,
        ramp_rate=settings.recovery_rate,
        ramp_doubling=settings.recovery_doubling,
    )


def thresholds(settings: Settings) -> Thresholds:
    """When failures are an outage."""
    return Thresholds(
        failures=settings.outage_failures,
        seconds=settings.outage_seconds,
        share=settings.outage_share,
        refusals=settings.campaign_refusals,
    )


def ramp(settings: Settings) -> Ramp:
    """How a lane comes back."""
    return Ramp(settings.recovery_rate, settings.recovery_doubling)


def patience(settings: Settings) -> Patience:
    """When a destination is silent."""
    return Patience(settings.silence_calls, settings.silence_seconds)


def timing(settings: Settings, longest_budget: float) -> Timing:
    """The patrol's times."""
    return Timing(
        probe_interval=settings.probe_interval,
        longest_interval=settings.probe_interval_longest,
        rate_recovery=settings.rate_limit_recovery,
        longest_budget=longest_budget,
        definition_wait=settings.definition_wait,
        recovery=ramp(settings).seconds(max(lane_rates(settings).values())),
    )


def place_shares(settings: Settings, definitions: Sequence[Definition]) -> Shares:
    """Who may have how many places, from the settings and the campaigns that there are."""
    return shares(
        settings.max_in_flight,
        lanes=len({definition.lane for definition in definitions}),
        lane_share=settings.lane_share,
        urgent=any(definition.priority == "urgent" for definition in definitions),
        urgent_reserve=settings.urgent_reserve,
    )
