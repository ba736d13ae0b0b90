"""Payloads that wait are sealed: encrypted under the newest of a setting's keys, opened with any of them.

Of a ledger these are the keys in ``AJO_PAYLOAD_KEYS``, of an outbox those in ``AJO_OUTBOX_KEYS``. A seal is a Fernet
token (https://github.com/fernet/spec: AES-128-CBC, HMAC-SHA-256) without its base64: in bytea that would be a third
more, and would let some bytes be changed unnoticed.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256

from cryptography.fernet import Fernet, InvalidToken

KEY = re.compile(r"[\w+/-]{43}=", re.ASCII)
KEY_ID_DIGITS = 12
PAYLOAD_KEYS = "AJO_PAYLOAD_KEYS"


class WrongKeys(ValueError):  # noqa: N818 - says what it found
    """A text is no list of keys; says which one is wrong by its place, and never shows it."""


class UnknownKey(Exception):  # noqa: N818 - as above
    """A payload is sealed under a key that isn't here; says which, and what to do."""

    def __init__(self, key_id: str, setting: str) -> None:
        super().__init__(f"sealed under key {key_id}, which {setting} does not have: add that key to it")
        self.key_id = key_id


class BrokenSeal(Exception):  # noqa: N818 - as above
    """A sealed payload is not what was once sealed under its key: its bytes were changed, or its key id was."""


class Sealer:
    """Seals payloads, and opens what was sealed under any of its keys; without keys, payloads stay plain.

    ``key_ids`` are the ids of its keys, ``newest`` is the id of the one that seals; None without keys. ``setting`` is
    where people put its keys.
    """

    __slots__ = ("_fernets", "key_ids", "newest", "setting")

    def __init__(self, fernets: dict[str, Fernet], setting: str = PAYLOAD_KEYS) -> None:
        self._fernets = fernets
        self.setting = setting
        self.key_ids = tuple(fernets)
        self.newest = next(iter(fernets), None)

    @classmethod
    def from_keys(cls, text: str, setting: str = PAYLOAD_KEYS) -> "Sealer":
        """A sealer with the keys in a text, newest first, between them commas, spaces or line ends.

        Raises:
            WrongKeys: one is no Fernet key, or is there twice.
        """
        keys = [key for key in re.split(r"[,\s]+", text) if key]
        places: dict[str, int] = {}
        for place, key in enumerate(keys, start=1):
            if not KEY.fullmatch(key):
                raise WrongKeys(f"key {place} of {len(keys)} is no Fernet key: 'ajo-dispatch keys new' makes one")
            if (first := places.setdefault(key_id_of(key), place)) != place:
                raise WrongKeys(f"key {place} of {len(keys)} is the same as key {first}")
        return cls({key_id: Fernet(keys[place - 1]) for key_id, place in places.items()}, setting)

    def seal(self, payload: bytes) -> tuple[str | None, bytes]:
        """The id of the newest key, and the payload sealed under it; None and the payload itself without keys."""
        if self.newest is None:
            return None, payload
        return self.newest, urlsafe_b64decode(self._fernets[self.newest].encrypt(payload))

    def open(self, key_id: str | None, sealed: bytes) -> bytes:
        """The payload; what has no key id was stored plain.

        Raises:
            UnknownKey: no key here has this id.
            BrokenSeal: the bytes were not sealed under it.
        """
        if key_id is None:
            return sealed
        fernet = self._fernets.get(key_id)
        if fernet is None:
            raise UnknownKey(key_id, self.setting)
        try:
            return fernet.decrypt(urlsafe_b64encode(sealed))
        except InvalidToken:
            raise BrokenSeal(f"can't be opened with its key {key_id}: its bytes or its key id were changed") from None

    def reseal(self, key_id: str | None, sealed: bytes) -> tuple[str | None, bytes] | None:
        """As ``seal``, of what is sealed under an older key or plain; None if it is under the newest already.

        Raises:
            UnknownKey, BrokenSeal: as ``open``.
        """
        return None if key_id == self.newest else self.seal(self.open(key_id, sealed))


def new_key() -> str:
    """A fresh key."""
    return Fernet.generate_key().decode()


def key_id_of(key: str) -> str:
    """The id of a key: the begin of its SHA-256 in hexadecimal, which tells nothing of 256 random bits."""
    return sha256(urlsafe_b64decode(key)).hexdigest()[:KEY_ID_DIGITS]
