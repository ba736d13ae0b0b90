"""``feedback serve``: the receiver of Journey Optimizer's feedback webhook."""

from functools import partial
from pathlib import Path
from typing import Annotated

import structlog
import typer
from ajo_producers.entrance.connections import SentAway
from ajo_producers.entrance.guests import Room
from ajo_producers.entrance.server import CantListen, Certificate, bind, is_loopback, serve

from ajo_worker.cli.running import WrongSettings, finish, read_settings
from ajo_worker.feedback.authentication import renewed_checks
from ajo_worker.feedback.receiver import PATH, receiver
from ajo_worker.feedback.writing import Writing
from ajo_worker.intake.open_files import allow_open_files
from ajo_worker.logs import configure_logs
from ajo_worker.recipients import hashing_key
from ajo_worker.renewal import Renewed
from ajo_worker.settings import renewed
from ajo_worker.settings_source import SettingsError

log = structlog.get_logger("ajo_worker.feedback")


def serve_feedback(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port to listen on; 0 for a free one.")] = 8468,
    certificate: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Certificate chain (PEM), for HTTPS.")
    ] = None,
    key: Annotated[Path | None, typer.Option(metavar="FILE", help="Its private key (PEM).")] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Ask for no secret; on loopback only, to try it.")
    ] = False,
) -> None:
    """Take feedback webhooks: POST /feedback, answered once they are stored; GET /healthz.

    AJO_FEEDBACK_SECRET, AJO_FEEDBACK_JWT_SECRET or AJO_FEEDBACK_JWT_PUBLIC_KEY say who may post. Prints “listening on
    URL”; at SIGTERM or Ctrl-C it finishes what is in hand, and ends.
    """
    if (certificate is None) != (key is None):
        raise typer.BadParameter("--certificate and --key go together", param_hint="--certificate")
    settings = read_settings()
    try:
        checks = renewed_checks(settings)
    except SettingsError as bad:
        raise WrongSettings(str(bad)) from None
    if not checks.now() and not insecure:
        raise WrongSettings(
            "anybody could post feedback: set AJO_FEEDBACK_SECRET, AJO_FEEDBACK_JWT_SECRET or "
            "AJO_FEEDBACK_JWT_PUBLIC_KEY (or, to try it on this machine, --insecure)"
        )
    if not checks.now() and not is_loopback(host):
        raise typer.BadParameter("only with a loopback address (--host)", param_hint="--insecure")
    configure_logs(settings.log_level, settings.log_format)
    url = renewed(settings, "database_url").now
    hash_key = hashing_key(settings.hash_key.get_secret_value())
    app = receiver(
        lambda: Writing(url),
        checks.now,
        hash_key,
        most_bytes=settings.feedback_max_bytes,
        body_seconds=settings.feedback_body_seconds,
    )
    room = Room(settings.feedback_connections, settings.feedback_connections_by_address)
    allow_open_files(room.all, "AJO_FEEDBACK_CONNECTIONS")
    try:
        listening, address = bind(host, port)
    except CantListen as fault:
        raise typer.TyperException(str(fault)) from None
    shown = f"{'https' if certificate else 'http'}://{address}{PATH}"
    try:
        shows = Certificate(certificate, key) if certificate and key else None
        tls = Renewed("certificate", shows.files, shows.load).now if shows is not None else None
        told = partial(print, f"listening on {shown}", flush=True)
        finish(serve(app, listening, tls, room, settings.feedback_head_seconds, told, _sent_away))
    except OSError as fault:
        raise typer.TyperException(f"the certificate or its key can't be used: {fault.strerror or fault}") from None


def _sent_away(cut: SentAway) -> None:
    log.warning("feedback-connections-sent-away", why=cut.why, connections=cut.connections, open=cut.open)
