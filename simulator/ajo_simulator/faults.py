"""The faults that a scenario can script: a type for each kind, which has the fields that belong to it and no others."""

from typing import Annotated, Literal, TypeAlias, get_args

from msgspec import Meta, Struct

Seconds: TypeAlias = Annotated[float, Meta(ge=0, le=1e9)]
Share: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
CosmosCode: TypeAlias = Literal["any", 4000, 4002, 4003, 4005, 4006, 4009, 4015, 4016, 4017, 4018]
Lane: TypeAlias = Literal["standard", "high-throughput"]
RetryAfter: TypeAlias = Seconds | Annotated[str, Meta(pattern=r"\A[ -~]*\Z")]


class Window(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """Holds ``from`` some second after the scenario's start ``until`` another: always, if neither is given.

    In bursts: of ``every`` so many seconds it holds in the first ``lasting`` ones alone.
    """

    from_: Seconds = 0.0
    until: Seconds | None = None
    every: Seconds | None = None
    lasting: Seconds | None = None

    def __post_init__(self) -> None:
        if self.until is not None and self.until <= self.from_:
            raise ValueError("`until` must be greater than `from`")
        if (self.every is None) != (self.lasting is None):
            raise ValueError("`every` and `lasting` belong together")
        if self.every is not None and self.lasting is not None and not 0 < self.lasting < self.every:
            raise ValueError("`lasting` must be greater than 0 and less than `every`")

    def holds(self, seconds: float) -> bool:
        """Whether this is one of its seconds."""
        if seconds < self.from_ or (self.until is not None and seconds >= self.until):
            return False
        return self.every is None or self.lasting is None or (seconds - self.from_) % self.every < self.lasting


class Refuse(Window, tag_field="kind", frozen=True, tag="refuse"):
    """Nobody listens: connections are refused. Idle ones are closed, and busy ones after their call."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.until is None:
            raise ValueError("`refuse` needs `until`: nothing could reach the simulator any more")


class ResetUnread(Window, tag_field="kind", frozen=True, tag="reset-unread"):
    """The connection is reset before the body was read. ``share`` is one of calls: their request ids are unknown."""

    share: Share = 1.0


class Rule(Window, tag_field="kind", frozen=True):
    """A fault of single calls: hits a ``share`` of a campaign's request ids, each at its first ``attempts`` calls.

    ``lane`` says at which execution endpoint; ``user_id`` how the ``userId`` of one of the recipients begins.
    """

    campaign: str = "*"
    lane: Lane | None = None
    user_id: str = ""
    share: Share = 1.0
    attempts: Annotated[int, Meta(ge=1)] | None = None


class Told(Rule, frozen=True):
    """An error that tells when to call again: in ``retry_after`` seconds, as such or as a date; any text, as it is."""

    retry_after: RetryAfter | None = None
    retry_after_form: Literal["seconds", "date"] = "seconds"


class Status(Told, frozen=True, tag="status"):
    """An answer with this status, in either shape of an error; ``accept``: the call counts as accepted all the same.

    ``echo``: the error quotes the body that was received, as validators do.
    """

    status: Annotated[int, Meta(ge=200, le=599)] = 503
    shape: Literal["service", "gateway"] = "service"
    error_code: str | None = None
    title: str = "simulated fault"
    accept: bool = False
    echo: bool = False


class RateLimit(Told, frozen=True, tag="rate-limit"):
    """429."""


class TokenExpired(Rule, frozen=True, tag="token-expired"):
    """401 from the gateway, whatever the token."""


class Cosmos(Rule, frozen=True, tag="cosmos"):
    """An error with a text of the Cosmos DB outage: one of the usual two, of a ``code``, of all, or any ``text``."""

    status: Annotated[int, Meta(ge=400, le=599)] = 500
    code: CosmosCode | None = None
    text: str | None = None
    shape: Literal["service", "gateway", "detail", "text"] = "service"


class Outage(Rule, frozen=True, tag="outage"):
    """500 without a body."""


class Redirect(Rule, frozen=True, tag="redirect"):
    """A redirect to a path of the simulator's own, so that the journal shows who follows it."""

    status: Literal[301, 302, 303, 307, 308] = 307


class Hang(Rule, frozen=True, tag="hang"):
    """No answer, until the caller gives up; ``accept``: the call counts as accepted all the same."""

    accept: bool = False


class Vanish(Rule, frozen=True, tag="vanish"):
    """No answer, and no packet any more: the machine at the other end is gone, without a word.

    ``accept``: the call counts as accepted all the same. Where the system can't drop a socket's packets (only Linux
    can), it is a ``hang``.
    """

    accept: bool = False


class ResetBefore(Rule, frozen=True, tag="reset-before"):
    """The connection is reset after the request was read, before it was accepted."""


class ResetAfter(Rule, frozen=True, tag="reset-after"):
    """The connection is reset after the call was accepted, before any of the answer."""


class Slow(Rule, frozen=True, tag="slow"):
    """The call is answered as ever, but later: its latency times ``factor``, and ``seconds`` (to ``high``) more."""

    seconds: Seconds = 1.0
    high: Seconds | None = None
    factor: Annotated[float, Meta(ge=1, le=1e6)] = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.high is not None and self.high < self.seconds:
            raise ValueError("`high` is below `seconds`")


class SlowBody(Rule, frozen=True, tag="slow-body"):
    """Accepted; the answer's body comes bit by bit within ``seconds``."""

    seconds: Seconds = 1.0


class StalledBody(Rule, frozen=True, tag="stalled-body"):
    """Accepted; the answer's body stops in the middle, and the connection stays."""


class CutResponse(Rule, frozen=True, tag="cut-response"):
    """Accepted; the connection is closed in the middle of the answer's body."""


class HugeBody(Rule, frozen=True, tag="huge-body"):
    """Accepted; the answer's body has this many bytes, and is no JSON."""

    bytes: Annotated[int, Meta(ge=1, le=10**12)] = 300_000_000


class InvalidJson(Rule, frozen=True, tag="invalid-json"):
    """Accepted; the answer's body is no JSON."""


class OddAnswer(Rule, frozen=True, tag="odd-answer"):
    """An answer of success that is no usual one: another status, another's ``requestId``, an id left out.

    ``another`` is the request id of a call just before; ``accept``: whether the call counts as accepted.
    """

    status: Annotated[int, Meta(ge=200, le=299)] = 202
    request_id: Literal["ours", "another", "unknown", "none"] = "ours"
    execution_id: Literal["given", "none"] = "given"
    accept: bool = True


class Stray(Rule, frozen=True, tag="stray"):
    """Accepted and answered; ``seconds`` later another answer comes on the same connection, which nobody asked for.

    It is the same answer again, or with another ``status`` an error without a body.
    """

    seconds: Seconds = 0.0
    status: Annotated[int, Meta(ge=200, le=599)] = 202


Error: TypeAlias = Status | RateLimit | TokenExpired | Cosmos | Outage
Silence: TypeAlias = Hang | Vanish | ResetBefore | ResetAfter
BrokenBody: TypeAlias = SlowBody | StalledBody | CutResponse | HugeBody
CallFault: TypeAlias = Error | Redirect | Silence | Slow | BrokenBody | InvalidJson | OddAnswer | Stray
Fault: TypeAlias = CallFault | ResetUnread | Refuse

KINDS: tuple[str, ...] = tuple(str(kind.__struct_config__.tag) for kind in get_args(Fault))


def kind_of(fault: Window) -> str:
    """The name that a scenario and the journal have for it."""
    return str(fault.__struct_config__.tag)
