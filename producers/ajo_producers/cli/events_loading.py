"""What the commands of ``events`` begin with: campaign definitions, and the mapping file checked against them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from ajo_producers.campaigns.definition import BeforeStart
from ajo_producers.campaigns.folder import DefinitionError, Definitions, load_definitions
from ajo_producers.cli.trigger_file import before_start
from ajo_producers.events.event import Event
from ajo_producers.events.file import DEFAULT_FILE, MappingError, load_mappings
from ajo_producers.events.mapping import Mappings
from ajo_producers.events.translation import Translation, translate

File = Annotated[Path, typer.Option("--mappings", envvar="AJO_EVENTS", help="The mapping file.")]

__all__ = ["DEFAULT_FILE", "File", "Rules", "load"]


class Rules(NamedTuple):
    """By what events become triggers."""

    mappings: Mappings
    definitions: Definitions
    before_start: BeforeStart

    def translate(self, event: Event) -> Translation:
        """What is to be sent for an event, now."""
        return translate(event, self.mappings, self.definitions, datetime.now(UTC), self.before_start)


def load(file: Path, folder: Path) -> Rules:
    """Read both.

    Raises:
        typer.TyperException: one of them has faults; all of them are told.
    """
    try:
        definitions = load_definitions(folder)
        return Rules(load_mappings(file, definitions), definitions, before_start())
    except (DefinitionError, MappingError) as error:
        raise typer.TyperException(str(error)) from error
