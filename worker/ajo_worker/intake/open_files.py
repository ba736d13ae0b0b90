"""Room for connections, and a line of log where the system allows too little."""

import structlog
from ajo_producers.entrance import open_files

log = structlog.get_logger("ajo_worker.intake")


def allow_open_files(connections: int, setting: str) -> None:
    """Raise this process's limit of open files as far as needed and allowed, and say so if that is too little.

    ``setting`` is the variable that says how many connections there may be.
    """
    if (short := open_files.allow_open_files(connections)) is not None:
        allowed, needed = short
        log.warning("too-few-open-files", allowed=allowed, needed=needed, do=f"raise ulimit -n, or lower {setting}")
