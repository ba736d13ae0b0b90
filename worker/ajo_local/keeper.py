"""The keeper: ends the stack's processes and removes its folders when the process that started them is gone.

It runs as a process of its own, with the standard library alone. It reads orders from its standard input, whose other
end only the starter holds. However the starter ends, by ``kill -9`` too, the kernel closes that end, and the keeper
clears away what is left. (Linux could do this with ``PR_SET_PDEATHSIG``, but not macOS, and it removes no folders.)

Orders, one a line: ``watch PID SIGNAL``, ``forget PID``, ``remove FOLDER``.
"""

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterable

GRACE_SECONDS = 3
"""How long a process may take over its first signal, until SIGKILL."""


def follow(orders: Iterable[str]) -> tuple[dict[int, int], list[str]]:
    """Read orders to their end; gives the processes that still are to be ended, with their signals, and the folders."""
    watched: dict[int, int] = {}
    folders: list[str] = []
    for order in orders:
        verb, _, rest = order.rstrip("\n").partition(" ")
        if verb == "watch":
            pid, number = rest.split()
            watched[int(pid)] = int(number)
        elif verb == "forget":
            watched.pop(int(rest), None)
        elif verb == "remove":
            folders.append(rest)
    return watched, folders


def _signal_group(pid: int, number: int) -> bool:
    """Signal a process group; whether it still exists."""
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return False
    except PermissionError:  # macOS says this of a group whose processes have all ended
        return False
    return True


def clear_away(watched: dict[int, int], folders: list[str]) -> None:
    """End the processes, the newest first, and remove the folders."""
    for pid, number in reversed(watched.items()):
        _signal_group(pid, number)
    deadline = time.monotonic() + GRACE_SECONDS
    while time.monotonic() < deadline and any(_signal_group(pid, 0) for pid in watched):
        time.sleep(0.05)
    for pid in watched:
        _signal_group(pid, signal.SIGKILL)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    clear_away(*follow(sys.stdin))
