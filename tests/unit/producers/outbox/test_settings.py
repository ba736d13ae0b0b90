"""The outbox's settings: what can't be used is named, with what to do, and never shown."""

import os
from pathlib import Path

import pytest
from ajo_producers.contract.sealing import new_key
from ajo_producers.outbox.database import OutboxUnavailable, connect, explain, place
from ajo_producers.outbox.settings import KEYS, RelaySettings, read_relay, read_sealer
from ajo_producers.publishing.errors import SettingError

URL = "postgresql://shop:secret@db.example.com:5432/shop"


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg", "postgresql+asyncpg"])
def test_the_address_may_be_sqlalchemys(scheme: str) -> None:
    told = read_relay({"AJO_OUTBOX_URL": URL.replace("postgresql", scheme)})
    assert told == RelaySettings(url=URL, table="ajo_outbox", keep=0.0, poll=1.0, late=60.0)
    assert "secret" not in repr(told)
    assert place(told) == "ajo_outbox in database 'shop' at db.example.com:5432"


@pytest.mark.parametrize(
    ("env", "told"),
    [
        ({}, "AJO_OUTBOX_URL is not set"),
        ({"AJO_OUTBOX_URL": "mysql://secret@h/d"}, "AJO_OUTBOX_URL must be like postgresql://"),
        ({"AJO_OUTBOX_URL": URL, "AJO_OUTBOX_KEEP": "secret"}, "AJO_OUTBOX_KEEP must be a number of seconds"),
        ({"AJO_OUTBOX_URL": URL, "AJO_OUTBOX_POLL": "0"}, "AJO_OUTBOX_POLL must be 0.05 to 31,536,000 seconds"),
        ({"AJO_OUTBOX_URL": URL, "AJO_OUTBOX_LATE": "nan"}, "AJO_OUTBOX_LATE must be 1 to 31,536,000 seconds"),
        ({"AJO_OUTBOX_URL": URL, "AJO_OUTBOX_TABLE": "secret-1"}, "AJO_OUTBOX_TABLE"),
    ],
)
def test_what_can_not_be_used_is_named(env: dict[str, str], told: str) -> None:
    with pytest.raises(SettingError) as raised:
        read_relay(env)
    assert told in str(raised.value)
    assert "secret" not in str(raised.value)


def test_keys_are_fernet_keys_or_refused_by_their_place() -> None:
    assert read_sealer({}) is None
    key = new_key()
    sealer = read_sealer({KEYS: key})
    assert sealer is not None
    assert sealer.open(*sealer.seal(b"{}")) == b"{}"
    with pytest.raises(SettingError, match=f"{KEYS}: key 2 of 2 is no Fernet key: 'ajo-dispatch outbox key' makes one"):
        read_sealer({KEYS: f"{key},secret"})


def test_a_password_that_is_not_percent_encoded_is_never_shown() -> None:
    told = read_relay({"AJO_OUTBOX_URL": "postgresql://shop:se/cr@et@db.example.com/shop"})
    assert "cr@et" not in place(told)
    assert "cr@et" not in explain(told, OSError(111, "Connection refused"))


async def test_a_pipe_in_a_certificate_s_place_is_told_and_stops_no_loop(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "ca.pem")
    url = f"postgresql://u:p@127.0.0.1:1/db?sslmode=verify-full&sslrootcert={tmp_path}/ca.pem"
    with pytest.raises(OutboxUnavailable, match=r"sslrootcert: .*ca\.pem: is no regular file"):
        await connect(read_relay({"AJO_OUTBOX_URL": url}))
