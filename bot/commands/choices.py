"""A page with several feeds: a button for each, which is checked again when it is pressed."""

from urllib.parse import urlsplit

from bot.commands.types import Button, Reply, Request, Rows
from content import present
from content.document import is_web_url
from content.secrets import is_public, printable
from content.sources.discovery import SeveralFeeds
from content.sources.pages import Offer

ADDRESS = "a"  # of a button about an address: a: for the address itself, a:KEY for a feed of that page
# Discord's limit for the URL of a link button, characters; Telegram allows more.
LONGEST_LINK = 512
LABEL = 40  # characters of a feed's name on a button


def is_link(url: str) -> bool:
    """Whether every platform takes `url` as the link of a button."""
    return is_web_url(url) and len(url) <= LONGEST_LINK and "." in (urlsplit(url).hostname or "")


def offered(several: SeveralFeeds, request: Request) -> Reply:
    """The feeds of a page to choose from. The page is the link of a button, which the press reads again."""
    page = several.url
    t, shown = request.translator.t, [_shown(feed, several) for feed in several.feeds]
    ask = t("{url} has several feeds. Which one?", url=printable(page))
    has_options = len(request.arguments.split()) > 1  # which a button could not carry
    if is_link(page) and is_public(page) and not has_options:
        link = (Button(t("Open the page"), url=page),)
        rows: Rows = (*((_button(feed),) for feed in several.feeds), link)
        return Reply(present.lines(ask, [f"• {line}" for line in shown]), rows)
    how = t("To subscribe to one of them, send /subscribe and its address.")
    return Reply(present.lines(ask, [*(f"• {line}" for line in shown), how]))


def _button(feed: Offer) -> Button:
    return Button(feed.name[:LABEL], f"{ADDRESS}:{feed.key}")


def _shown(feed: Offer, several: SeveralFeeds) -> str:
    url = several.shown(feed)
    return f"{feed.title}: {url}" if feed.title else url
