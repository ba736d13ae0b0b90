"""Numbers of things, for people. Pure."""


def counted(number: int, word: str) -> str:
    """A number with its word: ``1 trigger``, ``2,000 triggers``."""
    return f"{number:,} {word}{'s' * (number != 1)}"
