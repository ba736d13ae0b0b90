"""A definition's variables as the tree that a payload is walked along, made once and used for every recipient."""

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

from msgspec import UNSET

from ajo_producers.campaigns.definition import Variable
from ajo_producers.campaigns.values import takes


class Leaf(NamedTuple):
    """A variable with its full path, the test of its values, and what is missing without it (its path, or nothing).

    Text that is ``addressing`` must not be blank.
    """

    path: str
    variable: Variable
    takes: Callable[[object], bool]
    missing: tuple[str, ...]
    addressing: bool


class Branch(NamedTuple):
    """An object that holds variables; ``missing`` are the required ones below it."""

    path: str
    nodes: dict[str, "Node"]
    missing: tuple[str, ...]


Node: TypeAlias = Leaf | Branch


def area_tree(area: str, variables: Mapping[str, Variable]) -> Branch:
    """The tree of one area (``context``, ``profile``, ``channel_data``).

    Raises:
        ValueError: a variable lies inside another one.
    """
    return _branch(area, {tuple(path.split(".")): variable for path, variable in variables.items()})


def _branch(path: str, variables: dict[tuple[str, ...], Variable]) -> Branch:
    nodes: dict[str, Node] = {}
    for step in dict.fromkeys(steps[0] for steps in variables):
        below = {steps[1:]: variable for steps, variable in variables.items() if steps[0] == step}
        leaf = below.get(())
        if leaf is None:
            nodes[step] = _branch(f"{path}.{step}", below)
        elif len(below) == 1:
            nodes[step] = _leaf(f"{path}.{step}", leaf)
        else:
            raise ValueError(f"{path}.{step} is a variable, and so is something inside it")
    return Branch(path, nodes, tuple(missing for node in nodes.values() for missing in node.missing))


def _leaf(path: str, variable: Variable) -> Leaf:
    needed = variable.required and variable.default is UNSET
    missing = (path,) if needed else ()
    return Leaf(path, variable, takes(variable), missing, addressing=path.startswith("channel_data."))


def leaves(branch: Branch) -> list[str]:
    """Full paths of all variables below a branch."""
    return [
        path for node in branch.nodes.values() for path in (leaves(node) if isinstance(node, Branch) else [node.path])
    ]
