"""A recipient's addresses and user id: what is wrong with them, and what is cut off around them. Pure."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from ajo_producers.campaigns.definition import Definition
from ajo_producers.contract.addresses import FIELDS, NAMESPACES, AddressKind, cut, flaw_of
from ajo_producers.contract.trigger import Recipient

MAX_USER_ID = 512

Names: TypeAlias = Mapping[str, str | None]
"""For paths of a recipient, by which name its caller gave what stands there; None: what is wrong is told already."""
NO_NAMES: Names = MappingProxyType({})


class RecipientAddresses:
    """What a definition asks of them: ``fields`` of the channel data are addresses; so is a user id of ``id_kind``."""

    def __init__(self, definition: Definition) -> None:
        self._namespace = definition.namespace
        self._flaw_of = flaw_of(definition.address_check)
        self.id_kind = NAMESPACES.get(definition.namespace.lower()) if definition.address_check != "off" else None
        self.fields: dict[str, AddressKind] = {
            name: kind
            for name, kind in FIELDS.items()
            if name in definition.channel_data and definition.address_check != "off"
        }

    def without_blanks(self, recipient: Recipient) -> dict[str, Any]:
        """The recipient's attributes that have blanks around addresses, without these."""
        changed: dict[str, Any] = {}
        user_id, data = recipient.user_id, recipient.channel_data
        if self.id_kind is not None and isinstance(user_id, str) and cut(user_id) != user_id:
            changed["user_id"] = cut(user_id)
        for name in self.fields:
            value = data.get(name) if isinstance(data, dict) else None
            if isinstance(value, str) and cut(value) != value:
                changed["channel_data"] = changed.get("channel_data", data) | {name: cut(value)}
        return changed

    def problems(self, recipient: Recipient, names: Names) -> dict[str | None, str]:
        """What is wrong with addresses and user id, by name: one value often stands in both."""
        flaws: dict[str | None, str] = {}
        user_id, data, right = recipient.user_id, recipient.channel_data, False
        for field, kind in self.fields.items():
            value = data.get(field) if isinstance(data, dict) else None
            if flaw := self._flaw(kind, value):
                flaws.setdefault(names.get(path := f"channel_data.{field}", path), flaw)
            elif kind == self.id_kind and value == user_id:
                right = True
        if not right and (flaw := self._user_id_flaw(user_id)):
            flaws.setdefault(names.get("user_id", "user_id"), flaw)
        flaws.pop(None, None)
        return flaws

    def _flaw(self, kind: AddressKind, value: object) -> str | None:
        if isinstance(value, str):
            return self._flaw_of(kind, value)
        # A variable of type string takes them; an address is none.
        return "must be text, in quotation marks" if isinstance(value, int | float) else None

    def _user_id_flaw(self, user_id: object) -> str | None:
        if not isinstance(user_id, str) or len(user_id) > MAX_USER_ID:
            return f"must be text of 1 to {MAX_USER_ID} characters"
        if not cut(user_id):
            return "is blank"
        flaw = self._flaw_of(self.id_kind, user_id) if self.id_kind else None
        return flaw and f"{flaw} (as a user id of the namespace {self._namespace})"
