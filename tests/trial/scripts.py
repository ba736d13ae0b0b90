"""What the simulator is told: noise, and what Adobe or a mailbox provider is late with."""

import random

from tests.trial.scenarios import Scenario

CALM = 'distribution = "lognormal"\nmedian = 0.05\np99 = 0.3'
WITH_THE_EVENTS = frozenset({"token-away", "storm", "recovery", "silence"})
"""Kinds that begin with the events, and not with the simulator: they last for their amount of seconds."""
WITHOUT_FAILURES = frozenset({"saturated", "concurrency", "rate-limited"})
"""Kinds in which a call that fails would delay all that stand behind it, so that Adobe is to blame as well."""
SHORT_LIVED = 2
"""Seconds that tokens live where their endpoint goes away: else nobody would notice."""


def script(scenario: Scenario, slow_campaign: str, *, begun: bool = False) -> str:
    """A scenario as the simulator plays it, before its events and once they have ``begun``."""
    return "\n".join([
        f"seed = {scenario.seed}",
        f"[latency]\n{_latency(scenario.amounts)}",
        f"[token]\n{_token(scenario, begun=begun)}",
        f"[feedback]\ndeparture = {_span(scenario.amounts.get('departure-late'), 0.5, 8)}",
        f"delivery = {_span(scenario.amounts.get('mailbox-late'), 1, 40)}",
        f'[[fault]]\ncampaign = "{slow_campaign}"\nkind = "slow"\nseconds = {scenario.blocked_seconds}',
        *(_faults(scenario) if begun else ()),
        _noise(scenario.amounts),
    ])  # fmt: skip


def _latency(amounts: dict[str, float]) -> str:
    if "api-crawls" in amounts:
        low = amounts["api-crawls"]
        return f'distribution = "uniform"\nlow = {low}\nhigh = {low + 15}'
    constant = next((amounts[kind] for kind in ("api-slow", "concurrency", "saturated") if kind in amounts), None)
    return CALM if constant is None else f"seconds = {constant}"


def _token(scenario: Scenario, *, begun: bool) -> str:
    amounts = scenario.amounts
    if "token-away" not in amounts:
        return f"latency = {amounts.get('token-slow', 0.02)}"
    ways = ('silence = "hang"', 'silence = "reset"', "fail_status = 503", "fail_status = 500")
    way = f"{ways[scenario.seed % len(ways)]}\nuntil = {amounts['token-away']}"
    return f"expires_in = {SHORT_LIVED}\n{way if begun else ''}"


def _faults(scenario: Scenario) -> list[str]:
    """What begins with the events, and how long it lasts."""
    chance, amounts = random.Random(scenario.seed), scenario.amounts
    if "storm" in amounts:
        forms = ("", "retry_after = 2", 'retry_after = 3\nretry_after_form = "date"')
        return [f'[[fault]]\nkind = "rate-limit"\nshare = 0.3\nuntil = {amounts["storm"]}\n{form}' for form in forms]
    if "recovery" in amounts:
        status = chance.choice((500, 403))
        return [f'[[fault]]\nkind = "cosmos"\ncode = "any"\nstatus = {status}\nuntil = {amounts["recovery"]}']
    if "silence" in amounts:
        accept = chance.choice(("true", "false"))
        return [f'[[fault]]\nkind = "hang"\naccept = {accept}\nuntil = {amounts["silence"]}']
    return []


def _noise(amounts: dict[str, float]) -> str:
    if "retries" in amounts:
        how = f"share = 1\nattempts = 1\nretry_after = {amounts['retries']:.0f}"
    else:
        how = f"share = {0.05 if WITHOUT_FAILURES.isdisjoint(amounts) else 0}\nattempts = 1"
    return f'[[fault]]\nkind = "status"\nstatus = 503\n{how}'


def _span(seconds: float | None, low: float, high: float) -> str:
    if seconds is not None:
        return f"{{seconds = {seconds}}}"
    return f'{{distribution = "uniform", low = {low}, high = {high}}}'
