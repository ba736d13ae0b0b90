"""Files that are read whole: whatever has no end, or nobody at its other end, is told and not waited for."""

import os
import threading
from pathlib import Path

import pytest
from ajo_producers.contract.reading import CHUNK, check_regular, read_text, read_whole


@pytest.mark.parametrize("size", [0, 1, CHUNK, CHUNK + 1, 2 * CHUNK])
def test_all_of_a_file_is_read(size: int, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x" * size)
    assert read_whole(file, most=size) == b"x" * size


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/urandom"])
def test_what_has_no_end_is_told(device: str) -> None:
    with pytest.raises(OSError, match="has more than 100,000 bytes") as told:
        read_whole(Path(device), most=100_000)
    assert told.value.filename == device


def test_a_file_that_is_one_byte_too_long_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 11)
    with pytest.raises(OSError, match="has more than 10 bytes"):
        read_whole(tmp_path / "file", most=10)


def test_a_pipe_into_which_nobody_writes_is_told(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(TimeoutError, match=r"a pipe into which nobody has written for 0\.01 s"):
        read_whole(tmp_path / "pipe", patience=0.01)


def test_a_pipe_is_read_to_the_end_that_its_writer_makes(tmp_path: Path) -> None:
    pipe, content = tmp_path / "pipe", os.urandom(5 * CHUNK)
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(content,))
    writer.start()
    assert read_whole(pipe) == content
    writer.join()


def test_a_pipe_of_a_shell_is_read() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"a secret\n")
    os.close(writing)
    assert read_text(Path(f"/dev/fd/{reading}")) == "a secret\n"
    os.close(reading)


def test_lines_end_alike_whoever_wrote_them(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes("\ufeffÄ\r\nb\rc\n".encode())
    assert read_text(tmp_path / "file", "utf-8-sig") == "Ä\nb\nc\n"


@pytest.mark.parametrize("kind", ["missing", "folder"])
def test_what_is_no_file_is_told_by_its_name(kind: str, tmp_path: Path) -> None:
    place = tmp_path / "missing" if kind == "missing" else tmp_path
    with pytest.raises(OSError, match=r"No such file|Is a directory") as told:
        read_whole(place)
    assert str(told.value.filename) == str(place)


def test_only_a_file_that_ends_is_for_libraries_to_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    check_regular(tmp_path / "link")
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(OSError, match="is no regular file"):
            check_regular(place)
