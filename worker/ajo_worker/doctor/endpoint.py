"""The endpoints: which there are, and what each step on the way to one says. Pure; ``endpoint_wire`` goes the way."""

import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ajo_worker.api.request import Endpoint, ForeignHost
from ajo_worker.doctor.check import Check, failed, ok, skipped, warning
from ajo_worker.doctor.reasons import reason_of

HEALTH = "/ajo/im/health"
API = "/ajo/im/"
STEPS = ("dns", "connect", "tls", "health")
FEW_DAYS = 14
"""Days to the certificate's end from which on somebody should know."""
ADVICE_OF_TLS = {
    "expired": "the endpoint's certificate must be renewed; or this machine's clock is wrong: see clocks",
    "not yet valid": "this machine's clock is wrong: see clocks",
    "mismatch": "another host answers: correct the definition's endpoint or AJO_BASE_URL, and look at the DNS",
    "": "its authority is unknown here: AJO_CA_FILE names more of them; does a proxy of your network break TLS up?",
}
"""By what the reason holds; the first that fits."""


@dataclass(frozen=True)
class Destination:
    """A host that attempts go to, with a call that harms nothing: its health, asked with a campaign's headers."""

    name: str
    host: str
    port: int
    secure: bool
    health_url: str
    headers: dict[str, str] = field(repr=False)

    def check(self, step: str) -> str:
        """The name of a step's check."""
        return f"{step} {self.name}"


def destinations(endpoints: Iterable[Endpoint | ForeignHost], base_url: str | None) -> list[Destination]:
    """Each host once, with the headers of the first campaign that goes there; ``base_url`` even without a campaign."""
    known = [endpoint for endpoint in endpoints if isinstance(endpoint, Endpoint)]
    if base_url and not known:
        known = [Endpoint(base_url.rstrip("/") + API, {})]
    found: dict[str, Destination] = {}
    for endpoint in known:
        parts = urlsplit(endpoint.url)
        prefix = parts.path.partition(API)[0] if API in parts.path else ""
        found.setdefault(
            parts.netloc,
            Destination(
                name=parts.netloc,
                host=parts.hostname or "",
                port=parts.port or (443 if parts.scheme == "https" else 80),
                secure=parts.scheme == "https",
                health_url=f"{parts.scheme}://{parts.netloc}{prefix}{HEALTH}",
                headers={name: value for name, value in endpoint.headers.items() if name != "content-type"},
            ),
        )
    return list(found.values())


def judge_connection(check: str, fault: OSError) -> Check:
    """Why a name was not found, or a connection not made."""
    return failed(
        check, reason_of(fault), "correct the definition's endpoint or AJO_BASE_URL; look at DNS, routes and firewalls"
    )


def judge_handshake(check: str, fault: OSError) -> Check:
    """Why TLS failed."""
    why = reason_of(fault)
    if not isinstance(fault, ssl.SSLCertVerificationError):
        return failed(check, why, "is this the port of an HTTPS server? A firewall may break the handshake, too")
    return failed(check, why, next(advice for part, advice in ADVICE_OF_TLS.items() if part in why.lower()))


def judge_certificate(check: str, version: str | None, seconds_left: float) -> Check:
    """Whether the certificate soon ends."""
    days = int(seconds_left // 86_400)
    found = f"{version or 'TLS'}, the certificate ends in {days} days"
    if days < FEW_DAYS:
        return warning(check, found, "have it renewed: from its end on nothing can be sent")
    return ok(check, found)


def judge_health(check: str, status: int, took: float, *, with_token: bool) -> Check:
    """Whether the service is up and takes our credentials; ``took`` in seconds."""
    found = f"status {status} after {took:.3f} s{'' if with_token else ', asked without a token'}"
    match status:
        case _ if 200 <= status < 300:  # noqa: PLR2004 - HTTP's class of success
            return ok(check, found)
        case 401 | 403 if not with_token:
            return skipped(check, f"{found}: see token")
        case 401 | 403:
            advice = "do AJO_CLIENT_ID, AJO_SCOPES and the organization belong together, and has the project this API?"
        case 404:
            advice = "is this Journey Optimizer's host? Correct the definition's endpoint or AJO_BASE_URL"
        case 429:
            return warning(check, found, "the gateway limits the rate now: ask again later")
        case _ if status >= 500:  # noqa: PLR2004 - HTTP's class of the server's faults
            advice = "the service itself is at fault: workers retry; look at Adobe's status page"
        case _:
            advice = "a gateway in between answers otherwise than Journey Optimizer does"
    return failed(check, found, advice)
