"""Tells when something comes into lists of Redis or Valkey that were found empty.

Nothing can wait for several lists without popping what comes. But the server tells whoever read a key that somebody
changed it (client-side caching, https://redis.io/docs/latest/develop/reference/client-side-caching/, Redis 6 or later):
their lengths are asked for, and the first push into one of them is told.
"""

import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import structlog
from redis.exceptions import ResponseError

log = structlog.get_logger("ajo_worker.intake")

TOLD = "__redis__:invalidate"
PAUSE = 1.0
"""Seconds after a broken connection until there may be another one."""


class Arrivals:
    """One thread with two connections. Without them, or where a server or its rights don't allow it, nothing is told.

    ``connect`` gives a new connection; ``come`` is called on the thread.
    """

    def __init__(self, connect: Callable[[], Any], come: Callable[[], None]) -> None:
        self._connect = connect
        self._come = come
        self._queues: tuple[str, ...] = ()
        self._thread: threading.Thread | None = None
        self._bell: socket.socket | None = None
        self._refused = False
        self._not_before = float("-inf")
        self.told: tuple[str, ...] = ()
        """The queues whose next message will be told."""

    def await_in(self, queues: Iterable[str]) -> None:
        """Tell the next message of these queues, or one that is there already; called on one thread only.

        Where no file or no thread can be had for it, nothing is told, and it is tried again.
        """
        queues = tuple(queues)
        if self._refused or self.told == queues or time.monotonic() < self._not_before:
            return
        self._queues = queues
        try:
            if self._thread is None or not self._thread.is_alive():
                self._begin()
            if self._bell is not None:
                self._bell.send(b".")
        except (OSError, RuntimeError, MemoryError) as fault:
            self._not_before = time.monotonic() + PAUSE
            log.debug("arrivals-not-told", reason=type(fault).__name__)

    def close(self) -> None:
        """End the thread."""
        if self._bell is not None:
            self._bell.close()
            self._bell = None

    def _begin(self) -> None:
        self.close()
        heard, self._bell = socket.socketpair()
        self._thread = threading.Thread(target=self._run, args=(heard,), name="arrivals", daemon=True)
        try:
            self._thread.start()
        except BaseException:
            self._thread = None
            heard.close()
            self.close()
            raise

    def _run(self, heard: socket.socket) -> None:
        connections: list[Any] = []
        try:
            connections += [self._connect(), self._connect()]
            self._listen(heard, *connections)
        except ResponseError as refusal:  # too old, or not allowed; or a script runs there for long
            self._refused = not str(refusal).startswith("BUSY")
            log.info("arrivals-not-told", reason=str(refusal)[:200])
            time.sleep(PAUSE)
        except Exception as fault:  # noqa: BLE001 - a broken connection; empty queues are looked at all the same
            log.debug("arrivals-not-told", reason=type(fault).__name__)
            self.told = ()
            time.sleep(PAUSE)
        finally:
            self.told = ()
            for connection in connections:
                connection.disconnect()
            heard.close()

    def _listen(self, heard: socket.socket, listener: Any, asker: Any) -> None:
        number = _command(listener, "CLIENT", "ID")
        _command(listener, "SUBSCRIBE", TOLD)
        _command(asker, "CLIENT", "TRACKING", "ON", "REDIRECT", number)
        with selectors.DefaultSelector() as looking:  # select() knows no file beyond the 1,024th
            for one in (heard, listener._sock):
                looking.register(one, selectors.EVENT_READ)
            while True:
                ready = {key.fileobj for key, _ in looking.select()}
                if heard in ready:
                    if not heard.recv(4096):
                        return
                    queues = self._queues
                    lengths = [_command(asker, "LLEN", queue) for queue in queues]  # each is told of from now on
                    if any(lengths):
                        self._come()
                    else:
                        self.told = queues
                if listener._sock in ready:
                    listener.read_response()
                    while listener.can_read(0):
                        listener.read_response()
                    self.told = ()
                    self._come()


def _command(connection: Any, *words: object) -> Any:
    connection.send_command(*words)
    return connection.read_response()
