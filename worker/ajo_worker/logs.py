"""Logs: structlog's events and the libraries' records in one form, to standard error."""

import logging
import os
import queue
import sys
import threading
from contextlib import suppress
from logging.handlers import QueueHandler
from typing import TextIO

import structlog

MOST_WAITING = 10_000
"""Lines that wait for whoever reads them; further ones are dropped."""
FAREWELL_SECONDS = 2.0
"""For which they are waited for at the end."""


class Aside(QueueHandler):
    """Has another thread write the lines: a log driver that stands still must not keep the worker from its work.

    What can't be written is dropped, and counted before the next line that can. The thread holds no lock while it
    writes, which somebody could wait for at the end.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._dropped = 0
        self._start()
        super().__init__(self._lines)
        os.register_at_fork(after_in_child=self._start)

    def enqueue(self, record: logging.LogRecord) -> None:
        """Called by ``logging``, with its lock."""
        try:
            if self._dropped:
                told = f"log-lines-dropped: {self._dropped:,}"
                self._lines.put_nowait(
                    self.prepare(logging.LogRecord(__name__, logging.WARNING, "", 0, told, None, None))
                )
                self._dropped = 0
            self._lines.put_nowait(record)
        except queue.Full:
            self._dropped += 1

    def close(self) -> None:
        """Have what waits written, unless nobody reads it."""
        with suppress(queue.Full):
            self._lines.put_nowait(None)
            self._thread.join(FAREWELL_SECONDS)
        super().close()

    def _start(self) -> None:
        """Also in a fork, which has no threads but its own, and perhaps a lock that one of them held."""
        self._lines: queue.Queue[logging.LogRecord | None] = queue.Queue(MOST_WAITING)
        self._thread = threading.Thread(target=self._write, name="logs", daemon=True)
        self._thread.start()

    def _write(self) -> None:
        lines = self._lines
        while (record := lines.get()) is not None:
            with suppress(Exception):  # nobody is there any more, or there is no memory: the next line may be luckier
                self._put(f"{record.getMessage()}\n")

    def _put(self, line: str) -> None:
        try:
            descriptor = self._stream.fileno()
        except OSError:  # in memory
            self._stream.write(line)
            return
        rest = line.encode(errors="backslashreplace")
        while rest:
            rest = rest[os.write(descriptor, rest) :]


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
    handler = Aside(sys.stderr)
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
