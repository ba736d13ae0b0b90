"""The way to an endpoint, through a proxy or direct: it is gone once, and judged step by step."""

import ssl
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from ajo_worker.doctor.bounds import HANGS, bounded
from ajo_worker.doctor.check import Check, failed, ok, skipped, warning
from ajo_worker.doctor.clocks import Offset, offset_of_date
from ajo_worker.doctor.settings import Readable, unread
from ajo_worker.network.destination import Destination
from ajo_worker.network.reasons import reason_of
from ajo_worker.network.way import STEPS, Step, Way, explore
from ajo_worker.settings.proxies import Proxies, Route, proxies
from ajo_worker.settings.source import SettingsError

PROXY = "proxy"


def find_ways(readable: Readable) -> Proxies | Check:
    """What settings and environment say; a check that failed or was skipped if that can't be used."""
    if wrong := readable.wrong_of("proxy"):
        return unread(PROXY, wrong)
    try:
        return proxies(readable.settings)
    except SettingsError as bad:
        return failed(
            PROXY, str(bad), "correct it, or say AJO_PROXY=none to go direct: a worker refuses to start with it"
        )


def judge_ways(found: Iterable[Destination]) -> Check:
    """Which way each of them is reached. Pure."""
    by_way: dict[str, list[str]] = {}
    for one in found:
        by_way.setdefault(str(one.route), []).append(one.endpoint)
    told = [f"{way}: {', '.join(dict.fromkeys(endpoints))}" for way, endpoints in by_way.items()]
    return ok(PROXY, "; ".join(told)) if told else skipped(PROXY, "no address says where calls go")


CHECKS: dict[Step, str] = {"dns": "dns", "connect": "connect", "tls": "tls", "first_byte": "health"}
"""What the check of a step is called."""
FEW_DAYS = 14
"""Days to the certificate's end from which on somebody should know."""
ADVICE_OF_TLS = {
    "expired": "the endpoint's certificate must be renewed; or this machine's clock is wrong: see clocks",
    "not yet valid": "this machine's clock is wrong: see clocks",
    "mismatch": "another host answers: correct the definition's endpoint or AJO_BASE_URL, and look at the DNS",
    "": "its authority is unknown here: AJO_CA_FILE names more of them; does a proxy of your network break TLS up?",
}
"""By what the reason holds; the first that fits."""


def judge_way(destination: Destination, way: Way, seconds: float, now: datetime, *, with_token: bool) -> list[Check]:
    """A check for each step, each of which had ``seconds``; what follows one that failed is skipped."""
    names = {step: f"{check} {destination.name}" for step, check in CHECKS.items()}
    checks: list[Check] = []
    proxy = destination.route.proxy
    for step, check in names.items():
        if way.failed == step and way.fault is not None:
            checks.append(judge_fault(check, step, way.fault, seconds, destination.route))
        elif step == "tls" and not destination.secure and "connect" in way.took:
            checks.append(skipped(check, "plain http, which is for this machine alone"))
        elif step not in way.took:
            checks.append(skipped(check, _missing(step, way)))
        elif step == "dns":
            whose = f"the proxy {proxy}: " if proxy else ""
            checks.append(ok(check, whose + ", ".join(sorted(way.addresses))))
        elif step == "connect":
            how = f"a tunnel through the proxy {proxy}" if proxy else f"port {destination.port}"
            checks.append(ok(check, f"{how} after {way.took[step]:.3f} s"))
        elif step == "tls" and way.certificate_expires_at is not None:
            left = (way.certificate_expires_at - now).total_seconds()
            checks.append(judge_certificate(check, way.tls_version, left))
        elif way.answer is not None:
            checks.append(judge_health(check, way.answer.status, way.answer.seconds, with_token=with_token))
    return checks


def judge_fault(check: str, step: Step, fault: OSError, seconds: float, route: Route) -> Check:
    """Why a step failed; one that met our own time limit has no number of the operating system's."""
    if route.proxy and step in {"dns", "connect"}:
        timed_out = isinstance(fault, TimeoutError) and not fault.errno
        why = f"no answer within {seconds:g} s" if timed_out else reason_of(fault).removeprefix("proxy: ")
        return failed(
            check,
            f"the proxy {route.proxy}: {why}",
            f"correct {route.because}, with user and password; look at the proxy's log; or except the host in NO_PROXY",
        )
    if isinstance(fault, TimeoutError) and not fault.errno:
        return failed(check, f"no answer within {seconds:g} s", HANGS)
    match step:
        case "dns" | "connect":
            return judge_connection(check, fault)
        case "tls":
            return judge_handshake(check, fault)
    return failed(check, f"no answer: {reason_of(fault)}", "the service or a gateway broke it off")


def _missing(step: Step, way: Way) -> str:
    if way.failed is not None:
        return f"see {CHECKS[way.failed]}"
    return "see certificate authorities" if step == "tls" else "see tls"


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


class Visited(NamedTuple):
    """What was found on the way, and the endpoint's clock if it told the time."""

    checks: list[Check]
    offset: Offset | None = None


async def visit(destination: Destination, tls: ssl.SSLContext | None, token: str | None, seconds: float) -> Visited:
    """Go the way; where a step fails, those after it are skipped. Each step has ``seconds``."""
    headers = destination.headers | ({"authorization": f"Bearer {token}"} if token else {})
    way = await bounded(
        f"dns {destination.name}", (len(STEPS) + 1) * seconds, explore(destination, tls, seconds, headers)
    )
    if isinstance(way, Check):
        return Visited([way])
    checks = judge_way(destination, way, seconds, datetime.now(UTC), with_token=token is not None)
    if (answer := way.answer) is None:
        return Visited(checks)
    return Visited(checks, offset_of_date(destination.name, answer.date, answer.asked, answer.answered))
