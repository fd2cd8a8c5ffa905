"""What admins write themselves: a source that is written to, so there is nothing to read."""

from datetime import datetime

from content.bounds import MAX_TITLE
from content.sources.kinds import Read, ReadContext
from content.text import markdown_to_html, sanitise
from content.types import ParsedPost, Validators

KIND = "updates"
TITLE = "updates"
GLOBAL = "updates:"


class UpdatesKind:
    """Posts that come from `/post`; one source for the operators, one for each chat that has its own."""

    @property
    def name(self) -> str:
        return KIND

    def accepts(self, url: str) -> bool:
        """Never: it is made by the first `/post`, and nobody adds it by its name."""
        return False

    def normalise(self, url: str) -> str:
        return url

    async def read(self, url: str, validators: Validators, context: ReadContext) -> Read:
        """Nothing has changed, ever."""
        return Read(None, validators, url)


def url_of_chat(place: str) -> str:
    """The URL of a chat's own updates; `place` like telegram:-100123/7."""
    return f"{GLOBAL}{place}"


def to_parsed_post(guid: str, text: str, now: datetime) -> ParsedPost:
    """The post of a text in Markdown: its first line is the title, the rest the body."""
    title, _, body = text.strip().partition("\n")
    html = sanitise(markdown_to_html(body.strip()))
    return ParsedPost(guid=guid, title=title.lstrip("# ").strip()[:MAX_TITLE], published_at=now, html=html)
