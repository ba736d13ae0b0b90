"""What has happened before a document's next commands: made by the real parts, as far as that is quick."""

from collections.abc import Callable

from tests.acceptance.docs.place import Place
from tests.acceptance.docs.scenes import arrivals, campaigns, ledgers, machines, stacks

STAGES: dict[str, Callable[[Place], None]] = {
    "an intake that knows a signing secret": arrivals.signing_intake,
    "an empty folder": lambda _place: None,
    "a shop and its stack": stacks.shop,
    "a clone": campaigns.clone,
    "a copied sample": campaigns.copied_sample,
    "a changed sample": campaigns.changed_sample,
    "a bad sample": campaigns.bad_sample,
    "a bad definition": campaigns.bad_definition,
    "campaigns that differ from Adobe's": campaigns.differing_campaigns,
    "the repository's campaigns": campaigns.definitions,
    "files of people": campaigns.files_of_people,
    "a file of Windows": campaigns.windows,
    "a stack with 40 orders": stacks.stack,
    "a stack with dead letters": stacks.letters,
    "new dead letters": stacks.new_letters,
    "a message of 100 triggers": stacks.hundred,
    "the Cosmos outage": stacks.cosmos,
    "the key is repaired": stacks.repaired,
    "nothing is parked any more": stacks.over,
    "alerts of all kinds": ledgers.alerting,
    "payloads under three keys": ledgers.three_keys,
    "triggers of two campaigns": ledgers.two_campaigns,
    "secrets in files": machines.secrets_in_files,
    "another terminal": machines.another_terminal,
    "a working folder and its stack": stacks.working_folder,
    "what was triggered is accepted": stacks.accepted,
    "a mapping file with faults": arrivals.bad_mappings,
    "three events": arrivals.three_events,
    "the template is fixed": stacks.repaired,
    "days to be sealed": ledgers.old_days,
    "rows of sealed days were changed": ledgers.forged,
    "a chain whose key is not set": ledgers.keyless,
    "a worker's machine with faults": machines.faulty_machine,
    "a worker that has probed its ways": stacks.probed_network,
    "scenarios": stacks.scenarios,
    "a receiver over plain HTTP": arrivals.receiver,
    "an export of feedback": arrivals.export,
}


def set_stage(place: Place, name: str) -> None:
    """Set a stage by its name in a document."""
    STAGES[name](place)
