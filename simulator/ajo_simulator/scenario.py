"""A scenario: how fast the simulator answers, and which faults it shows to whom. Strict TOML."""

import tomllib
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

from ajo_simulator.faults import KINDS, Fault, RetryAfter, Seconds, Window
from ajo_simulator.feedback.rules import FeedbackRules
from ajo_simulator.latency import Latency

Moment: TypeAlias = Annotated[datetime, Meta(tz=True)]


class BadScenario(ValueError):  # noqa: N818 - says what it found
    """The scenario can't be read; the text names the file and the field."""


class TokenRules(Window, frozen=True, forbid_unknown_fields=True):
    """The token endpoint: lifetime and delay in seconds; what else it does, ``from`` some second ``until`` another.

    That is an error, ``fail_status``; or any ``body``, in which ``{token}`` stands for a valid token; or one of so
    many ``bytes``; or none at all, by ``silence``.
    """

    expires_in: Annotated[int, Meta(gt=0)] = 86_399
    latency: Seconds = 0.0
    fail_status: Annotated[int, Meta(ge=400, le=599)] | None = None
    body: str | None = None
    bytes: Annotated[int, Meta(ge=1, le=10**12)] | None = None
    silence: Literal["hang", "vanish", "reset"] | None = None


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """Calls a second beyond which the answer is 429, with ``retry_after`` if it is given."""

    calls_per_second: Annotated[float, Meta(gt=0)] | None = None
    retry_after: RetryAfter | None = None


class Repeated(Struct, frozen=True, forbid_unknown_fields=True):
    """A call of a request id that was accepted before is refused with this ``status``; accepted again if it is None."""

    status: Annotated[int, Meta(ge=400, le=499)] | None = None
    title: str = "Duplicate request"
    error_code: str | None = None


class Campaign(Struct, frozen=True, forbid_unknown_fields=True):
    """What the campaign endpoint says of one campaign, ``latency`` seconds later; ``answer`` is an error instead."""

    id: str
    status: str = "LIVE"
    name: str | None = None
    start: Moment | None = None
    end: Moment | None = None
    namespace: str | None = None
    throughput: Literal["standard", "high"] | None = None
    create_profiles: bool | None = None
    latency: Seconds = 0.0
    answer: Literal[403, 404, 500] | None = None


class Scenario(Struct, frozen=True, forbid_unknown_fields=True):
    """Everything a scenario file can say; the first fault that hits wins."""

    seed: int = 1
    latency: Latency = Latency()
    token: TokenRules = TokenRules()
    limits: Limits = Limits()
    repeated: Repeated = Repeated()
    campaign: tuple[Campaign, ...] = ()
    fault: tuple[Fault, ...] = ()
    feedback: FeedbackRules | None = None


def parse_scenario(text: str, source: str = "scenario") -> Scenario:
    """Read a scenario.

    Raises:
        BadScenario: not TOML, an unknown field, a value of a wrong type or out of bounds.
    """
    try:
        return msgspec.convert(tomllib.loads(text), Scenario)
    except tomllib.TOMLDecodeError as error:
        raise BadScenario(f"{source}: not TOML: {error}") from None
    except msgspec.ValidationError as error:
        known = f"; known are {', '.join(KINDS)}" if str(error).endswith(".kind`") else ""
        raise BadScenario(f"{source}: {str(error).replace('`$.', '`')}{known}") from None


def decode_scenario(raw: bytes, source: str = "scenario") -> Scenario:
    """Read a scenario as it is in a file or comes over the wire.

    Raises:
        BadScenario: see ``parse_scenario``; or not in UTF-8.
    """
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise BadScenario(f"{source}: not TOML: not in UTF-8") from None
    return parse_scenario(text, source)


def load_scenario(path: Path) -> Scenario:
    """Read a scenario's file.

    Raises:
        BadScenario: see ``parse_scenario``; or it is no regular file.
        OSError: the file can't be read.
    """
    if path.exists() and not path.is_file():  # a device or a pipe may have no end
        raise BadScenario(f"{path}: is no regular file")
    return decode_scenario(path.read_bytes(), str(path))
