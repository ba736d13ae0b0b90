"""What the documented API refuses, in both shapes of an error. Pure; from Adobe's OpenAPI description and guides."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

MOST_RECIPIENTS = 20
MOST_CONTEXT_BYTES = 200_000
REQUIRED_HEADERS = ("x-gw-ims-org-id", "x-sandbox-name")


@dataclass(frozen=True, slots=True)
class Problem:
    """An error answer; ``title`` is what its body says was wrong."""

    status: int
    body: bytes
    title: str


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a message is for; feedback names them. ``address`` is for e-mail."""

    namespace: str
    user_id: str = field(repr=False)
    address: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Execution:
    """A valid request, as far as the simulator cares."""

    request_id: str
    campaign_id: str
    recipients: tuple[Recipient, ...]
    body: str = field(default="", repr=False, compare=False)


def service_error(
    status: int, title: str, code: str | None = None, context: Mapping[str, str] | None = None
) -> Problem:
    """The service's shape of an error, with whatever more it tells as ``context``."""
    kind = f"https://ns.adobe.com/aep/errors/{code or f'CJMRT-000001-{status}'}"
    document = {"type": kind, "title": title, "status": status, "report": {"additionalContext": context or {}}}
    return Problem(status, msgspec.json.encode(document), title)


def gateway_error(status: int, code: str, message: str) -> Problem:
    """The gateway's shape of an error."""
    return Problem(status, msgspec.json.encode({"error_code": code, "message": message}), message)


def check_headers(headers: Mapping[str, str], *, token_is_valid: bool) -> Problem | None:
    """What is refused of an execution's headers; ``headers`` by lower-case or case-insensitive names."""
    if flaw := check_caller(headers, token_is_valid=token_is_valid):
        return flaw
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return service_error(415, "Content-Type must be application/json")
    return None


def check_caller(headers: Mapping[str, str], *, token_is_valid: bool) -> Problem | None:
    """What the gateway refuses; ``headers`` by lower-case or case-insensitive names."""
    if not headers.get("authorization", "").startswith("Bearer "):
        return gateway_error(403, "403010", "Oauth token is missing")
    if not token_is_valid:
        return gateway_error(401, "401013", "Oauth token is not valid")
    if not headers.get("x-api-key"):
        return gateway_error(403, "403000", "Api Key is required")
    for name in REQUIRED_HEADERS:
        if not headers.get(name):
            return gateway_error(400, "400003", f"{name} header is missing")
    if "x-request-id" in headers:
        return gateway_error(400, "400000", "x-request-id is set by the gateway")
    return None


def check_body(body: bytes, *, high_throughput: bool) -> Execution | Problem:
    """A valid request, or what the service refuses of it."""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return service_error(400, "the body is not JSON")
    if not isinstance(document, dict):
        return service_error(400, "the body is not an object")
    request_id, campaign_id, recipients = (document.get(name) for name in ("requestId", "campaignId", "recipients"))
    if not isinstance(request_id, str) or not request_id:
        return service_error(400, "requestId is required")
    if not isinstance(campaign_id, str) or not campaign_id:
        return service_error(400, "campaignId is required")
    if not isinstance(recipients, list) or not 1 <= len(recipients) <= MOST_RECIPIENTS:
        return service_error(400, f"recipients must hold 1 to {MOST_RECIPIENTS} items")
    if flaw := next((flaw for one in recipients if (flaw := _flaw(one, high_throughput=high_throughput))), None):
        return service_error(400, flaw)
    if len({one["userId"] for one in recipients}) < len(recipients):
        return service_error(400, "userId must be unique")
    if len({one["namespace"] for one in recipients}) > 1:
        return service_error(400, "recipients must have one namespace")
    return Execution(request_id, campaign_id, tuple(map(_recipient, recipients)), body.decode())


def _flaw(recipient: Any, *, high_throughput: bool) -> str | None:  # noqa: ANN401 - whatever JSON holds
    if not isinstance(recipient, dict):
        return "a recipient must be an object"
    for name in ("type", "userId", "namespace"):
        if not isinstance(recipient.get(name), str) or not recipient[name]:
            return f"recipients.{name} is required"
    if recipient["type"] not in {"aep", "external"}:
        return "recipients.type must be aep or external"
    if high_throughput and recipient["type"] != "external":
        return "high throughput takes recipients of type external only"
    if high_throughput and recipient.get("profile"):
        return "high throughput takes no profile"
    context = recipient.get("context") or {}
    if not isinstance(context, dict):
        return "recipients.context must be an object"
    if "system" in context:
        return "context.system is reserved"
    if len(msgspec.json.encode(context)) > MOST_CONTEXT_BYTES:
        return "recipients.context is larger than 200 kB"
    return None


def _recipient(recipient: dict[str, Any]) -> Recipient:
    """A recipient that has no flaw; an id in the namespace email is the address, unless there is another."""
    namespace, user_id, channels = recipient["namespace"], recipient["userId"], recipient.get("channelData")
    address = channels.get("emailAddress") if isinstance(channels, dict) else None
    if not isinstance(address, str) or not address:
        address = user_id if namespace.lower() == "email" else None
    return Recipient(namespace, user_id, address)
