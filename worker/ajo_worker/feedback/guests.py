"""Connections to the webhook's receiver, and which of them goes when there are too many. Pure.

Nobody has shown a secret before the head of a request is here whole, and until then a connection is worth nothing: so
whoever has kept us waiting longest gives way to a newcomer, and one that sends its request is never kept out.
"""

from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

PREFIX = 64
"""Bits of an IPv6 address that tell whose it is: the rest is for its owner to choose."""


@dataclass(slots=True, eq=False)
class Guest:
    """One connection: ``owner`` is its address, ``waiting_since`` when we began to wait for its next request
    (monotonic; None while one is in hand), ``known`` whether it has sent one before.
    """

    owner: str
    waiting_since: float | None
    known: bool = False


@dataclass(frozen=True, slots=True)
class Room:
    """How many connections there may be, and how many of one address."""

    all: int
    of_one: int


def owner_of(address: str) -> str:
    """Whose connection it is, by its address: of IPv6, of which everybody has many, the first half is told."""
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(IPv6Address(int(found) >> (128 - PREFIX) << (128 - PREFIX)))
    return str(found)


def who_goes(guests: Collection[Guest], newcomer: Guest, room: Room) -> Guest | None:
    """Who has to go for ``newcomer``, who isn't among ``guests`` yet: perhaps itself; None if there is room.

    Of its own address, where that has too many; else of the address that keeps us waiting with most. Of these the one
    that we have waited for longest, and those that have sent a request before come last.
    """
    own = [guest for guest in guests if guest.owner == newcomer.owner]
    if len(own) >= room.of_one:
        return _longest(own) or newcomer
    if len(guests) < room.all:
        return None
    waiting: dict[str, list[Guest]] = {}
    for guest in guests:
        if guest.waiting_since is not None:
            waiting.setdefault(guest.owner, []).append(guest)
    return _longest(max(waiting.values(), key=len)) if waiting else newcomer


def _longest(guests: list[Guest]) -> Guest | None:
    waiting = [(guest.known, guest.waiting_since, guest) for guest in guests if guest.waiting_since is not None]
    return min(waiting, key=lambda one: one[:2])[2] if waiting else None
