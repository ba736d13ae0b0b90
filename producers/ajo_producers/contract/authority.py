"""Host and port as URLs have them. Pure."""


def authority(host: str, port: int | None = None) -> str:
    """``HOST:PORT``, or the host alone; an IPv6 address stands in brackets (RFC 3986, 3.2.2)."""
    shown = f"[{host}]" if ":" in host else host
    return f"{shown}:{port}" if port else shown
