"""A campaign definition: what one activated campaign is called with."""

from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from ajo_producers.contract.lanes import Lane

ValueType: TypeAlias = Literal["string", "number", "boolean", "object", "array"]
RecipientType: TypeAlias = Literal["aep", "external"]
Seconds: TypeAlias = Annotated[float, Meta(gt=0, le=3600)]


class Variable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One personalization variable, known by its dotted path.

    A variable with a default is never missing: Adobe doesn't check variables, and a missing one goes out blank.
    """

    type: ValueType = "string"
    required: bool = True
    default: Any | UnsetType = UNSET


class Definition(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One campaign, as its file ``campaigns/NAME.toml`` has it; ``name`` is the file's.

    ``rate_limit`` is in calls a second, ``attempt_timeout`` and ``budget`` in seconds. ``context``, ``profile`` and
    ``channel_data`` map dotted paths to what a recipient must bring there. The merge policy belongs to recipients of
    type ``aep``; without one Journey Optimizer takes its default. ``creates_profiles`` says what was agreed for the
    campaign; nothing but the comparison with Journey Optimizer reads it.
    """

    name: str
    campaign_id: str
    lane: Lane
    endpoint: str
    organization: str
    sandbox: str
    namespace: str
    recipient_type: RecipientType
    merge_policy_name: str | None = None
    merge_policy_schema: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    rate_limit: Annotated[float, Meta(gt=0)] | None = None
    attempt_timeout: Seconds | None = None
    budget: Seconds | None = None
    creates_profiles: bool | None = None
    channel_data: dict[str, Variable] = {}
    profile: dict[str, Variable] = {}
    context: dict[str, Variable] = {}
