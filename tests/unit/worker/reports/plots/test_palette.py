"""Colours that everybody can tell apart."""

from itertools import combinations

import pytest
from ajo_worker.reports.plots.palette import COLOURS, HATCHES, variables

SYSTEMS = ("producer", "broker", "worker", "adobe-api", "adobe-departure", "downstream")
BLINDNESS = {
    "none": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
"""How linear red, green and blue are seen: Machado, Oliveira and Fernandes, 2009, severity 1."""
Rgb = tuple[float, float, float]


def linear(colour: str) -> Rgb:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return red, green, blue


def luminance(rgb: Rgb) -> float:
    return 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2]


def contrast(one: str, other: str) -> float:
    """As in WCAG 2."""
    low, high = sorted((luminance(linear(one)), luminance(linear(other))))
    return (high + 0.05) / (low + 0.05)


def lab(rgb: Rgb) -> Rgb:
    red, green, blue = (min(max(part, 0), 1) for part in rgb)
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.95047
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.08883
    fx, fy, fz = (part ** (1 / 3) if part > 0.008856 else 7.787 * part + 16 / 116 for part in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def seen(colour: str, blindness: str) -> Rgb:
    rgb = linear(colour)
    red, green, blue = (sum(a * b for a, b in zip(row, rgb, strict=True)) for row in BLINDNESS[blindness])
    return lab((red, green, blue))


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", sorted(COLOURS.keys() - {"ground", "panel", "line", "band"}))
def test_shapes_stand_out_from_the_ground(name: str, *, dark: bool) -> None:
    assert contrast(COLOURS[name][dark], COLOURS["ground"][dark]) >= 3


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("ground", ["ground", "panel"])
@pytest.mark.parametrize("name", ["text", "quiet", "accent"])
def test_texts_can_be_read(name: str, ground: str, *, dark: bool) -> None:
    assert contrast(COLOURS[name][dark], COLOURS[ground][dark]) >= 4.5


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("blindness", BLINDNESS)
def test_systems_are_told_apart_by_colour_and_by_their_hatching(blindness: str, *, dark: bool) -> None:
    for one, other in combinations(SYSTEMS, 2):
        first, second = (seen(COLOURS[name][dark], blindness) for name in (one, other))
        distance = sum((a - b) ** 2 for a, b in zip(first, second, strict=True)) ** 0.5
        assert distance >= 15, (one, other, distance)
        assert HATCHES[one] != HATCHES[other]


def test_light_colours_are_all_different_so_that_they_are_found_again() -> None:
    assert len({colour.light for colour in COLOURS.values()}) == len(COLOURS)


def test_both_themes_declare_every_colour() -> None:
    assert variables(dark=True).count("--") == variables(dark=False).count("--") == len(COLOURS)
