"""Whether a command prints what a document shows, but for what is of its time and place."""

import re
import socket
from collections.abc import Iterable

HOST = socket.gethostname()
FORMS = (
    (r"\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} ", "DAY "),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "ID"),
    (r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?( UTC|Z|\+00:00)?", "TIME"),
    (r"\d\d:\d\d:\d\d(\.\d+)?( UTC)?", "TIME"),
    (r"\d{4}-\d\d-\d\d", "DAY"),
    (r"\b[0-9a-f]{12,}\b", "HEX"),
    (rf"\b(vm|{re.escape(HOST)}|node-\d)(:\d+)?\b", "HOST"),
    (r"127\.0\.0\.1:\d+", "ADDRESS"),
    (r"(\d[\d,.]* ?(ms|s|min|h|d|days?|hours?)\b ?)+(ago\b)?", "WHILE"),
    (r"(under |over )?\d[\d,]*(\.\d+)?%", "PERCENT"),
    (r"\b\d[\d,]*(\.\d+)?\b", "0"),
    (r"\b0 (\w+?)s\b", r"0 \1"),  # 1 trigger, 2 triggers
    (r"\s+", " "),
)
OF_ITS_TIME = re.compile(r"[0-9]|TIME|ID|HEX|WHILE|PERCENT|ADDRESS|HOST")


def form(line: str) -> str:
    """A line with words in place of what differs from run to run."""
    for pattern, word in FORMS:
        line = re.sub(pattern, word, line)
    return line.strip()


def differences(shown: Iterable[str], printed: str, *, by_example: bool) -> list[str]:
    """What a document shows and a command doesn't print, in this order (``-``), and what it prints beside that (``+``).

    ``…`` stands for anything, and a line of it alone for any lines. ``by_example``: lines with numbers, ids or times in
    them go by what happened; of the others none may be missing.
    """
    wanted = [line for line in shown if line.strip()]
    there = [line for line in printed.splitlines() if line.strip()]
    if by_example:
        wanted = [line for line in wanted if not OF_ITS_TIME.search(form(line))]
    loose = by_example or any(line.strip() == "…" for line in wanted)
    lacking, beside = [], list(there)
    for line in (line for line in wanted if line.strip() != "…"):
        pattern = re.compile(".*".join(map(re.escape, form(line).split("…"))))
        at = next((at for at, real in enumerate(beside) if pattern.fullmatch(form(real))), None)
        if at is None:
            lacking.append(f"- {line}")
        else:
            beside = beside[at + 1 :] if loose else [*beside[:at], *beside[at + 1 :]]
    return lacking if loose else lacking + [f"+ {line}" for line in beside]
