"""Logs: structlog's events and the libraries' records in one form, to standard error."""

import logging
import sys

import structlog


class HandledFaults(logging.Filter):
    """Leaves out what Celery tells of each message in hand when a connection breaks, as critical, with a traceback.

    The message comes again, and its copy finds its state in the ledger; that the connection broke is told once.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to log it."""
        return not str(record.msg).startswith(("Couldn't ack", "Couldn't reject"))


def configure_logs(level: str, form: str) -> None:
    """Log from ``level`` on, as JSON (``json``) or as text for people (``console``).

    Celery says "Task received" for each message at INFO: the ledger and our own events say it better, so Celery starts
    at WARNING, but for its own start and stop.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if form == "json" else structlog.dev.ConsoleRenderer()
    )
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(HandledFaults())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("ajo_worker").setLevel(level)
    for name in ("celery.worker", "celery.apps.worker"):
        logging.getLogger(name).setLevel(max(logging.getLevelName(level), logging.INFO))
    logging.getLogger("celery.worker.strategy").setLevel(logging.WARNING)
