"""A public channel of Telegram, read from the page that t.me shows of it: Telegram offers no feeds.

The page has the newest posts, about twenty. Groups and private channels have no such page.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime

from selectolax.lexbor import LexborNode

from content.bounds import MAX_POSTS, bounded, newest
from content.clean import parse_page
from content.errors import ParseError, UsageError
from content.secrets import printable
from content.sources.charset import decode
from content.sources.dates import to_utc
from content.sources.kinds import Read, ReadContext, Values, no_options
from content.sources.pages import without_code
from content.sources.xmlfeed import PICTURE
from content.text import absolute, plain_text, sanitise, storable
from content.types import Media, Options, ParsedPost, ParsedSource, Validators

KIND = "telegram"
_CHANNEL = re.compile(
    r"(?:(?:https?://)?(?:www\.)?(?:t|telegram)\.(?:me|dog)/(?:s/)?|tg://resolve\?domain=)"
    r"(?P<name>[a-z]\w{3,31})(?:/\d+)?/?(?:\?[^#]*)?(?:#.*)?",
    re.IGNORECASE | re.ASCII,
)
_PRIVATE = re.compile(
    r"(?:https?://)?(?:www\.)?(?:t|telegram)\.(?:me|dog)/(?:\+|joinchat/|c/).*", re.IGNORECASE
)
# Other things that t.me links lead to.
_NO_CHANNELS = {
    *("addemoji", "addlist", "addstickers", "addtheme", "boost", "confirmphone", "contact", "giftcode"),
    *("invoice", "joinchat", "login", "proxy", "setlanguage", "share", "socks"),
}
_BACKGROUND = re.compile(r"""background-image:\s*url\(['"]?([^'")]{1,4096})""")
_MESSAGE = ".tgme_widget_message_wrap .tgme_widget_message[data-post]"
_PICTURES = ".tgme_widget_message_photo_wrap, .tgme_widget_message_video_thumb"
# What a message without a text is about.
_NAMES = ".tgme_widget_message_poll_question, .tgme_widget_message_document_title"


class TelegramKind:
    """A public channel, given by its link, like https://t.me/name or https://t.me/s/name."""

    name = KIND
    upgrades = ()

    def accepts(self, url: str) -> bool:
        found = _CHANNEL.fullmatch(url)
        is_channel = found is not None and found["name"].lower() not in _NO_CHANNELS
        return is_channel or bool(_PRIVATE.fullmatch(url))

    def chosen(self, given: Mapping[str, str]) -> Values:
        return no_options(self.name, given)

    def normalise(self, url: str) -> str:
        """The address of the page with the posts. Raises UsageError for a private chat."""
        found = _CHANNEL.fullmatch(url)
        if found is None:
            raise UsageError(
                "{url} is a private chat of Telegram: only public channels can be read, like {example}",
                url=printable(url)[:200],
                example="https://t.me/name",
            )
        return f"https://t.me/s/{found['name'].lower()}"

    async def read(self, url: str, options: Options, validators: Validators, context: ReadContext) -> Read:
        return await context.one_large_at_a_time(lambda large: self._read(url, validators, context, large))

    async def _read(self, url: str, validators: Validators, context: ReadContext, large: bool) -> Read:
        fetched = await context.fetcher.fetch(url, validators, large=large)
        if fetched.body is None:
            return Read(None, fetched.validators, hints=fetched.hints)
        parsed = await context.parse(
            url, parse_channel, fetched.body, fetched.content_type, url, context.max_posts
        )
        return Read(parsed, fetched.validators, hints=fetched.hints)


def parse_channel(body: bytes, content_type: str, url: str, max_posts: int = MAX_POSTS) -> ParsedSource:
    """The posts on the page of a channel. Raises ParseError."""
    tree = parse_page(without_code(decode(body, content_type)))
    title = _text(tree.css_first(".tgme_channel_info_header_title"))
    if not title and tree.css_first(".tgme_channel_history") is None:
        raise ParseError(
            "{url} shows no posts: only public channels can be read, no groups and no people",
            url=printable(url),
        )
    messages = [one for one in tree.css(_MESSAGE) if not _has_class(one, "service_message")]
    dates = [_published(one) for one in messages]
    kept = newest(list(zip(messages, dates, strict=True)), dates, max_posts)
    posts = tuple(_post(message, date, url) for message, date in kept)
    return bounded(ParsedSource(title=title, url=url, posts=posts), len(messages))


def _post(message: LexborNode, date: datetime | None, url: str) -> ParsedPost:
    name = (message.attributes.get("data-post") or "").strip()
    html, pictures = _html(message, url), tuple(_media(message, url))
    if not html:
        html = "".join(f'<p><img src="{one.url}"></p>' for one in pictures if one.type == PICTURE)
    return ParsedPost(
        guid=name.rpartition("/")[2],
        url=absolute("https://t.me/", name),
        author=_text(message.css_first(".tgme_widget_message_from_author")),
        published_at=date,
        html=sanitise(html, url),
        tags=tuple(dict.fromkeys(_hashtags(message))),
        media=pictures,
    )


def _html(message: LexborNode, url: str) -> str:
    """The text of a message, or the name of what it carries."""
    text = message.css_first(".tgme_widget_message_text.js-message_text")
    if text is None:
        names = (_text(one) for one in message.css(_NAMES))
        return "".join(f"<p>{name}</p>" for name in names if name)
    for emoji in text.css("i.emoji, tg-emoji"):
        emoji.replace_with(emoji.text())
    return text.inner_html or ""


def _media(message: LexborNode, url: str) -> Iterator[Media]:
    """The pictures of a message, and its videos."""
    seen: set[str] = set()
    for element in message.css(_PICTURES):
        found = _BACKGROUND.search(element.attributes.get("style") or "")
        picture = absolute(url, found[1]) if found else ""
        if picture and picture not in seen:
            seen.add(picture)
            yield Media(picture, PICTURE)
    for video in message.css("video[src]"):
        if address := absolute(url, video.attributes.get("src") or ""):
            yield Media(address, "video/mp4")


def _published(message: LexborNode) -> datetime | None:
    time = message.css_first(".tgme_widget_message_date time[datetime]")
    return to_utc(time.attributes.get("datetime")) if time else None


def _hashtags(message: LexborNode) -> Iterator[str]:
    for link in message.css('.js-message_text a[href^="?q=%23"]'):
        if tag := _text(link).lstrip("#"):
            yield tag


def _text(element: LexborNode | None) -> str:
    return " ".join(plain_text(storable(element.html or "")).split()) if element else ""


def _has_class(element: LexborNode, name: str) -> bool:
    return name in (element.attributes.get("class") or "").split()
