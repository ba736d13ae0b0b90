"""A definition's variables as its typed forms have them."""

from collections.abc import Iterator
from typing import NamedTuple

from ajo_producers.campaigns.definition import AREAS, Definition
from ajo_producers.campaigns.tree import Branch, Leaf, Node, area_tree
from ajo_producers.contract.addresses import FIELDS as ADDRESSES


class Area(NamedTuple):
    """One area of a campaign that takes variables; ``needed``: no trigger does without."""

    name: str
    tree: Branch
    needed: bool


def has_address(definition: Definition) -> bool:
    """Whether a recipient is named by an address, which ``to`` brings."""
    return any(name in definition.channel_data for name in ADDRESSES)


def areas(definition: Definition) -> Iterator[Area]:
    """The areas in which something stands that ``to`` doesn't bring, the needed ones first."""
    found = []
    for name in AREAS:
        tree = area_tree(name, getattr(definition, name))
        if name == "channel_data":
            tree = _without_need_of_addresses(tree)
            if len(tree.nodes) == 1 and has_address(definition):
                continue
        if tree.nodes:
            found.append(Area(name, tree, bool(tree.missing)))
    yield from sorted(found, key=lambda area: not area.needed)


def _without_need_of_addresses(tree: Branch) -> Branch:
    nodes: dict[str, Node] = {
        step: node._replace(missing=()) if step in ADDRESSES and isinstance(node, Leaf) else node
        for step, node in tree.nodes.items()
    }
    return Branch(tree.path, nodes, tuple(missing for node in nodes.values() for missing in node.missing))
