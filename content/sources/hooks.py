"""Hooks: sources that are not read, but send their posts: plain JSON, or GitHub's event of a release."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from content.bounds import MAX_POSTS
from content.errors import ParseError, UsageError
from content.markdown import markdown_to_html
from content.sources.jsonfeed import Object, feed_of
from content.sources.kinds import Read, ReadContext, Values, no_options
from content.types import HOOK, Options, ParsedSource, Validators

SCHEME = "hook:"
EXPECTED = (
    'expected JSON like {"title": "…", "url": "https://…", "markdown": "…", "id": "…"}, '
    "a list of such objects, or GitHub's event of a release"
)

_TEXTS = ("title", "html", "text", "markdown")
_NAME = re.compile(r"[\w.-]{1,50}")
# GitHub's actions on a release that make a post, and those that withdraw it.
_TOLD = ("published", "released", "prereleased", "edited")
_WITHDRAWN = ("deleted", "unpublished")


class HookKind:
    """A hook, which is named like `hook:builds`; its address on the web is made when it is added."""

    name = HOOK
    upgrades: tuple[Callable[[Values], Values], ...] = ()

    def accepts(self, url: str) -> bool:
        return url.lower().startswith(SCHEME)

    def chosen(self, given: Mapping[str, str]) -> Values:
        return no_options(self.name, given)

    def normalise(self, url: str) -> str:
        name = url[len(SCHEME) :] if self.accepts(url) else ""
        if not _NAME.fullmatch(name):
            raise UsageError(
                "a hook is named like {example}: letters, digits, dots and hyphens", example="hook:builds"
            )
        return SCHEME + name.lower()

    async def read(self, url: str, options: Options, validators: Validators, context: ReadContext) -> Read:
        """Nothing is there to read: a hook is called."""
        return Read(ParsedSource(title=url.removeprefix(SCHEME)), Validators())

    async def take(self, url: str, body: bytes, content_type: str, context: ReadContext) -> ParsedSource:
        return await context.parse(url, parse_call, body, context.max_posts)


def parse_call(body: bytes, max_posts: int = MAX_POSTS) -> ParsedSource:
    """The posts in the body of a call. Raises ParseError, which says what is expected."""
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError) as exc:  # a UnicodeDecodeError is a ValueError
        raise ParseError("this is not JSON: {expected}", expected=EXPECTED) from exc
    if isinstance(sent, dict) and isinstance(sent.get("release"), dict) and "action" in sent:
        return _release(sent, sent["release"])
    items = sent if isinstance(sent, list) else [sent]
    for number, item in enumerate(items, 1):
        if not isinstance(item, dict) or not _says_something(item):
            raise ParseError("post {number} is empty: {expected}", number=number, expected=EXPECTED)
    return _posts([_item(item) for item in items], max_posts)


def _posts(items: list[Object], max_posts: int = MAX_POSTS) -> ParsedSource:
    # The fields become those of a JSON feed, whose parser bounds and sanitises them.
    return feed_of({"items": items}, "", max_posts)


def _says_something(item: Object) -> bool:
    return any(isinstance(item.get(name), str) and item[name] for name in _TEXTS)


def _item(sent: Object) -> Object:
    html, markdown = sent.get("html"), sent.get("markdown")
    if not html and isinstance(markdown, str):
        html = markdown_to_html(markdown)
    return {
        "id": sent.get("id"),
        "url": sent.get("url"),
        "title": sent.get("title"),
        "content_html": html,
        "content_text": sent.get("text"),
        "date_published": sent.get("published"),
        "tags": sent.get("tags"),
    }


def _release(event: Object, release: Object) -> ParsedSource:
    """GitHub's event of a release; one about a draft has no posts."""
    guid, action = f"release:{release.get('id')}", event.get("action")
    if action in _WITHDRAWN:
        return replace(_posts([]), withdrawn=(guid,))
    if action not in _TOLD or release.get("draft"):
        return _posts([])
    repository, body = event.get("repository"), release.get("body")
    name = repository.get("full_name") if isinstance(repository, dict) else ""
    version = release.get("name") or release.get("tag_name") or ""
    item = {
        "id": guid,
        "url": release.get("html_url"),
        "title": f"{name} {version}" if isinstance(name, str) else version,
        "content_html": markdown_to_html(body) if isinstance(body, str) else "",
        "date_published": release.get("published_at"),
        "tags": ["prerelease"] if release.get("prerelease") else [],
    }
    return _posts([item])
