"""Parses numbers from people, buttons and the command line, any of which may be far too large."""

DIGITS = 15
# Skywave has no longer numbers, and the databases do not accept them.
LARGEST = 10**DIGITS - 1


def number(text: str) -> int | None:
    """Parse a decimal number; None if the text is no number or has too many digits."""
    return int(text) if text.isdecimal() and len(text) <= DIGITS else None
