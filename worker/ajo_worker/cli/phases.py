"""The names of phases and systems as people read them."""

SYSTEMS = {
    "producer": "producer",
    "broker": "broker",
    "worker": "ours",
    "adobe-api": "Adobe's API",
    "adobe-departure": "Adobe, before departure",
    "downstream": "mailbox providers",
    "clocks": "no time: clocks disagree",
    "none": "on time",
    "not-yet-known": "not yet known",
    "": "unexplained",
}

AFTER_THE_END = ("departure", "delivery")
"""Phases that are in no total."""


def label(phase: str) -> str:
    """A phase's name."""
    return phase.replace("_", " ")
