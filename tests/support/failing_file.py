"""A file on a disk that fails after a while, without a disk."""

import errno
import io
import os


class FailingFile(io.RawIOBase):
    """Has this content, and then the error of a broken disk (EIO)."""

    def __init__(self, content: bytes) -> None:
        self._rest = io.BytesIO(content)

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: object, /) -> int:
        """Some of it, or the error."""
        if not (count := self._rest.readinto(buffer)):  # type: ignore[arg-type] # it is given what it was given
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return count
