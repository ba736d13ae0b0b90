"""``python -m tests.support.crossed worker …``: a worker that notes which of its files a message crosses.

On RabbitMQ, from the moment in which it comes to that in which it is acknowledged. In the folder ``CROSSED`` the files
``1`` and ``2`` have the paths of the first message, with which everything is made that is made once, and of the second
one. What goes on by itself, whether there are triggers or not, is left out.
"""

import os
import sys
import threading
from pathlib import Path
from types import FrameType

import ajo_worker
from ajo_producers.cli.main import main

ROOM = str(Path(ajo_worker.__file__).parent) + os.sep
COMES, IS_ACKNOWLEDGED = "QuarantiningConsumer.create_task_handler.<locals>.on_message", "Channel.basic_ack"
BY_ITSELF = (
    "campaigns/statuses.py",
    "feedback/matching.py",
    "intake/consumer_timeout.py",
    "intake/vigil.py",
    "ledger/full_intakes.py",
    "ledger/liveness.py:Liveness._run",
    "ledger/recurring.py",
    "logs.py",
    "network/probing.py",
    "outages/patrol.py",
    "queues/looking.py",
)
"""Whose calls, and all that these call, are of no trigger."""


class Crossed:
    """Told of each call in any thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.messages = 0
        self.files: set[str] | None = None

    def called(self, frame: FrameType, event: str, _: object) -> None:
        """A function begins or goes on."""
        if event != "call":
            return
        code = frame.f_code
        if code.co_qualname == COMES:
            self.messages, self.files = self.messages + 1, set()
        if self.files is None:
            return
        if code.co_qualname == IS_ACKNOWLEDGED:
            (unfinished := self.folder / "unfinished").write_text("\n".join(sorted(self.files)), encoding="utf-8")
            unfinished.rename(self.folder / str(self.messages))
            self.files = None
        elif code.co_filename.startswith(ROOM) and not _goes_by_itself(frame):
            self.files.add(code.co_filename.removeprefix(ROOM))


def _goes_by_itself(frame: FrameType | None) -> bool:
    while frame is not None:
        place = f"{frame.f_code.co_filename.removeprefix(ROOM)}:{frame.f_code.co_qualname}"
        if place.startswith(BY_ITSELF):
            return True
        frame = frame.f_back
    return False


if __name__ == "__main__":
    crossed = Crossed(Path(os.environ["CROSSED"]))
    threading.setprofile(crossed.called)
    sys.setprofile(crossed.called)
    sys.exit(main(sys.argv[1:]))
