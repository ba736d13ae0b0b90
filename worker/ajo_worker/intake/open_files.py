"""Room for a connection to each attempt in flight."""

import structlog

log = structlog.get_logger("ajo_worker.intake")

OTHERS = 200
"""Files that a worker has open beside its attempts' connections, at most: broker, ledger, libraries."""


def allow_open_files(attempts: int) -> None:
    """Raise this process's limit of open files as far as needed and allowed, and say so if that is too little."""
    try:
        import resource  # noqa: PLC0415 - there is none for Windows
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = attempts + OTHERS
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    allowed = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < needed:
        log.warning(
            "too-few-open-files", allowed=allowed, needed=needed, do="raise ulimit -n, or lower AJO_MAX_IN_FLIGHT"
        )
