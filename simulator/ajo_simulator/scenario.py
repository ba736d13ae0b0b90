"""A scenario: how fast the simulator answers, and which faults it shows to whom. Strict TOML."""

import tomllib
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

Seconds: TypeAlias = Annotated[float, Meta(ge=0)]
Share: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
Kind: TypeAlias = Literal[
    "status",
    "rate-limit",
    "hang",
    "reset-before",
    "reset-after",
    "cut-response",
    "slow",
    "slow-body",
    "stalled-body",
    "redirect",
    "huge-body",
    "invalid-json",
    "token-expired",
    "cosmos",
    "outage",
]


class BadScenario(ValueError):  # noqa: N818 - says what it found
    """The scenario can't be read; the text names the file and the field."""


class Latency(Struct, frozen=True, forbid_unknown_fields=True):
    """How long an answer takes, in seconds: ``seconds`` always, evenly ``low`` to ``high``, or log-normal."""

    distribution: Literal["constant", "uniform", "lognormal"] = "constant"
    seconds: Seconds = 0.0
    low: Seconds = 0.0
    high: Seconds = 0.0
    median: Annotated[float, Meta(gt=0)] = 0.05
    p99: Annotated[float, Meta(gt=0)] = 0.5


class TokenRules(Struct, frozen=True, forbid_unknown_fields=True):
    """The token endpoint: lifetime and delay in seconds; ``fail_status`` is answered instead of a token."""

    expires_in: Annotated[int, Meta(gt=0)] = 86_399
    latency: Seconds = 0.0
    fail_status: Annotated[int, Meta(ge=400, le=599)] | None = None


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """Calls a second beyond which the answer is 429."""

    calls_per_second: Annotated[float, Meta(gt=0)] | None = None


class Campaign(Struct, frozen=True, forbid_unknown_fields=True):
    """What the campaign endpoint says of one campaign."""

    id: str
    status: str = "live"
    name: str = ""


class Fault(
    Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename={"from_": "from"},
):
    """One rule. It hits a ``share`` of a campaign's request ids, each at its first ``attempts`` calls (all, if absent),
    ``from`` some second after the start ``until`` another.

    ``status``, ``error_code``, ``title`` and ``shape`` belong to kind ``status``; ``retry_after`` (seconds or text)
    to ``status`` and ``rate-limit``; ``seconds`` to ``slow`` and ``slow-body``; ``bytes`` to ``huge-body``; ``accept``
    says whether a ``hang`` counts as accepted.
    """

    kind: Kind
    campaign: str = "*"
    share: Share = 1.0
    attempts: Annotated[int, Meta(ge=1)] | None = None
    from_: Seconds = 0.0
    until: Seconds | None = None
    status: Annotated[int, Meta(ge=200, le=599)] = 503
    error_code: str | None = None
    title: str | None = None
    shape: Literal["service", "gateway"] = "service"
    retry_after: float | str | None = None
    seconds: Seconds = 1.0
    bytes: Annotated[int, Meta(ge=1)] = 300_000_000
    accept: bool = False


class Scenario(Struct, frozen=True, forbid_unknown_fields=True):
    """Everything a scenario file can say; the first fault that hits wins."""

    seed: int = 1
    latency: Latency = Latency()
    token: TokenRules = TokenRules()
    limits: Limits = Limits()
    campaign: tuple[Campaign, ...] = ()
    fault: tuple[Fault, ...] = ()


def parse_scenario(text: str, source: str = "scenario") -> Scenario:
    """Read a scenario.

    Raises:
        BadScenario: not TOML, an unknown field, a value of a wrong type or out of bounds.
    """
    try:
        scenario = msgspec.convert(tomllib.loads(text), Scenario)
    except tomllib.TOMLDecodeError as error:
        raise BadScenario(f"{source}: not TOML: {error}") from None
    except msgspec.ValidationError as error:
        raise BadScenario(f"{source}: {error}") from None
    if scenario.latency.distribution == "uniform" and scenario.latency.high < scenario.latency.low:
        raise BadScenario(f"{source}: latency.high is below latency.low")
    if scenario.latency.distribution == "lognormal" and scenario.latency.p99 < scenario.latency.median:
        raise BadScenario(f"{source}: latency.p99 is below latency.median")
    return scenario


def load_scenario(path: Path) -> Scenario:
    """Read a scenario's file.

    Raises:
        BadScenario: see ``parse_scenario``.
        OSError: the file can't be read.
    """
    return parse_scenario(path.read_text(encoding="utf-8"), str(path))
