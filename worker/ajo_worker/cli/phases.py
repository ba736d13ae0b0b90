"""The names of the phases as people read them, and whose time each one is."""

from ajo_worker.ledger.delays import PHASES

WHOSE = {
    "producer": "producer",
    "broker": "broker",
    "earlier_rounds": "outage, redrive",
    "worker": "ours",
    "worker_slot": "ours",
    "worker_rate_limit": "rate limit",
    "worker_token": "Adobe's token",
    "worker_ledger": "PostgreSQL",
    "worker_other": "ours",
    "own_wait": "retry waits",
    "api": "Adobe's API",
    "handover": "a dead worker",
    "ending": "ours",
    "residual": "unexplained",
}


def label(phase: str) -> str:
    """A phase's name, indented where it is a part of the phase before."""
    depth = PHASES[phase]
    return "  " * depth + (phase.removeprefix("worker_") if depth else phase).replace("_", " ")
