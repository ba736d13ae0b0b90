"""The certificate of an entrance: what OpenSSL would read for ever is no certificate."""

from pathlib import Path

import pytest
from ajo_producers.entrance.server import Certificate


@pytest.mark.parametrize("endless", ["chain", "key"])
def test_files_of_a_certificate_come_to_an_end(endless: str, tmp_path: Path) -> None:
    (tmp_path / "file.pem").write_bytes(b"")
    files = {"chain": tmp_path / "file.pem", "key": tmp_path / "file.pem", endless: Path("/dev/zero")}
    with pytest.raises(OSError, match="/dev/zero"):
        Certificate(**files).load()
