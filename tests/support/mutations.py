"""Valid texts with a few small faults, as slips of the keyboard and broken transfers make them."""

from typing import Any, TypeVar

from hypothesis import strategies as st

LONGEST = 8
"""Characters or bytes that one fault touches at most."""

Sequence = TypeVar("Sequence", str, bytes)


def mutated(text: Sequence, pieces: st.SearchStrategy[Sequence]) -> st.SearchStrategy[Sequence]:
    """``text`` with one to four faults: something left out, doubled, overwritten, put in, or cut off."""

    @st.composite
    def faulty(draw: st.DrawFn) -> Sequence:
        made = text
        for _ in range(draw(st.integers(1, 4))):
            at = draw(st.integers(0, len(made)))
            until = min(at + draw(st.integers(0, LONGEST)), len(made))
            before, touched, after = made[:at], made[at:until], made[until:]
            match draw(st.sampled_from(["out", "double", "over", "in", "out", "double", "over", "in", "off"])):
                case "out":
                    made = before + after
                case "double":
                    made = before + touched + touched + after
                case "over":
                    made = before + draw(pieces) + after
                case "in":
                    made = before + draw(pieces) + touched + after
                case "off":
                    made = before
        return made

    return faulty()


def paths(value: Any) -> list[tuple[Any, ...]]:
    """The path of every value inside a JSON value, by keys and indexes."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(key, *rest) for key, inner in items for rest in [(), *paths(inner)]]
