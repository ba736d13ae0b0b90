"""The request of a trigger: where it goes, and what it says. Pure."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import msgspec
from ajo_producers.campaigns.definition import Definition
from ajo_producers.campaigns.rules import is_allowed
from ajo_producers.contract.trigger import Recipient, Trigger

from ajo_worker.api.answer import Call

_encode = msgspec.json.Encoder().encode


class ForeignHost(ValueError):  # noqa: N818 - says what it found
    """A definition's endpoint is not on the allow-list; credentials never go there."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a campaign's calls go, with the headers that are the same for all of them."""

    url: str
    headers: dict[str, str] = field(repr=False)


def endpoint_of(
    definition: Definition, *, base_url: str | None, allowed_hosts: tuple[str, ...], client_id: str, org_id: str
) -> Endpoint:
    """The endpoint of a definition; ``base_url`` replaces scheme and host, ``org_id`` the organization if not empty.

    Raises:
        ForeignHost: not https, or a host that is not allowed.
    """
    parts = urlsplit(definition.endpoint)
    if base_url:
        base = urlsplit(base_url)
        parts = parts._replace(scheme=base.scheme, netloc=base.netloc, path=base.path.rstrip("/") + parts.path)
    elif not is_allowed(definition.endpoint, allowed_hosts):
        raise ForeignHost(
            f"campaign {definition.name}: the endpoint's host {parts.hostname!r} is not allowed "
            "(https and a host of AJO_ALLOWED_HOSTS)"
        )
    headers = {
        "accept": "application/json",
        "content-type": "application/json",
        "x-api-key": client_id,
        "x-gw-ims-org-id": org_id or definition.organization,
        "x-sandbox-name": definition.sandbox,
    }
    return Endpoint(urlunsplit(parts), headers)


def body_of(definition: Definition, trigger: Trigger) -> bytes:
    """The body of every attempt for a trigger."""
    return _encode(
        {
            "requestId": str(trigger.request_id),
            "campaignId": definition.campaign_id,
            "recipients": [_recipient(definition, recipient) for recipient in trigger.recipients],
        }
    )


def call_of(endpoint: Endpoint, body: bytes, token: str) -> Call:
    """One attempt's call. ``x-request-id`` is the gateway's own and never sent."""
    return Call(endpoint.url, {**endpoint.headers, "authorization": f"Bearer {token}"}, body)


def _recipient(definition: Definition, recipient: Recipient) -> dict[str, Any]:
    one: dict[str, Any] = {
        "type": definition.recipient_type,
        "userId": recipient.user_id,
        "namespace": definition.namespace,
    }
    personal = {
        "channelData": recipient.channel_data,
        "profile": recipient.profile,
        "context": recipient.context,
    }
    policy = {"mergePolicyName": definition.merge_policy_name, "mergePolicySchema": definition.merge_policy_schema}
    return one | {name: value for name, value in (policy | personal).items() if value}
