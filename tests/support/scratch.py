"""Where the files of a test run lie: in memory, if the machine has a place for that.

Each test has a database, which is a thousand small files that soon are deleted again, and ext4 searches ever longer for
an inode that was not deleted a moment ago. In memory a database costs a tenth of the CPU.
"""

import os
import shutil
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")
ENOUGH_BYTES = 6 * 2**30
DISK = Path("/var/tmp")


def use_memory() -> None:
    """Let temporary files of this process, and of all that it starts, lie in memory; ``TMPDIR`` has precedence."""
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.R_OK | os.W_OK | os.X_OK):
        return
    if os.statvfs(MEMORY).f_flag & getattr(os, "ST_NOEXEC", 0) or shutil.disk_usage(MEMORY).free < ENOUGH_BYTES:
        return
    os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


def on_disk() -> Path:
    """A place for what is large, or would be linked from elsewhere on the disk."""
    usual = Path(tempfile.gettempdir())
    return DISK if usual == MEMORY else usual
