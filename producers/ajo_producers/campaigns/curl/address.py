"""Where a sample's call goes to, and for whom: URL and headers."""

from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from ajo_producers.campaigns.curl.options import Command, Header
from ajo_producers.campaigns.curl.problem import Problem, Word, shown
from ajo_producers.campaigns.rules import ALLOWED_HOSTS, IDENTIFIER, LANE_OF_PATH, is_allowed
from ajo_producers.contract.lanes import Lane

AUDIENCE = "/ajo/im/executions/audience"
HTTPS = 443

SECRETS = {
    "authorization": "the bearer token (header Authorization)",
    "x-api-key": "the API key (header x-api-key)",
    "cookie": "the cookies (header Cookie)",
    "proxy-authorization": "the proxy's credentials (header Proxy-Authorization)",
}
"""Headers whose values are nobody's business; workers have credentials of their own."""

SENT_ANYWAY = {"content-type", "accept"}
NEEDED = {"x-gw-ims-org-id": "organization", "x-sandbox-name": "sandbox"}


class Address(NamedTuple):
    """What URL and headers say; ``dropped`` names what is not kept."""

    endpoint: str
    lane: Lane
    organization: str
    sandbox: str
    dropped: list[str]


def read_address(command: Command, problems: list[Problem]) -> Address:
    """Read method, URL and headers; what is wrong goes to ``problems``, and stands as empty text in the address."""
    if command.method.text.upper() != "POST":
        method = shown(command.method.text)
        problems.append(Problem(f"the method is {method}; a campaign is executed with POST", command.method.line))
    endpoint, lane = _read_url(command.url, problems)
    found, dropped = _read_headers(command.headers, problems)
    problems += [Problem(f"the header {name} is missing") for name in NEEDED if name not in found]
    return Address(endpoint, lane, found.get("x-gw-ims-org-id", ""), found.get("x-sandbox-name", ""), dropped)


def _read_url(url: Word, problems: list[Problem]) -> tuple[str, Lane]:
    flaw: str | None
    try:
        parts = urlsplit(url.text)
        host, flaw = (parts.hostname or "").lower(), _url_flaw(parts)
    except ValueError:
        flaw = "the URL can't be read"
    if flaw:
        problems.append(Problem(flaw, url.line))
        return "", "standard"
    path = parts.path.rstrip("/")
    if path == AUDIENCE:
        problems.append(Problem("campaigns to an audience (…/executions/audience) can't be imported yet", url.line))
    elif path not in LANE_OF_PATH:
        known = ", ".join(LANE_OF_PATH)
        problems.append(Problem(f"the URL's path executes no campaign; known paths: {known}", url.line))
    return f"https://{host}{path}", LANE_OF_PATH.get(path, "standard")


def _url_flaw(parts: SplitResult) -> str | None:
    host = (parts.hostname or "").lower()
    if parts.username is not None:
        return "the URL holds credentials"
    if parts.scheme != "https":
        return "the URL must begin with https://"
    if not is_allowed(f"https://{host}", ALLOWED_HOSTS):
        labels = ".".join(map(shown, host.split(".")))
        return f"the host {labels} is not Adobe's: {' or '.join(ALLOWED_HOSTS)}"
    if parts.port not in (None, HTTPS):
        return "the URL names a port"
    if parts.query or parts.fragment:
        return "the URL has a query or fragment, which campaign executions don't take"
    return None


def _read_headers(headers: list[Header], problems: list[Problem]) -> tuple[dict[str, str], list[str]]:
    found: dict[str, str] = {}
    dropped: dict[str, None] = {}
    for name, value, line in headers:
        if name in SECRETS:
            dropped[SECRETS[name]] = None
        elif name in NEEDED:
            if not IDENTIFIER.fullmatch(value):
                problems.append(Problem(f"the header {name} holds a placeholder; write your {NEEDED[name]}", line))
            if found.setdefault(name, value) != value:
                problems.append(Problem(f"the header {name} is given twice, with different values", line))
        elif name == "content-type" and "json" not in value.lower():
            problems.append(Problem("the header content-type must be application/json", line))
        elif name not in SENT_ANYWAY:
            dropped[f"the header {shown(name)}, which ajo-dispatch doesn't send"] = None
    return found, list(dropped)
