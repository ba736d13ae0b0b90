"""``events serve``: the intake of events over HTTP."""

import asyncio
import os
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from ajo_producers.campaigns.folder import DEFAULT_FOLDER
from ajo_producers.cli.events_loading import DEFAULT_FILE, File, load
from ajo_producers.cli.options import Folder
from ajo_producers.cli.usage import WrongUsage
from ajo_producers.entrance.address import LOOPBACK, Host
from ajo_producers.entrance.connections import SentAway
from ajo_producers.entrance.guests import Room
from ajo_producers.entrance.open_files import allow_open_files
from ajo_producers.entrance.options import (
    CertificateFile,
    Insecure,
    KeyFile,
    Port,
    certificate_of,
    check_insecure,
    unusable,
)
from ajo_producers.entrance.renewal import Renewed
from ajo_producers.entrance.server import CantListen, bind, serve
from ajo_producers.events.cloudevents import MAX_EVENTS
from ajo_producers.events.dead_letters import DeadLetterFile
from ajo_producers.events.intake import Intake
from ajo_producers.events.log import tell
from ajo_producers.events.openapi import PATH
from ajo_producers.events.settings import SECRETS, TOKENS, Admitted, admitted_files, read_admitted, read_intake
from ajo_producers.publishing.async_publisher import AsyncPublisher
from ajo_producers.publishing.connecting import open_link
from ajo_producers.publishing.environment import broker_of, read_settings
from ajo_producers.publishing.errors import SettingError
from ajo_producers.publishing.link import Deadline, LinkFailure

LOOK_SECONDS = 5.0
"""For which an answer to /healthz holds, and how long the broker has to answer."""


def serve_events(
    *,
    file: File = DEFAULT_FILE,
    folder: Folder = DEFAULT_FOLDER,
    host: Host = LOOPBACK,
    port: Port = 8469,
    certificate: CertificateFile = None,
    key: KeyFile = None,
    dead_letters: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also keep what is refused, with the reasons (personal data).")
    ] = None,
    insecure: Insecure = False,
) -> None:
    """Take CloudEvents: POST /events, answered 202 once the broker has confirmed; GET /, /openapi.json, /healthz.

    AJO_EVENTS_TOKENS or AJO_EVENTS_SIGNING_SECRETS say who may post. Prints “listening on URL”; at SIGTERM or Ctrl-C
    it finishes what is in hand, and ends.
    """
    shows = certificate_of(certificate, key)
    rules = load(file, folder)
    try:
        settings, url = read_intake(os.environ), read_settings(os.environ).url
        most = settings.pending + MAX_EVENTS * len(rules.mappings.mappings)  # a batch alone always has room
        publisher = AsyncPublisher.from_env(max_waiting=most)
        admitted = _admitted()
    except SettingError as bad:
        raise WrongUsage(str(bad)) from None
    if not admitted.now() and not insecure:
        raise WrongUsage(
            f"anybody could post events: set {TOKENS} (such as: export {TOKENS}=$(openssl rand -hex 32)) or {SECRETS} "
            "(or, to try it on this machine, --insecure)"
        )
    if not admitted.now():
        check_insecure(host)
    intake = Intake(
        rules.translate,
        publisher,
        admitted.now if admitted.now() else None,
        Look(partial(_reachable, url)),
        DeadLetterFile(dead_letters) if dead_letters is not None else None,
        pending=settings.pending,
        most_bytes=settings.max_bytes,
        body_seconds=settings.body_seconds,
    )
    if (short := allow_open_files(settings.connections)) is not None:
        tell("too-few-open-files", allowed=short[0], needed=short[1])
    try:
        listening, address = bind(host, port)
    except CantListen as fault:
        raise typer.TyperException(str(fault)) from None
    shown = f"{'https' if shows else 'http'}://{address}{PATH}"
    room = Room(settings.connections, settings.connections_by_address)
    try:
        tls = Renewed("certificate", shows.files, shows.load, _renewed).now if shows is not None else None
    except OSError as fault:
        raise unusable(fault) from None
    told = partial(print, f"listening on {shown}", flush=True)
    asyncio.run(serve(intake.application(), listening, tls, room, settings.head_seconds, told, _sent_away))


class Look:
    """Asks ``look`` at most every few seconds, and one at a time: whoever asks us often costs the broker nothing.

    Whoever asks meanwhile gets what was found before.
    """

    def __init__(self, look: Callable[[], bool], seconds: float = LOOK_SECONDS) -> None:
        self._look, self._seconds, self._lock = look, seconds, threading.Lock()
        self._found, self._at = False, float("-inf")

    def __call__(self) -> bool:
        """What was found last."""
        if self._lock.acquire(blocking=False):
            try:
                if time.monotonic() - self._at >= self._seconds:
                    self._found = self._look()
                    self._at = time.monotonic()
            finally:
                self._lock.release()
        return self._found


def _reachable(url: str) -> bool:
    try:
        open_link(broker_of(url), Deadline(LOOK_SECONDS)).close()
    except LinkFailure:
        return False
    return True


def _admitted() -> Renewed[Admitted]:
    """Who may post, as the files are now. A file that is empty opens the door to nobody."""
    first = read_admitted(os.environ)

    def read() -> Admitted:
        now = read_admitted(os.environ)
        if len(now.tokens) < min(1, len(first.tokens)) or len(now.secrets) < min(1, len(first.secrets)):
            raise SettingError("a file of tokens or secrets is empty")
        return now

    return Renewed("who may post events", admitted_files(os.environ), read, _renewed, first=first)


def _renewed(what: str, fault: str | None) -> None:
    if fault is None:
        tell("change-taken-up", "info", what=what)
    else:
        tell("change-not-taken-up", what=what, reason=fault)


def _sent_away(cut: SentAway) -> None:
    tell("events-connections-sent-away", why=cut.why, connections=cut.connections, open=cut.open)
