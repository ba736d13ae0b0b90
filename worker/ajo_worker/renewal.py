"""What is made of files that may change while a worker runs, with a line of log for each change."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from ajo_producers.entrance import renewal

T = TypeVar("T")


class Renewed(renewal.Renewed[T]):
    """As in ``ajo_producers.entrance.renewal``; ``what`` names it in logs."""

    def __init__(self, what: str, files: Iterable[Path], make: Callable[[], T], first: T | None = None) -> None:
        super().__init__(what, files, make, _tell, first)


def _tell(what: str, fault: str | None) -> None:
    import structlog  # noqa: PLC0415 - commands read the same settings, log nothing, and would start a sixth later

    log = structlog.get_logger("ajo_worker")
    if fault is None:
        log.info("change-taken-up", what=what)
    else:
        log.warning("change-not-taken-up", what=what, reason=fault)
