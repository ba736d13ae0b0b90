"""Where ways lead to: the hosts of attempts and of the token, each with a call that harms nothing. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal
from urllib.parse import urlsplit

from ajo_producers.contract.authority import authority

from ajo_worker.api.request import Endpoint, ForeignHost
from ajo_worker.settings.proxies import DIRECT, Proxies, Route

HEALTH = "/ajo/im/health"
API = "/ajo/im/"


@dataclass(frozen=True)
class Destination:
    """A host, and what is asked there; ``campaigns`` are those whose attempts go there."""

    name: str
    host: str
    port: int
    secure: bool
    target: str
    method: Literal["GET", "HEAD"] = "GET"
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    campaigns: tuple[str, ...] = ()
    route: Route = DIRECT

    @property
    def endpoint(self) -> str:
        """Host and port, as the ledger has them."""
        return authority(self.host, self.port)


def destinations(endpoints: Mapping[str, Endpoint | ForeignHost], base_url: str | None) -> list[Destination]:
    """Each host of campaigns once, to be asked for its health, and how the first campaign that goes there would ask.

    ``endpoints`` are by campaign; ``base_url`` is a destination even without a campaign.
    """
    known = {name: endpoint for name, endpoint in endpoints.items() if isinstance(endpoint, Endpoint)}
    hosts: dict[str, list[str]] = {}
    for name, endpoint in known.items():
        hosts.setdefault(urlsplit(endpoint.url).netloc, []).append(name)
    found = [_of_campaigns(known[names[0]], tuple(names)) for names in hosts.values()]
    return found or ([_of_campaigns(Endpoint(base_url.rstrip("/") + API, {}), ())] if base_url else [])


def token_destination(token_url: str) -> Destination:
    """The token endpoint's host, asked for its root: nothing that counts as a request for a token."""
    return _destination(token_url, "/", "HEAD")


def routed(found: Iterable[Destination], proxies: Proxies) -> list[Destination]:
    """The same destinations, each with the way that calls to it take."""
    return [replace(one, route=proxies.route(f"{'https' if one.secure else 'http'}://{one.endpoint}")) for one in found]


def _of_campaigns(endpoint: Endpoint, campaigns: tuple[str, ...]) -> Destination:
    path = urlsplit(endpoint.url).path
    prefix = path.partition(API)[0] if API in path else ""
    headers = {name: value for name, value in endpoint.headers.items() if name != "content-type"}
    return _destination(endpoint.url, f"{prefix}{HEALTH}", "GET", headers, campaigns)


def _destination(
    url: str,
    target: str,
    method: Literal["GET", "HEAD"],
    headers: dict[str, str] | None = None,
    campaigns: tuple[str, ...] = (),
) -> Destination:
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    return Destination(parts.netloc, parts.hostname or "", port, secure, target, method, headers or {}, campaigns)
