"""Which way calls to Adobe take: through a proxy, or direct; as ``AJO_PROXY`` and the usual variables say. Pure.

A proxy makes a tunnel (CONNECT, RFC 9110, 9.3.6), to plain endpoints too: until that stands, nothing was sent to Adobe.
"""

import os
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

from ajo_producers.contract.authority import authority

from ajo_worker.settings.source import SettingsError

if TYPE_CHECKING:
    from ajo_worker.settings import Settings

SETTING = "AJO_PROXY"
NONE = "none"
"""What the setting says to go direct, whatever other variables say."""
USUAL = {"https": ("https_proxy", "HTTPS_PROXY"), "http": ("http_proxy", "HTTP_PROXY")}
"""By the scheme of a call; the first that is set. Most programs know these."""
EXCEPT = ("no_proxy", "NO_PROXY")
FORM = "must be http://[USER:PASSWORD@]HOST[:PORT]; in user and password percent-encode whatever is no letter or digit"
DEFAULT_PORT = 80
HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+")


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy; ``authorization`` is what its header ``Proxy-Authorization`` must hold, if any."""

    host: str
    port: int
    user: str | None = field(default=None, repr=False)
    password: str = field(default="", repr=False)

    @property
    def authorization(self) -> str | None:
        """Of RFC 7617, in UTF-8."""
        if self.user is None:
            return None
        return "Basic " + b64encode(f"{self.user}:{self.password}".encode()).decode("ascii")

    def __str__(self) -> str:
        """Host and port alone: user and password are never shown."""
        return authority(self.host, self.port)


class Route(NamedTuple):
    """The way to an endpoint: through ``proxy``, or direct; ``because`` of that variable, if any says so."""

    proxy: Proxy | None
    because: str | None = None

    def __str__(self) -> str:
        """For people."""
        reason = f" ({self.because})" if self.because else ""
        return f"through the proxy {self.proxy}{reason}" if self.proxy else f"direct{reason}"


DIRECT = Route(None)


@dataclass(frozen=True, slots=True)
class Proxies:
    """What the environment says of proxies: a proxy, and the variable that names it, by scheme."""

    by_scheme: Mapping[str, Route]
    exceptions: tuple[str, ...] = ()
    exceptions_of: str = EXCEPT[-1]

    def route(self, url: str) -> Route:
        """The way to a URL's host."""
        parts = urlsplit(url)
        found = self.by_scheme.get(parts.scheme, DIRECT)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        if found.proxy is not None and is_excepted(parts.hostname or "", port, self.exceptions):
            return Route(None, self.exceptions_of)
        return found

    @property
    def any(self) -> bool:
        """Whether there is a proxy at all."""
        return any(route.proxy for route in self.by_scheme.values())


def proxies(settings: "Settings") -> Proxies:
    """What the settings and this process's environment say.

    Raises:
        SettingsError: see ``proxies_of``.
    """
    return proxies_of(settings.proxy.get_secret_value(), os.environ)


def proxies_of(setting: str, environment: Mapping[str, str]) -> Proxies:
    """What the setting says, or else the usual variables, with their exceptions.

    Raises:
        SettingsError: a proxy can't be used; nothing of it is quoted.
    """
    if setting.lower() == NONE:
        return Proxies(dict.fromkeys(USUAL, Route(None, SETTING)))
    excepted = _first(EXCEPT, environment)
    exceptions = tuple(word for word in re.split(r"[\s,]+", excepted[1].lower()) if word)
    if setting:
        return Proxies(dict.fromkeys(USUAL, Route(read_proxy(setting, SETTING), SETTING)), exceptions, excepted[0])
    found = {scheme: _first(names, environment) for scheme, names in USUAL.items()}
    return Proxies(
        {scheme: Route(read_proxy(value, name), name) for scheme, (name, value) in found.items() if value},
        exceptions,
        excepted[0],
    )


def read_proxy(value: str, variable: str) -> Proxy:
    """The proxy that a variable names.

    Raises:
        SettingsError: it can't be used; nothing of it is quoted.
    """
    try:
        parts = urlsplit(value if "://" in value else f"http://{value}")
        port = parts.port or DEFAULT_PORT
    except ValueError:
        raise SettingsError(f"{variable}: {FORM}") from None
    if parts.scheme != "http":
        raise SettingsError(f"{variable}: {FORM}. Proxies over https:// or socks5:// are not supported")
    rest = parts.path.strip("/") or parts.query or parts.fragment or "@" in (parts.hostname or "")
    if rest or not parts.hostname or not HOST.fullmatch(parts.hostname):
        raise SettingsError(f"{variable}: {FORM}")
    user = None if parts.username is None else unquote(parts.username)
    if ":" in (user or "") or any(ord(sign) < ord(" ") for sign in (user or "") + unquote(parts.password or "")):
        raise SettingsError(f"{variable}: a user may have no colon, and neither user nor password control characters")
    return Proxy(parts.hostname, port, user, unquote(parts.password or ""))


def is_excepted(host: str, port: int, exceptions: tuple[str, ...]) -> bool:
    """Whether ``NO_PROXY`` excepts a host: ``*``, a name with all below it, an address, a network; each with a port."""
    return any(_excepts(word, host.lower(), port) for word in exceptions)


def _excepts(word: str, host: str, port: int) -> bool:
    if word == "*":
        return True
    bare, colon, its_port = word.rpartition(":")
    if colon and its_port.isdigit() and (":" not in bare or bare.endswith("]")):
        if int(its_port) != port:
            return False
        word = bare
    word = word.strip("[]")
    try:
        address = ip_address(host)
    except ValueError:
        name = word.removeprefix("*").removeprefix(".")
        return bool(name) and (host == name or host.endswith(f".{name}"))
    try:
        return address in ip_network(word, strict=False)
    except ValueError:
        return False


def _first(names: tuple[str, ...], environment: Mapping[str, str]) -> tuple[str, str]:
    """The first of these variables that is set, and its value; the last of them and nothing if none is."""
    return next(((name, value) for name in names if (value := environment.get(name, "").strip())), (names[-1], ""))
