"""The signals that tell a program to stop: whatever runs for long ends at each of them alike."""

import signal

HANGUP, OF_CONTAINERS = "SIGHUP", ("SIGPWR",)
"""A terminal that is closed; and LXC's word to the first process of a container."""
OF_SYSTEMD = 3
"""The real-time signal, counted from the first, by which systemd is told so: systemd-nspawn and images made for it."""
INSISTING = (signal.SIGTERM, signal.SIGINT)
"""A second one of these insists, and cuts off what is under way. A second one of the others says nothing new: systemd
sends a SIGHUP right behind its SIGTERM (``SendSIGHUP=``)."""


def stop_signals() -> tuple[int, ...]:
    """Those that there are here. A SIGHUP that is ignored stays so, as nohup has it."""
    names = ["SIGTERM", "SIGINT", *OF_CONTAINERS]
    if hasattr(signal, HANGUP) and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        names.append(HANGUP)
    found = [int(getattr(signal, name)) for name in names if hasattr(signal, name)]
    return (*found, signal.SIGRTMIN + OF_SYSTEMD) if hasattr(signal, "SIGRTMIN") else tuple(found)
