"""The settings: as far as they can be read even where some are wrong, and what is to be said of them."""

import os
import ssl
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ajo_producers.campaigns.definition import OnAmbiguous
from pydantic import ValidationError

from ajo_worker.api.tls import tls_context
from ajo_worker.doctor.check import Check, failed, ok, skipped, warning
from ajo_worker.settings import PLAIN_PAYLOADS, SEAL_PAYLOADS, Settings
from ajo_worker.settings.listing import AllSettings, Checked, Unknown, check_settings
from ajo_worker.settings.rules import BETWEEN
from ajo_worker.settings.source import variable_of


@dataclass(frozen=True)
class Readable:
    """Settings of which those named in ``wrong`` (fields) can't be read, and have their defaults here."""

    settings: Settings
    wrong: frozenset[str]

    def wrong_of(self, *fields: str) -> list[str]:
        """The variables among these that can't be read."""
        return [variable_of(field) for field in fields if field in self.wrong]


def readable_settings() -> Readable:
    """Read the environment now; what is wrong is left out."""
    wrong: frozenset[str] = frozenset()
    while True:
        try:
            return Readable(AllSettings(**{name: AllSettings.model_fields[name].default for name in wrong}), wrong)
        except ValidationError as invalid:
            found = {str(fault["loc"][0]) for fault in invalid.errors() if fault["loc"]}
            texts = " ".join(fault["msg"] for fault in invalid.errors() if not fault["loc"])
            found |= {name for rule in BETWEEN if rule.text in texts for name in rule.fields}
            if found <= wrong:  # the defaults themselves would be at fault
                raise
            wrong |= found


def examine_settings(readable: Readable) -> list[Check]:
    """The checks of this subject."""
    settings, checked = readable.settings, check_settings(os.environ)
    hash_key = settings.hash_key.get_secret_value()
    given = {"client_id": settings.client_id, "client_secret": settings.client_secret.get_secret_value()}
    return [
        judge_settings(checked),
        judge_unknown(checked.unknown),
        judge_hash_key(is_set=bool(hash_key), wrong=readable.wrong_of("hash_key")),
        judge_payload_keys(
            is_set=bool(settings.payload_keys.get_secret_value()), wrong=readable.wrong_of("payload_keys")
        ),
        judge_patience(
            settings.attempt_timeout,
            settings.budget_seconds,
            settings.on_ambiguous,
            wrong=readable.wrong_of("attempt_timeout", "budget_seconds", "on_ambiguous"),
        ),
        judge_credentials(
            missing=[variable_of(field) for field, value in given.items() if not value], wrong=readable.wrong_of(*given)
        ),
    ]


def trust(readable: Readable) -> tuple[Check, ssl.SSLContext | None]:
    """Whether there are certificates to trust, and the TLS of all calls to Adobe if so."""
    name, settings = "certificate authorities", readable.settings
    if wrong := readable.wrong_of("ca_file"):
        return unread(name, wrong), None
    try:
        context = tls_context(settings)
    except OSError as fault:
        return failed(name, str(fault), "name a file of certificates (PEM) that the worker may read"), None
    return ok(name, "the system's" if settings.ca_file is None else "the system's and those of AJO_CA_FILE"), context


def judge_settings(checked: Checked) -> Check:
    """Whether a worker would start with them."""
    if not checked.ok:
        # A fault's text names the variable and the rule, and never has the value.
        return failed("settings", "; ".join(checked.faults), "correct them: a worker refuses to start with these")
    given = sum(setting.source != "default" for setting in checked.settings)
    return ok("settings", f"all {len(checked.settings)} can be read; {given} set, the others have their defaults")


def judge_unknown(unknown: Iterable[Unknown]) -> Check:
    """Whether a variable is perhaps a typing error."""
    names = [
        f"{one.variable} (did you mean {one.did_you_mean}?)" if one.did_you_mean else one.variable for one in unknown
    ]
    if names:
        return warning("unknown variables", ", ".join(names), "correct the name or unset it: nothing reads it")
    return ok("unknown variables", "none")


def judge_hash_key(*, is_set: bool, wrong: Sequence[str]) -> Check:
    """Whether recipients can be found in the ledger."""
    if wrong:
        return unread("hash key", wrong)
    if not is_set:
        return warning(
            "hash key",
            "not set: the ledger records no recipient, not even as a hash",
            "set AJO_HASH_KEY (or AJO_HASH_KEY_FILE) to a long random text, and keep it forever",
        )
    return ok("hash key", "set")


def judge_payload_keys(*, is_set: bool, wrong: Sequence[str]) -> Check:
    """Whether payloads that are held, and so addresses, are encrypted."""
    if wrong:
        return unread("payload keys", wrong)
    if not is_set:
        return warning("payload keys", PLAIN_PAYLOADS, SEAL_PAYLOADS)
    return ok("payload keys", "set: what is held is encrypted")


def judge_patience(
    attempt_timeout: float | None, budget: float, on_ambiguous: OnAmbiguous, *, wrong: Sequence[str]
) -> Check:
    """Whether answers are waited for as long as Adobe may take."""
    name = "time for an answer"
    if wrong:
        return unread(name, wrong)
    if attempt_timeout is None or attempt_timeout >= budget:
        return ok(name, f"what is left of the budget of {budget:g} s")
    price = "sends again what Adobe answers later, and it may have accepted both"
    if on_ambiguous == "hold":
        price = "leaves unconfirmed what Adobe answers later, and most likely has accepted"
    return warning(
        name,
        f"{attempt_timeout:g} s at most: whoever gives up earlier than Adobe (60 s) {price}",
        "unset AJO_ATTEMPT_TIMEOUT, unless that is what you want; a campaign may have an attempt_timeout of its own",
    )


def judge_credentials(*, missing: Sequence[str], wrong: Sequence[str]) -> Check:
    """Whether there is something to fetch a token with."""
    if wrong:
        return unread("client id and secret", wrong)
    if missing:
        return failed(
            "client id and secret",
            f"not set: {', '.join(missing)}",
            "set what the OAuth server-to-server credential of the Developer Console project shows",
        )
    return ok("client id and secret", "both set")


def unread(check: str, wrong: Sequence[str]) -> Check:
    """A check that needs what can't be read."""
    return skipped(check, f"{' and '.join(wrong)} can't be read: see settings")
