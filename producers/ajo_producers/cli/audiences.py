"""Who uses which command: the groups of ``ajo-dispatch --help``, in the order in which people meet them."""

from collections.abc import Iterable

AUDIENCES = {
    "Producers: import campaigns, trigger them": ("campaigns", "trigger", "events", "outbox"),
    "Operators: what goes on, what is wrong, back to normal": (
        "status",
        "alerts",
        "top",
        "outage",
        "dead",
        "quarantine",
        "network",
    ),
    "Auditors: who delayed what, and whether that was changed": ("delays", "report", "audit"),
    "Administrators: set it up, run it, check it": (
        "init",
        "settings",
        "keys",
        "db",
        "worker",
        "doctor",
        "feedback",
        "metrics",
    ),
    "Developers: all of it on one machine": ("demo", "dev", "simulate"),
}
"""A heading, and its commands."""

OTHERS = "Others"


def grouped(names: Iterable[str]) -> dict[str, list[str]]:
    """The headings with those of the commands that are installed; what has no heading comes last. Pure."""
    installed = list(names)
    groups = {heading: [name for name in named if name in installed] for heading, named in AUDIENCES.items()}
    groups[OTHERS] = sorted(set(installed).difference(*AUDIENCES.values()))
    return {heading: named for heading, named in groups.items() if named}
