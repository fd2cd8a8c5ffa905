"""Numbers that come from people, buttons and the command line: any of them may be far too large."""

DIGITS = 15
# A longer number is none of ours, and no database takes it.
LARGEST = 10**DIGITS - 1


def number(text: str) -> int | None:
    """The number that a text is; None for one that is too long, and for everything else."""
    return int(text) if text.isdecimal() and len(text) <= DIGITS else None
