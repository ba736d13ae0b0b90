"""Stages of campaign definitions, their samples, and the files that people trigger them from."""

import shutil
import sys
import tomllib

from tests.acceptance.docs.place import Place, credentials
from tests.support.documents import ROOT

ORDERS = "to,key,occurred_at,context.orderId,context.customer.firstName,context.carrier\n" + "".join(
    f"ada{number}@example.com,A-{number},2026-11-29T08:00:00Z,A-{number},Ada,Swift Parcels\n" for number in range(40)
)


def definitions(place: Place) -> None:
    """The repository's campaigns, and its sample as people have copied it."""
    shutil.copytree(ROOT / "campaigns", place.folder / "campaigns", dirs_exist_ok=True)
    shutil.copy(ROOT / "campaigns/samples/order-shipped.curl", place.folder)
    place.write("orders.csv", ORDERS)


def clone(place: Place) -> None:
    """The repository as ``make`` leaves it."""
    (place.folder / ".venv").symlink_to(sys.prefix)


def copied_sample(place: Place) -> None:
    """Nothing but the sample."""
    shutil.copy(ROOT / "campaigns/samples/order-shipped.curl", place.folder)


def changed_sample(place: Place) -> None:
    """The definition was edited, and in Journey Optimizer a variable has another name."""
    definitions(place)
    sample = (ROOT / "campaigns/samples/order-shipped.curl").read_text(encoding="utf-8")
    place.write("new.curl", sample.replace("carrier", "courier"))


def bad_sample(place: Place) -> None:
    """A sample with three faults."""
    sample = (ROOT / "campaigns/samples/password-reset.curl").read_text(encoding="utf-8")
    for right, wrong in (("POST", "GET"), ('"external"', '"aep"'), ('"context": {', '"context": { "system": "x",')):
        assert right in sample
        sample = sample.replace(right, wrong)
    place.write("bad.curl", sample)


def bad_definition(place: Place) -> None:
    """A definition with two typing errors."""
    file = place.folder / "campaigns/order-shipped.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("sandbox =", "sandbx =").replace("default =", "defautl ="), encoding="utf-8")


def differing_campaigns(place: Place) -> None:
    """Adobe says something else of both campaigns."""
    definitions(place)
    ids = [
        tomllib.loads((place.folder / f"campaigns/{name}.toml").read_text(encoding="utf-8"))["campaign_id"]
        for name in ("order-shipped", "password-reset")
    ]
    simulator = place.start_simulator(
        f'[[campaign]]\nid = "{ids[0]}"\nend = 2027-01-01T00:00:00Z\nnamespace = "email"\nthroughput = "standard"\n'
        f'create_profiles = false\n[[campaign]]\nid = "{ids[1]}"\nstatus = "STOPPED"\nnamespace = "email"\n'
        'throughput = "high"\n'
    )
    place.terminal.env |= credentials(simulator)


def files_of_people(place: Place) -> None:
    """Orders, and addresses as a spreadsheet leaves them."""
    definitions(place)
    shutil.copy(place.folder / "campaigns/order-shipped.toml", place.folder / "campaigns/order.toml")
    addresses = ["Ada <ada@example.com>", "4.91702E+11", "#N/A", "NULL", '"ada@example.com, grace@example.com"']
    place.write("no-addresses.csv", "to,context.orderId,context.customer.firstName\n" + "".join(
        f"{address},A,Ada\n" for address in addresses
    ))  # fmt: skip
    place.terminal.env |= place.settings


def windows(place: Place) -> None:
    """A name with an umlaut, as Excel's plain CSV has it."""
    place.write("orders.csv", "to,context.orderId,context.customer.firstName\nada@example.com,A,Zoë\n".encode("cp1252"))
