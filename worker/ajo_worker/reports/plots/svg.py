"""Makes matplotlib's SVG fit to stand in a page: colours and font of the page, no name used twice, texts for all."""

import re
from io import StringIO
from xml.etree import ElementTree as ET

from matplotlib.figure import Figure

from ajo_worker.reports.plots.palette import COLOURS

SVG = "http://www.w3.org/2000/svg"
LINK = "{http://www.w3.org/1999/xlink}href"
NAMED = {colour.light: f"var(--{name})" for name, colour in COLOURS.items()}
LEFT_OUT = {f"{{{SVG}}}metadata", f"{{{SVG}}}style"}
FONT = re.compile(r"font: ([\d.]+px)[^;]*")
FONT_FAMILY = re.compile(r"font-family:[^;]*;?")
COLOUR = re.compile(r"#[0-9a-f]{6}\b")
REFERENCE = re.compile(r"(?:url\(|^)#([\w-]+)")
COORDINATES = {"d", "x", "y", "width", "height", "transform"}
LONG_NUMBER = re.compile(r"-?\d+\.\d{2,}(?!e)")
"""A tenth of a pixel is enough."""


def inline_svg(figure: Figure, name: str, title: str) -> str:
    """The figure as an SVG element; ``name`` goes before its ids, ``title`` says what is to be seen."""
    text = StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    root = ET.fromstring(text.getvalue())  # noqa: S314 - made above, by us
    kept = _referred(root)
    for element in list(root.iter()):
        element.text, element.tail = (element.text or "").strip() or None, None
        for child in [child for child in element if child.tag in LEFT_OUT]:
            element.remove(child)
        for key, value in list(element.attrib.items()):
            _tidy(element, key, value, name, kept)
    box = root.attrib["viewBox"]
    root.attrib.clear()
    root.attrib.update({"viewBox": box, "role": "img", "aria-label": title, "class": name.rpartition("-")[2]})
    ET.register_namespace("", SVG)
    return ET.tostring(root, encoding="unicode")


def _referred(root: ET.Element) -> set[str]:
    """The ids that something refers to."""
    values = [value for element in root.iter() for value in element.attrib.values()]
    return {found for value in values for found in REFERENCE.findall(value)}


def _tidy(element: ET.Element, key: str, value: str, name: str, kept: set[str]) -> None:
    if key == "id":
        del element.attrib["id"]
        if value in kept:
            element.set("id", f"{name}-{value}")
    elif key == LINK:  # the newer name needs no namespace
        del element.attrib[LINK]
        element.set("href", f"#{name}-{value[1:]}")
    elif key in {"style", "fill"}:
        value = FONT_FAMILY.sub("", FONT.sub(r"font-size: \1", value))
        value = COLOUR.sub(lambda found: NAMED.get(found[0], found[0]), value)
        element.attrib.pop(key)
        element.set("style", (value if key == "style" else f"fill: {value}").replace("url(#", f"url(#{name}-"))
    else:
        rounded = LONG_NUMBER.sub(lambda found: f"{float(found[0]):.1f}", value) if key in COORDINATES else value
        element.set(key, rounded.replace("url(#", f"url(#{name}-"))
