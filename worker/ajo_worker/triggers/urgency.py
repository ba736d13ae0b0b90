"""Whose turn it is among triggers that wait for the same."""

from enum import IntEnum


class Urgency(IntEnum):
    """A retry goes before a first attempt, since its budget is running; what is urgent goes before both.

    What was parked goes before what is new, and never before a retry: after an outage many go on at a low rate.
    """

    URGENT = 0
    RETRY = 1
    RESUMED = 2
    FIRST = 3
