"""Room for connections, and a line of log where the system allows too little."""

import structlog
from ajo_producers.entrance import open_files

log = structlog.get_logger("ajo_worker.intake")

LEAST_SHARE = 4
"""Where hardly any files are allowed at all, one in so many is for these connections."""
LEAST_FILES = 64
"""Some 25 of a worker's own, and the ledger's 15 connections; with 45 it sent what it could not record."""


def allow_open_files(connections: int, setting: str) -> int:
    """Raise this process's limit of open files as far as needed and allowed; how many connections there is room for.

    If that is fewer, the log says so; ``setting`` is the variable that says how many there may be. More would take
    what the ledger needs: calls that are answered, and whose outcomes nobody can record.
    """
    if (short := open_files.allow_open_files(connections)) is None:
        return connections
    allowed, needed = short
    room = max(allowed - open_files.OTHERS, allowed // LEAST_SHARE, 1)
    log.warning(
        "too-few-open-files", allowed=allowed, needed=needed, room=room, do=f"raise ulimit -n, or lower {setting}"
    )
    return room


def too_few_open_files() -> str | None:
    """Why a worker can't start with as few open files as are allowed; None if it can."""
    short = open_files.allow_open_files(LEAST_FILES - open_files.OTHERS)
    return f"only {short[0]} open files are allowed: a worker needs {LEAST_FILES}; raise ulimit -n" if short else None
