"""Colours of plots and page, for light and dark; what differs in colour differs in its hatching too.

matplotlib draws with the light ones; in the page each becomes a CSS variable. Systems keep their colours everywhere.
Contrast with the ground is 3:1 or more for shapes and 4.5:1 for texts, and systems stay apart for colour-blind eyes:
tests hold both.
"""

from typing import NamedTuple


class Colour(NamedTuple):
    """A colour on the light ground and on the dark one."""

    light: str
    dark: str


COLOURS = {
    "ground": Colour("#fdfdfc", "#16181d"),
    "panel": Colour("#f3f3f0", "#20232a"),
    "text": Colour("#1b1d22", "#e9e9e6"),
    "quiet": Colour("#565a64", "#a8acb6"),
    "line": Colour("#d6d6d0", "#3a3e48"),
    "accent": Colour("#0b57a4", "#7db8f5"),
    "band": Colour("#8a8a91", "#8b8b92"),
    "plain": Colour("#7c8799", "#77849a"),
    "late": Colour("#c2341c", "#ff7a5c"),
    "producer": Colour("#2259b4", "#6f9cf0"),
    "broker": Colour("#007e63", "#3fc79f"),
    "worker": Colour("#7b5d00", "#e0b515"),
    "adobe-api": Colour("#e34d39", "#ff7a63"),
    "adobe-departure": Colour("#de6d11", "#f59c4a"),
    "downstream": Colour("#8c2f87", "#d884ca"),
    "clocks": Colour("#50545c", "#b4b8c0"),
    "not-yet-known": Colour("#74787f", "#92969e"),
}
"""By name. The light ones are all different, since that is how they are found again in a plot."""

HATCHES = {
    "producer": "///",
    "broker": "...",
    "worker": "\\\\\\",
    "adobe-api": "",
    "adobe-departure": "xxx",
    "downstream": "---",
    "clocks": "+++",
    "not-yet-known": "|||",
}
"""How each system is hatched."""


def variables(*, dark: bool) -> str:
    """The colours as CSS declarations."""
    return " ".join(f"--{name}: {colour.dark if dark else colour.light};" for name, colour in COLOURS.items())


def light(name: str) -> str:
    """What matplotlib draws with."""
    return COLOURS[name].light
