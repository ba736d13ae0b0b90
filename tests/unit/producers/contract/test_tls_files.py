"""Files of certificates in PostgreSQL's address: what is of no use is told by its parameter, and never waited for."""

import os
from pathlib import Path

import pytest
import trustme
from ajo_producers.contract.tls_files import OWN, THEIRS, BadTlsFile, check_tls_files

URL = "postgresql://u:p@db/ledger"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without certificates."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home" / ".postgresql").mkdir(parents=True)
    return tmp_path / "home" / ".postgresql"


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """A file of them."""
    file = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(file))
    return file


def refusal(query: str, **environment: str) -> str:
    """What is told of an address."""
    with pytest.raises(BadTlsFile) as told:
        check_tls_files(f"{URL}?{query}", environment)
    return str(told.value)


@pytest.mark.parametrize("parameter", [*OWN, *THEIRS])
@pytest.mark.parametrize("kind", ["pipe", "folder", "missing", "device"])
@pytest.mark.parametrize("named", ["address", "variable", "home"])
def test_what_is_no_regular_file_is_told_whoever_names_it(
    parameter: str, kind: str, named: str, tmp_path: Path, home: Path
) -> None:
    variable, default = {**OWN, **THEIRS}[parameter]
    file = home / default if named == "home" else tmp_path / "file"
    if kind == "missing" and named == "home":
        return
    match kind:
        case "pipe":
            os.mkfifo(file)
        case "folder":
            file.mkdir()
        case "device":
            file.symlink_to("/dev/zero")
    reason = "No such file or directory" if kind == "missing" else "is no regular file"
    query = "sslmode=require" + (f"&{parameter}={file}" if named == "address" else "")
    environment = {variable: str(file)} if named == "variable" else {}
    assert refusal(query, **environment) == f"{parameter}: {file}: {reason}"


@pytest.mark.parametrize("parameter", THEIRS)
def test_a_file_without_certificates_is_told(parameter: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no certificate\n")
    assert refusal(f"sslmode=verify-ca&{parameter}={tmp_path}/file").endswith("/file: holds no certificates")


def test_who_verifies_must_know_whom_to_trust(home: Path, certificates: Path) -> None:
    assert refusal("sslmode=verify-full").startswith("sslmode=verify-full needs to know whom to trust")
    check_tls_files(f"{URL}?sslmode=verify-full&sslrootcert={certificates}", {})
    certificates.rename(home / "root.crt")
    check_tls_files(f"{URL}?sslmode=verify-full", {})


def test_a_mode_that_there_is_not_is_told_with_those_that_there_are() -> None:
    assert refusal("", PGSSLMODE="on").startswith("sslmode must be one of disable, allow, prefer")


@pytest.mark.parametrize(
    "address",
    [
        URL,
        f"{URL}?sslmode=disable&sslcert=/missing",
        f"{URL}?sslmode=prefer&sslrootcert=/missing",
        "postgresql:///ledger?host=/run/postgresql&sslcert=/missing",
        "postgresql://u:p@[/ledger",
        "postgresql://u:p?sslmode=x@db/ledger",
    ],
)
def test_what_no_connection_would_read_is_not_looked_at(address: str) -> None:
    check_tls_files(address, {})
