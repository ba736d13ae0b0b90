"""``feedback serve``: the receiver of Journey Optimizer's feedback webhook."""

from functools import partial

import structlog
import typer
from ajo_producers.entrance.address import LOOPBACK, Host
from ajo_producers.entrance.connections import SentAway
from ajo_producers.entrance.guests import Room
from ajo_producers.entrance.options import (
    CertificateFile,
    Insecure,
    KeyFile,
    Port,
    certificate_of,
    check_insecure,
    unusable,
)
from ajo_producers.entrance.server import CantListen, bind, serve

from ajo_worker.cli.running import WrongSettings, finish, read_settings
from ajo_worker.feedback.authentication import renewed_checks
from ajo_worker.feedback.receiver import PATH, receiver
from ajo_worker.feedback.writing import Writing
from ajo_worker.intake.open_files import allow_open_files
from ajo_worker.logs import configure_logs
from ajo_worker.recipients import hashing_key
from ajo_worker.renewal import Renewed
from ajo_worker.settings import renewed
from ajo_worker.settings.source import SettingsError

log = structlog.get_logger("ajo_worker.feedback")


def serve_feedback(
    *,
    host: Host = LOOPBACK,
    port: Port = 8468,
    certificate: CertificateFile = None,
    key: KeyFile = None,
    insecure: Insecure = False,
) -> None:
    """Take feedback webhooks: POST /feedback, answered once they are stored; GET /healthz.

    AJO_FEEDBACK_SECRET, AJO_FEEDBACK_JWT_SECRET or AJO_FEEDBACK_JWT_PUBLIC_KEY say who may post. Prints “listening on
    URL”; at SIGTERM or Ctrl-C it finishes what is in hand, and ends.
    """
    shows = certificate_of(certificate, key)
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
    if not checks.now():
        check_insecure(host)
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
    allowed = allow_open_files(settings.feedback_connections, "AJO_FEEDBACK_CONNECTIONS")
    room = Room(allowed, settings.feedback_connections_by_address)
    try:
        listening, address = bind(host, port)
    except CantListen as fault:
        raise typer.TyperException(str(fault)) from None
    shown = f"{'https' if shows else 'http'}://{address}{PATH}"
    try:
        tls = Renewed("certificate", shows.files, shows.load).now if shows is not None else None
    except OSError as fault:
        raise unusable(fault) from None
    told = partial(print, f"listening on {shown}", flush=True)
    finish(serve(app, listening, tls, room, settings.feedback_head_seconds, told, _sent_away))


def _sent_away(cut: SentAway) -> None:
    log.warning("feedback-connections-sent-away", why=cut.why, connections=cut.connections, open=cut.open)
