"""/subscribe URL --listing: posts of a page without a feed, which people see before the chat follows it."""

from urllib.parse import parse_qsl, urldefrag, urlencode

from bot.access import Act
from bot.commands import subscriptions
from bot.commands.choices import is_link
from bot.commands.types import Button, Reply, Request, Rows, Services, may
from content import present
from content.secrets import is_public, printable
from content.sources import HYPHENS, Choice, choice_of, normalise
from content.sources.kinds import LISTING
from content.sources.listing import confirmed
from content.types import Visibility
from content.urls import is_web_url
from scheduler.actions import sources

PREFIX = "lp"
FOLLOW, NO = f"{PREFIX}:y", f"{PREFIX}:n"
SURE = "yes"  # an option: follow the page without a preview
SHOWN = 5  # posts of a preview
EXAMPLE = "--item=CSS"


async def subscribe(request: Request, services: Services) -> Reply:
    """Follow a source, or show what a listing page holds and offer to follow it."""
    typed, *words = request.arguments.split() or [""]
    if not any(word != LISTING and word.lstrip(HYPHENS) == LISTING for word in words):
        return await subscriptions.subscribe(request, services)
    choice = choice_of(words)
    options = {name: text for name, text in choice.options.items() if name != SURE}
    chosen = Choice(LISTING, options)
    url = normalise(typed, chosen)
    if SURE in choice.options:
        return await _follow(url, chosen, request, services)
    return await preview(url, chosen, request, services)


async def preview(url: str, choice: Choice, request: Request, services: Services) -> Reply:
    """The first posts that a page holds. Its link carries the selectors, so the buttons follow just these."""
    await _may_add(url, request, services)
    checked = await services.ingest.check(url, by=request.by, choice=choice)
    found, t = confirmed(checked.options), request.translator.t
    shown, posts = printable(checked.url), checked.parsed.posts
    title = request.translator.n(
        "{count} post found on {url}", "{count} posts found on {url}", len(posts), url=shown
    )
    options = " ".join(f"--{name}={selector}" for name, selector in found.options.items() if selector)
    link = f"{checked.url}#{urlencode(found.options)}"
    # No platform takes every address as a link, and one that holds a secret is not to be shown.
    can_link = is_link(link) and is_public(url)
    if can_link:
        ask = t("Is this what should arrive here?")
    else:
        ask = t("To follow this, send the command again and add {option}.", option=f"--{SURE}")
    rows: Rows = (
        (Button(t("Follow"), FOLLOW), Button(t("Not this"), NO)),
        (Button(t("Open the page"), url=link),),
    )
    document = present.found(title, posts[:SHOWN], options, ask, request.look)
    return Reply(document, rows if can_link else ())


async def press(data: str, request: Request, services: Services) -> Reply | None:
    """Follow the page of a preview as it was shown there, or not. None if the data is not known."""
    url, selectors = urldefrag(request.arguments)
    if data == NO:
        t, example = request.translator.t, f"/subscribe {printable(url)} --{LISTING} {EXAMPLE}"
        told = t("Nothing was changed. To say which element is a post: {example}", example=example)
        return Reply(present.notice(told))
    if data != FOLLOW or not is_web_url(url):
        return None
    options = dict(parse_qsl(selectors, keep_blank_values=True))
    return await _follow(url, Choice(LISTING, options), request, services)


async def _follow(url: str, choice: Choice, request: Request, services: Services) -> Reply:
    await _may_add(url, request, services)
    # A page that is known is read by the new selectors from now on, if the person has added it.
    added = await services.ingest.add(url, Visibility.PRIVATE, by=request.by, choice=choice)
    return await subscriptions.follow(subscriptions.Wanted(added.source), request, services)


async def _may_add(url: str, request: Request, services: Services) -> None:
    """Raise UsageError or QuotaExceeded if the person may add no source, and the chat does not see it yet."""
    url = normalise(url, Choice(LISTING))
    may_add, quotas = may(Act.ADD_SOURCE, request, services), services.settings.quotas
    async with services.store.read() as work:
        await sources.known_at(work, request.by, request.chat, [url], quotas, may_add=may_add)
