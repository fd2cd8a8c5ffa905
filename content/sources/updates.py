"""The sources that admins write to with `/post`: one of the operators, and one for each chat that has any.

They are no entry of KINDS: nothing has to be read, and so they are never polled.
"""

from datetime import datetime

from content.bounds import MAX_TITLE
from content.markdown import markdown_to_html
from content.text import sanitise
from content.types import ParsedPost

TITLE = "updates"


def to_parsed_post(guid: str, text: str, now: datetime) -> ParsedPost:
    """A text in Markdown as a post: the first line is its title, the rest its body."""
    title, _, body = text.strip().partition("\n")
    html = sanitise(markdown_to_html(body.strip()))
    return ParsedPost(guid=guid, title=title.lstrip("# ").strip()[:MAX_TITLE], published_at=now, html=html)
