"""Threads that nobody waits for: a look-up of a name, or a connection, may hang for longer than anything else may."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Thread
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class DaemonThreads(ThreadPoolExecutor):
    """An executor whose threads keep neither an event loop nor the process from ending.

    The event loop takes no executor but a ``ThreadPoolExecutor``; the threads of that one are joined at exit.
    """

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run on a thread of its own."""
        future: Future[T] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(fn(*args, **kwargs))
            except BaseException as fault:  # noqa: BLE001 - raised again where the result is awaited
                future.set_exception(fault)

        Thread(target=run, name="nobody-waits", daemon=True).start()
        return future
