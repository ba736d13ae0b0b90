"""Connections, and which of them goes when there are too many. Without I/O.

Nobody has shown a secret before the head of a request is here whole, and until then a connection is worth nothing: so
whoever has kept us waiting longest gives way to a newcomer, and one that sends its request is never kept out.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address

PREFIX = 64
"""Bits of an IPv6 address that tell whose it is: the rest is for its owner to choose."""


@dataclass(slots=True, eq=False)
class Guest:
    """One connection: ``owner`` is its address, ``known`` whether it has sent a request before."""

    owner: str
    known: bool = False


@dataclass(frozen=True, slots=True)
class Room:
    """How many connections there may be, and how many of one address."""

    all: int
    of_one: int


Queue = dict[Guest, None]


@dataclass(slots=True)
class Guests:
    """All connections. Each of its answers takes the same time, however many there are: whoever floods us pays no less.

    Those that keep us waiting are kept by owner, the longest first, and apart by whether they are ``known``.
    """

    room: Room
    _of: defaultdict[str, set[Guest]] = field(default_factory=lambda: defaultdict(set))
    _waiting: defaultdict[str, tuple[Queue, Queue]] = field(default_factory=lambda: defaultdict(lambda: ({}, {})))
    _count: int = 0

    def __len__(self) -> int:
        """How many there are."""
        return self._count

    def __contains__(self, guest: Guest) -> bool:
        """Whether it is here."""
        return guest in self._of.get(guest.owner, ())

    def add(self, guest: Guest) -> None:
        """It has come, and we wait for its request."""
        self._of[guest.owner].add(guest)
        self._count += 1
        self.waits(guest)

    def remove(self, guest: Guest) -> None:
        """It is gone; nothing happens if it was."""
        if guest in self:
            self.in_hand(guest)
            self._count -= 1
            self._of[guest.owner].discard(guest)
            if not self._of[guest.owner]:
                del self._of[guest.owner]

    def waits(self, guest: Guest) -> None:
        """From now on we wait for its next request."""
        self.in_hand(guest)
        self._waiting[guest.owner][guest.known][guest] = None

    def in_hand(self, guest: Guest) -> None:
        """Its request is here."""
        for queue in self._waiting.get(guest.owner, ()):
            queue.pop(guest, None)
        if not any(self._waiting.get(guest.owner, ())):
            self._waiting.pop(guest.owner, None)

    def who_goes(self, newcomer: Guest) -> Guest | None:
        """Who has to go for ``newcomer``, which isn't here yet: perhaps itself; None if there is room.

        Of its own address, where that has too many; else of the address that keeps us waiting with most. Of these the
        one that we have waited for longest, and those that have sent a request before come last.
        """
        if len(self._of.get(newcomer.owner, ())) >= self.room.of_one:
            return self._longest(newcomer.owner) or newcomer
        return (self.longest() or newcomer) if self._count >= self.room.all else None

    def longest(self) -> Guest | None:
        """The one to go of all; None where all requests are in hand."""
        if not self._waiting:
            return None
        return self._longest(max(self._waiting, key=lambda owner: sum(map(len, self._waiting[owner]))))

    def _longest(self, owner: str) -> Guest | None:
        return next((guest for queue in self._waiting.get(owner, ()) for guest in queue), None)


def owner_of(address: str) -> str:
    """Whose connection it is, by its address: of IPv6, of which everybody has many, the first half is told."""
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(IPv6Address(int(found) >> (128 - PREFIX) << (128 - PREFIX)))
    return str(found)
