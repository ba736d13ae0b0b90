"""Files of the repository that the programs use: found in it, or packed into the wheel."""

from pathlib import Path

from ajo_local.child import LocalStackError

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]


def shipped(place: str) -> Path:
    """A file by its place in the repository.

    Raises:
        LocalStackError: it is neither there nor in the wheel.
    """
    for file in (REPOSITORY / place, HERE / Path(place).name):
        if file.is_file():
            return file
    raise LocalStackError(f"the installation is incomplete: {Path(place).name} is missing")


def checkout() -> Path | None:
    """The clone of the repository that these programs run from; None if they are installed by themselves."""
    return REPOSITORY if (REPOSITORY / "Dockerfile").is_file() else None
