"""What was wrong with how a command was called."""

import typer


class WrongUsage(typer.TyperException):
    """Options, the environment or what is installed are at fault: the command ends with 2."""

    exit_code = 2
