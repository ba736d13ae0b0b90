"""Options of the commands that let requests in; they need typer, as every command does."""

from pathlib import Path
from typing import Annotated

import typer

from ajo_producers.entrance.server import Certificate, is_loopback

Port = Annotated[int, typer.Option(min=0, max=65_535, help="Port to listen on; 0 for a free one.")]
CertificateFile = Annotated[Path | None, typer.Option(metavar="FILE", help="Certificate chain (PEM), for HTTPS.")]
KeyFile = Annotated[Path | None, typer.Option(metavar="FILE", help="Its private key (PEM).")]
Insecure = Annotated[bool, typer.Option("--insecure", help="Let anybody post; on loopback only, to try it.")]


def certificate_of(chain: Path | None, key: Path | None) -> Certificate | None:
    """What is shown for HTTPS; None without any.

    Raises:
        typer.BadParameter: one of the two files is missing.
    """
    if (chain is None) != (key is None):
        raise typer.BadParameter("--certificate and --key go together", param_hint="--certificate")
    return Certificate(chain, key) if chain and key else None


def unusable(fault: OSError) -> typer.TyperException:
    """What is to be raised of a certificate and its key that can't be read, or don't belong together."""
    return typer.TyperException(f"the certificate or its key can't be used: {fault.strerror or fault}")


def check_insecure(host: str) -> None:
    """Anybody may post: from this machine alone.

    Raises:
        typer.BadParameter: the address can be reached from others.
    """
    if not is_loopback(host):
        raise typer.BadParameter("only with a loopback address (--host)", param_hint="--insecure")
