"""Reads a list of feeds that a person names on the command line."""

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from content.errors import UsageError

if TYPE_CHECKING:
    from content.opml import Feeds

STANDARD = Path("-")  # standard input or output


def read_opml(file: Path) -> "Feeds":
    """Read the feeds of a file; `-` is standard input. The URLs are not checked.

    Raises UsageError if it cannot be read, is not OPML or has no feeds.
    """
    from content.opml import MAX_BYTES, parse_opml

    name = "standard input" if file == STANDARD else str(file)
    try:
        with nullcontext(sys.stdin.buffer) if file == STANDARD else file.open("rb") as opened:
            feeds = parse_opml(opened.read(MAX_BYTES + 1))
    except (OSError, UsageError) as exc:
        raise UsageError(f"{name} cannot be read as OPML: {exc}") from exc
    if not feeds:
        raise UsageError(f"{name} names no feeds: an OPML file has outlines with an xmlUrl")
    return feeds
