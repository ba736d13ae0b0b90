"""What a check found. No text here ever holds a secret, a token, or a user or password of an address."""

from collections.abc import Iterable
from typing import Literal, TypeAlias

from msgspec import Struct

Status: TypeAlias = Literal["ok", "warning", "failed", "skipped"]


class Check(Struct, frozen=True):
    """One check: its name, its status, what was found, and what to do unless all is well."""

    check: str
    status: Status
    found: str
    advice: str | None = None


def ok(check: str, found: str) -> Check:
    """As it should be."""
    return Check(check, "ok", found)


def warning(check: str, found: str, advice: str) -> Check:
    """Workers run all the same, but not as well or as safely as they could."""
    return Check(check, "warning", found, advice)


def failed(check: str, found: str, advice: str) -> Check:
    """Triggers will not be sent, or may be lost, until this is put right."""
    return Check(check, "failed", found, advice)


def skipped(check: str, why: str) -> Check:
    """Not looked at: another check says what is in the way, or nobody asked for it."""
    return Check(check, "skipped", why)


def exit_code(checks: Iterable[Check]) -> int:
    """0 if nothing failed, else 1."""
    return int(any(check.status == "failed" for check in checks))
