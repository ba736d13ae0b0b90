"""The options of ``ajo-dispatch worker``."""

import pytest
from ajo_worker.cli.worker.command import NAME, app
from typer.testing import CliRunner


@pytest.mark.parametrize("name", ["shop", "shop@%h", "shop-1.eu@%n.%d", "%h", "a_b"])
def test_a_name_has_what_queues_and_addresses_may_have(name: str) -> None:
    assert NAME.fullmatch(name)


@pytest.mark.parametrize("name", ["", "%", "100%@%h", "a b", "a@b@c", "@%h", "é", "a\n", "%i", "*"])
def test_another_name_is_wrong_usage(name: str) -> None:
    done = CliRunner().invoke(app, ["--name", name])
    assert done.exit_code == 2
    assert "must be letters" in done.output
