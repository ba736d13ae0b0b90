"""What is wrong with a name, and what with our own machine, which has nothing left to ask for it with."""

import errno
import socket
import threading

import pytest
from ajo_worker.api.adapters.system_words import exhausted
from ajo_worker.api.adapters.tcp import Deadline, connect

NAME = "platform.example.com"


@pytest.fixture(autouse=True)
def nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> list[object]:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)


async def test_a_name_that_nobody_knows_is_no_fault_of_this_machine() -> None:
    with pytest.raises(socket.gaierror) as caught:
        await connect(NAME, 443, Deadline(60, lambda _: None))
    assert not exhausted(caught.value)


async def test_without_a_file_left_to_ask_with_this_machine_is_exhausted(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*_: object) -> socket.socket:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(socket, "socket", none_left)
    with pytest.raises(OSError, match="Too many open files") as caught:
        await connect(NAME, 443, Deadline(60, lambda _: None))
    assert exhausted(caught.value)


async def test_without_a_thread_left_to_ask_on_this_machine_is_exhausted(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:  # the loop's own end needs a thread
        patched.setattr(threading.Thread, "start", none_left)
        with pytest.raises(OSError, match="no thread") as caught:
            await connect(NAME, 443, Deadline(60, lambda _: None))
    assert exhausted(caught.value)
