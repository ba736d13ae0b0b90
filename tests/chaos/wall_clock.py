"""Wall clocks for processes under test, which can be set while they work: tests/chaos/wall_clock.c, preloaded."""

import shutil
import struct
import subprocess
from itertools import count
from pathlib import Path

SOURCE = Path(__file__).with_suffix(".c")
COMPILER = shutil.which("cc")
MISSING = None if COMPILER else "there is no C compiler (cc) for tests/chaos/wall_clock.c"
NUMBERS = count()


class WallClock:
    """A wall clock for the processes that get its environment; ``folder`` is where they can read."""

    def __init__(self, folder: Path, offset: int = 0) -> None:
        self._file, library = folder / f"clock-{next(NUMBERS)}", folder / "wall_clock.so"
        self._file.write_bytes(struct.pack("q", offset))
        if not library.exists():  # once a folder: processes may have it mapped
            command = [str(COMPILER), "-shared", "-fPIC", "-O2", "-o", str(library), str(SOURCE), "-ldl"]
            subprocess.run(command, check=True, capture_output=True)
            library.chmod(0o755)
            self._file.chmod(0o644)
        self.env = {"LD_PRELOAD": str(library), "WALL_CLOCK_OFFSET_FILE": str(self._file)}

    def step(self, offset: int) -> None:
        """Be ``offset`` seconds early from now on."""
        with self._file.open("r+b") as file:  # in place: the processes have it mapped
            file.write(struct.pack("q", offset))
