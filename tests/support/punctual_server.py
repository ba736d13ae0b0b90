"""A server in a process of its own, which nobody here can hold up; it tells when it was asked, and when it answered."""

import socket
import time
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.sharedctypes import Synchronized
from types import TracebackType
from typing import Any, Self

DEADLINE_SECONDS = 30.0
STRAY_AFTER = 0.05
SPAWN = get_context("spawn")  # a fork would take the threads' locks of this process with it


def _serve(
    listening: socket.socket,
    answer: bytes,
    after: float,
    stray: bytes,
    ready: Any,
    asked: Any,
    received: Any,
    answered: Any,
    strayed: Any,
) -> None:
    ready.set()
    while True:
        connection, _ = listening.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection, suppress(ConnectionError):  # what was sent unasked may have been thrown back
            while request := connection.recv(65_536):
                received.value = time.monotonic()
                while not _whole(request):
                    request += connection.recv(65_536)
                asked.value += 1
                time.sleep(after)
                answered.value = time.monotonic()
                connection.sendall(answer)
                if stray:
                    time.sleep(STRAY_AFTER)
                    strayed.value += 1
                    connection.sendall(stray)


def _whole(request: bytes) -> bool:
    head, separator, body = request.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
    return bool(separator) and len(body) >= length


class PunctualServer:
    """Answers each request after ``after`` seconds, one connection after the other; instants of the last, monotonic.

    ``stray`` is sent 50 ms after each answer.
    """

    def __init__(self, answer: bytes, *, after: float, stray: bytes = b"") -> None:
        self._given = (answer, after, stray)
        self._ready = SPAWN.Event()
        self._asked: Synchronized[int] = SPAWN.Value("i", 0)
        self._received: Synchronized[float] = SPAWN.Value("d", 0)
        self._strayed: Synchronized[int] = SPAWN.Value("i", 0)
        self._answered: Synchronized[float] = SPAWN.Value("d", 0)

    def __enter__(self) -> Self:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            self.url = f"http://127.0.0.1:{listening.getsockname()[1]}/executions?key=hidden-key"
            told = (self._ready, self._asked, self._received, self._answered, self._strayed)
            self._process = SPAWN.Process(target=_serve, args=(listening, *self._given, *told), daemon=True)
            self._process.start()
        assert self._ready.wait(DEADLINE_SECONDS), "the server's process did not start"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.kill()
        self._process.join()

    @property
    def asked(self) -> int:
        """How many requests have come."""
        return self._asked.value

    @property
    def strayed(self) -> int:
        """How often bytes were sent that nobody asked for."""
        return self._strayed.value

    @property
    def received(self) -> float:
        """When the newest request came."""
        return self._received.value

    @property
    def answered(self) -> float:
        """When the newest request was answered."""
        return self._answered.value
