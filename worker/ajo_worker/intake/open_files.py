"""Room for a connection to each attempt in flight, or to each sender of feedback."""

import structlog

log = structlog.get_logger("ajo_worker.intake")

OTHERS = 200
"""Files that are open beside these connections, at most: broker, ledger, libraries."""


def allow_open_files(connections: int, setting: str) -> None:
    """Raise this process's limit of open files as far as needed and allowed, and say so if that is too little.

    ``setting`` is the variable that says how many connections there may be.
    """
    try:
        import resource  # noqa: PLC0415 - there is none for Windows
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = connections + OTHERS
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    allowed = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < needed:
        log.warning("too-few-open-files", allowed=allowed, needed=needed, do=f"raise ulimit -n, or lower {setting}")
