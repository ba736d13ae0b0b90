"""A working folder for newcomers: settings, secrets, a campaign, and how to run all of it."""

import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from ajo_producers.contract.reading import read_text
from ajo_producers.contract.sealing import new_key

from ajo_local.shipped import checkout, shipped
from ajo_local.stack import DEFINITION, SAMPLE

COPIED = {
    "docker-compose.yml": "docker-compose.yml",
    DEFINITION: DEFINITION,
    SAMPLE: SAMPLE,
    "scenario.toml": "worker/ajo_local/scenario.toml",
    "events.toml": "worker/ajo_local/events.toml",
    "event.json": "worker/ajo_local/event.json",
}
"""Files of a working folder, and where the repository has them."""
IGNORED = "# Secrets, and what a local stack keeps\n.env\nsecrets/\ndata/\n"
FILLED_IN = "client_secret"
"""The only secret that can't be made: the Developer Console shows it."""
READABLE, ENTERABLE = 0o644, 0o755
"""Containers have other users than this machine; the folder of the secrets is its owner's alone."""


class Made(NamedTuple):
    """What was made, and what was there before and stays as it is: places in the folder."""

    made: list[str]
    kept: list[str]


def make_working_folder(folder: Path) -> Made:
    """Make what is missing; nothing that is there is changed.

    Raises:
        OSError: the folder can't be written.
        LocalStackError: the installation is incomplete.
    """
    folder.mkdir(parents=True, exist_ok=True)
    contents = {place: shipped(source).read_text(encoding="utf-8") for place, source in COPIED.items()}
    contents |= {".env": _env(checkout()), ".gitignore": IGNORED, "orders.csv": _orders(datetime.now(UTC))}
    (folder / "secrets").mkdir(mode=0o700, exist_ok=True)
    contents |= {f"secrets/{name}": text for name, text in _secrets(folder / "secrets").items()}
    found = Made([], [])
    for place, text in contents.items():
        file = folder / place
        if file.exists():
            found.kept.append(place)
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        file.chmod(READABLE)
        found.made.append(place)
    if any(place.startswith("campaigns/") for place in found.made):
        (folder / "campaigns").chmod(ENTERABLE)
    return found


def _orders(shipped_at: datetime) -> str:
    """Three orders that were shipped just now: key and time name each, so that none is sent twice."""
    head = "to,key,occurred_at,context.orderId,context.customer.firstName,context.carrier\n"
    people = {"ada": "Swift Parcels", "grace": "Swift Parcels", "edsger": ""}
    return head + "".join(
        f"{name}@example.com,A-{number},{shipped_at:%Y-%m-%dT%H:%M:%SZ},A-{number},{name.title()},{carrier}\n"
        for number, (name, carrier) in enumerate(people.items(), 1)
    )


def _env(source: Path | None) -> str:
    image = f"AJO_SOURCE={source}" if source else "# AJO_SOURCE=/path/to/a/clone/of/ajo-dispatch"
    return f"""\
# What docker-compose.yml reads beside secrets/: what the Developer Console project shows.
# All settings: docs/configuration.md
AJO_CLIENT_ID=
AJO_ORG_ID=
# AJO_SCOPES=openid,AdobeID,read_organizations

# Where the image is built from
{image}
"""


def _secrets(folder: Path) -> dict[str, str]:
    """All of them; those that name a password have the one that is there already."""
    postgres = _password(folder / "postgres_password")
    rabbitmq = _password(folder / "rabbitmq.conf", "default_pass = ")
    return {
        "postgres_password": postgres,
        "database_url": f"postgresql://ajo:{postgres}@postgres:5432/ajo",
        "rabbitmq.conf": f"default_user = ajo\ndefault_pass = {rabbitmq}\n",
        "broker_url": f"amqp://ajo:{rabbitmq}@rabbitmq:5672//",
        FILLED_IN: "",
        "hash_key": secrets.token_urlsafe(32),
        "payload_keys": new_key(),
        "events_tokens": f"{secrets.token_hex(32)}\n",
        "flowerconfig.py": f'basic_auth = ["ajo:{secrets.token_urlsafe(18)}"]\n',
    }


def _password(file: Path, before: str = "") -> str:
    if file.exists():
        for line in read_text(file).splitlines():
            if line.startswith(before):
                return line.removeprefix(before).strip()
    return secrets.token_urlsafe(18)
