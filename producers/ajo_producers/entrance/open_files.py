"""Room for a connection to each attempt in flight, or to each sender of requests."""

OTHERS = 200
"""Files that are open beside these connections, at most: broker, ledger, libraries."""


def allow_open_files(connections: int) -> tuple[int, int] | None:
    """Raise this process's limit of open files as far as needed and allowed.

    Returns how many are allowed and how many are needed, if that is too little; else None.
    """
    try:
        import resource  # noqa: PLC0415 - there is none for Windows
    except ImportError:
        return None
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = connections + OTHERS
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return None
    allowed = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return (allowed, needed) if allowed < needed else None
