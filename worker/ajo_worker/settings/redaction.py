"""What may be shown of a secret: nothing but that it is set; of an address with a password, where it leads to."""

import re
from urllib.parse import urlsplit

from ajo_producers.contract import broker

from ajo_worker.ledger.hosts import SCHEMES as POSTGRES

HIDDEN = "(hidden)"
LEFT_OUT = "…"
SCHEMES = (*broker.SCHEMES, *POSTGRES, "http")
HOST = r"(?:\[[0-9a-f:.]+\]|[\w.%-]*)(?::\d{1,5})?"
HOSTS = re.compile(f"{HOST}(?:,{HOST})*", re.ASCII | re.IGNORECASE)
SHOWN_PARAMETERS = ("host", "port")


def redacted(secret: str) -> str | None:
    """What may be shown of a secret; None if it is empty. Pure.

    Of a broker's or a database's address: scheme, host and path, with ``…`` for what is left out. Whatever else it is,
    it is hidden as a whole; also an address whose password has characters that should be percent-encoded, since its
    parts are not what they seem to be.
    """
    if not secret:
        return None
    try:
        parts = urlsplit(secret)
    except ValueError:
        return HIDDEN
    _, at, hosts = parts.netloc.rpartition("@")
    is_address = secret.lower().startswith(tuple(f"{scheme}://" for scheme in SCHEMES)) and (hosts or parts.path)
    misread = "@" in parts.path + parts.query or "#" in secret or not secret.isprintable()
    if not is_address or misread or not HOSTS.fullmatch(hosts):
        return HIDDEN
    return f"{parts.scheme}://{LEFT_OUT + at if at else ''}{hosts}{parts.path}{_query(parts.query)}"


def _query(query: str) -> str:
    shown = [part if part.partition("=")[0] in SHOWN_PARAMETERS else LEFT_OUT for part in query.split("&")]
    return f"?{'&'.join(dict.fromkeys(shown))}" if query else ""
