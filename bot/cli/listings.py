"""The preview of a listing page on the command line: its first posts, and the selectors that find them."""

from bot.cli.common import counted, warn
from bot.cli.tables import print_table
from content.secrets import printable
from content.sources import Choice
from content.sources.discovery import Found
from content.sources.listing import confirmed
from content.text import excerpt, plain_text

SHOWN = 10
EXCERPT = 60  # characters


def show_preview(found: Found) -> Choice:
    """Print what was found on a page, and return the choice of just these selectors."""
    posts, choice = found.parsed.posts, confirmed(found.options)
    warn(f"{found.parsed.title or printable(found.url)}: {counted(len(posts), 'post')}")
    rows = [
        (f"{post.published_at:%Y-%m-%d}" if post.published_at else "no date", post.title,
         excerpt(plain_text(post.html), EXCERPT) or "none", post.url)
        for post in posts[:SHOWN]
    ]  # fmt: skip
    print_table(("published", "title", "excerpt", "url"), rows, "No posts.")
    for name, selector in choice.options.items():
        warn(f"  {name:8}{selector or '(none)'}")
    return choice
