"""A page with several feeds, or with none: buttons for what to do, which is checked again at the press."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from bot.commands.types import Button, Reply, Request, Rows
from content import present
from content.secrets import is_public, printable
from content.sources.discovery import NoFeed, SeveralFeeds
from content.sources.kinds import LISTING
from content.sources.pages import Offer
from content.urls import is_web_url

# Of a button about an address: a: for the address itself, a:KEY for a feed of that page, a:listing for the
# posts that it lists.
ADDRESS = "a"
# Discord's limit for the URL of a link button, characters; Telegram allows more.
LONGEST_LINK = 512
LABEL = 40  # characters of a feed's name on a button


def is_link(url: str) -> bool:
    """Whether every platform takes `url` as the link of a button."""
    return is_web_url(url) and len(url) <= LONGEST_LINK and "." in (urlsplit(url).hostname or "")


def offered(several: SeveralFeeds, request: Request) -> Reply:
    """The feeds of a page to choose from. The page is the link of a button, which the press reads again."""
    t, lines = request.translator.t, [f"• {_shown(feed, several)}" for feed in several.feeds]
    ask = t("{url} has several feeds. Which one?", url=printable(several.url))
    if rows := _rows([_button(feed) for feed in several.feeds], several.url, request):
        return Reply(present.lines(ask, lines), rows)
    how = t("To subscribe to one of them, send /subscribe and its address.")
    return Reply(present.lines(ask, [*lines, how]))


def no_feed(error: NoFeed, request: Request) -> Reply:
    """That a page has no feed, with a button that shows the posts that it lists."""
    button = Button(request.translator.t("Show its posts"), f"{ADDRESS}:{LISTING}")
    rows = _rows([button], error.url, request)
    return Reply(present.error(request.translator.error(error)), rows, private=not rows)


def _rows(buttons: Sequence[Button], page: str, request: Request) -> Rows:
    """The buttons above a link to their page; none if the page cannot be a link, or is not to be shown."""
    has_options = len(request.arguments.split()) > 1  # which a button could not carry
    if has_options or not (is_link(page) and is_public(page)):
        return ()
    return (*((button,) for button in buttons), (Button(request.translator.t("Open the page"), url=page),))


def _button(feed: Offer) -> Button:
    return Button(feed.name[:LABEL], f"{ADDRESS}:{feed.key}")


def _shown(feed: Offer, several: SeveralFeeds) -> str:
    url = several.shown(feed)
    return f"{feed.title}: {url}" if feed.title else url
