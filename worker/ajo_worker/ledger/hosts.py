"""A database URL that names several hosts: each of them by itself, and which of them will do. Pure.

As libpq has it (PostgreSQL's manual, "Specifying Multiple Hosts"): ``//host1:5432,host2:5432/db``, or ``host`` and
``port`` in the query, comma-separated.
"""

from collections.abc import Mapping
from urllib.parse import SplitResult, parse_qs, quote, unquote, urlsplit

SCHEMES = ("postgres", "postgresql")
FORM = "postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
"""How an address is to be written, for people."""
ATTRIBUTE = "target_session_attrs"
PORT, MOST_PORT = "5432", 65_535


def one_by_one(url: str, environment: Mapping[str, str]) -> list[str]:
    """The URL of each host that ``url`` names, in order; of a single host, ``url`` itself.

    Of several hosts one that takes writes is asked for, unless the URL (or libpq's variable) says otherwise: a worker
    on a standby could do nothing.
    """
    try:
        parts = urlsplit(url)
        hosts = hosts_of(parts)
    except ValueError:  # whoever connects says what is wrong with it
        return [url]
    if is_misread(url, parts) or len(hosts) < 2:  # noqa: PLR2004 - several
        return [url]
    query = [part for part in parts.query.split("&") if part and part.partition("=")[0] not in {"host", "port"}]
    told = ATTRIBUTE in parse_qs(parts.query) or environment.get("PGTARGETSESSIONATTRS")
    query += [] if told else [f"{ATTRIBUTE}=read-write"]
    user = "".join(parts.netloc.rpartition("@")[:2])
    return [_with(parts, user, host, query) for host in hosts]


def is_misread(url: str, parts: SplitResult) -> bool:
    """Whether a part of the password was taken for something else, since it is not percent-encoded."""
    return "@" in parts.path + parts.query or "#" in url


def is_readable(url: str) -> bool:
    """Whether a URL is one of PostgreSQL's, whose parts are what they seem to be."""
    try:
        parts = urlsplit(url)
        ports = [place.rpartition(":")[2] for place in hosts_of(parts) if not place.startswith("/")]
    except ValueError:
        return False
    return (
        parts.scheme in SCHEMES
        and not is_misread(url, parts)
        and all(port.isdecimal() and 0 < int(port) <= MOST_PORT for port in ports)
    )


def hosts_of(parts: SplitResult) -> list[str]:
    """``HOST:PORT`` of each host, or the folder of a Unix socket; empty if the URL names none.

    Raises:
        ValueError: there are neither one port nor as many as hosts.
    """
    netloc, query = parts.netloc.rpartition("@")[2], parse_qs(parts.query)
    named = netloc.split(",") if netloc else query.get("host", [""])[0].split(",")
    ports = query.get("port", [PORT])[0].split(",")
    if len(ports) not in {1, len(named)}:
        raise ValueError("neither one port nor as many as hosts")
    ports *= len(named) // len(ports)
    return [_at(unquote(host), port) for host, port in zip(named, ports, strict=True) if host]


def _at(host: str, port: str) -> str:
    """A colon behind the last bracket is a port's; a bare IPv6 address (of the query) has several."""
    if host.startswith("/") or host.rpartition("]")[2].count(":") == 1:
        return host
    return f"[{host}]:{port}" if ":" in host and not host.startswith("[") else f"{host}:{port}"


def _with(parts: SplitResult, user: str, host: str, query: list[str]) -> str:
    if host.startswith("/"):
        return parts._replace(netloc=user, query="&".join([*query, f"host={quote(host, safe='')}"])).geturl()
    return parts._replace(netloc=f"{user}{host}", query="&".join(query)).geturl()
