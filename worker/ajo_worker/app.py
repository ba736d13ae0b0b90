"""A worker's Celery application: ``celery -A ajo_worker.app worker`` starts a worker with all that it needs."""

import errno
import sys
from types import TracebackType

from celery.signals import setup_logging

from ajo_worker.intake.application import make_app
from ajo_worker.logs import configure_logs
from ajo_worker.settings import settings
from ajo_worker.settings.source import SettingsError


@setup_logging.connect  # type: ignore[untyped-decorator] # Celery ships no types
def _set_up_logs(**_: object) -> None:
    configure_logs(settings().log_level, settings().log_format)


def _tell(kind: type[BaseException], fault: BaseException, trace: TracebackType | None) -> None:
    """What ends a program of Celery's, such as Flower: a person's mistake in a line, a fault with its traceback."""
    if isinstance(fault, OSError):
        taken = "another program listens there already: give another --port"
        sys.stderr.write(f"error: {taken if fault.errno == errno.EADDRINUSE else fault}\n")
    else:
        sys.__excepthook__(kind, fault, trace)


sys.excepthook = _tell
try:
    app = make_app(settings())
except SettingsError as bad:  # Celery would show the way to it as well
    sys.stderr.write(f"error: {bad}\n")
    sys.exit(2)
