"""Where a local stack has its data and its secrets: a temporary folder, or one that is kept between runs."""

import fcntl
import os
import secrets
import shlex
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from ajo_producers.contract.sealing import new_key
from msgspec import Struct

from ajo_local.child import LocalStackError
from ajo_local.ports import LOOPBACK
from ajo_local.processes import Processes

STATE = "stack.json"
ENV = "env.sh"


def _secret() -> str:
    return secrets.token_urlsafe(24)


class State(Struct):
    """What a stack must know again in its next run: secrets, and the ports that its addresses have."""

    postgres_password: str = msgspec.field(default_factory=_secret)
    valkey_password: str = msgspec.field(default_factory=_secret)
    client_secret: str = msgspec.field(default_factory=_secret)
    hash_key: str = msgspec.field(default_factory=_secret)
    payload_key: str = msgspec.field(default_factory=new_key)
    ports: dict[str, int] = msgspec.field(default_factory=dict)

    def __repr__(self) -> str:
        """Without the secrets."""
        return f"State({self.ports})"


@dataclass
class Home:
    """A stack's folder. ``kept`` says whether it outlives the stack; ``wanted`` are the ports that a person named."""

    folder: Path
    kept: bool
    state: State
    wanted: Mapping[str, int]
    lock: int | None = field(default=None, repr=False)

    def port(self, server: str) -> int:
        """The port for a server: the one that was named, else that of the last run if it is free, else 0 for any."""
        if server in self.wanted:
            return self.wanted[server]
        before = self.state.ports.get(server, 0)
        return before if before and _is_free(before) else 0

    def note_port(self, server: str, port: int) -> None:
        """Remember which port a server has."""
        self.state.ports[server] = port
        _write_own(self.folder / STATE, msgspec.json.format(msgspec.json.encode(self.state)).decode())

    def write_env(self, variables: Mapping[str, str], programs: str) -> Path:
        """Write variables and the way to ``programs`` for other terminals, as ``sh`` reads it; for the owner alone."""
        lines = [f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()]
        lines.append(f"export PATH={shlex.quote(programs)}:$PATH\n")
        return _write_own(self.folder / ENV, "".join(lines))

    def close(self) -> None:
        """Let another stack have the folder."""
        if self.lock is not None:
            os.close(self.lock)


def open_home(processes: Processes, keep: Path | None, ports: Mapping[str, int]) -> Home:
    """The folder of a stack: a temporary one that ends with ``processes``, or ``keep``, which is made if need be.

    Raises:
        LocalStackError: another stack has it, or its state can't be read.
    """
    if keep is None:
        return Home(processes.folder(), False, State(), ports)
    keep.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = keep.resolve()
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise LocalStackError(f"{keep}: another stack is running there: name another folder, or stop it") from None
    try:
        return Home(folder, True, _read(folder / STATE), ports, lock)
    except LocalStackError:
        os.close(lock)
        raise


def _read(file: Path) -> State:
    try:
        return msgspec.json.decode(file.read_bytes(), type=State)
    except FileNotFoundError:
        return State()
    except msgspec.MsgspecError as bad:
        raise LocalStackError(f"{file}: {bad}: mend it, or name another folder") from None


def _write_own(file: Path, text: str) -> Path:
    file.touch(mode=0o600)
    file.write_text(text, encoding="utf-8")
    return file


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
