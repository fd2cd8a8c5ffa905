"""An address without a command: pasted in a private chat, or typed for a button that asks."""

from dataclasses import replace

from bot.commands import choices, listing, welcome
from bot.commands.subscriptions import Wanted, chosen, follow, wanted
from bot.commands.types import Button, Reply, Request, Services
from content import present
from content.document import Paragraph, text
from content.errors import UsageError
from content.secrets import printable
from content.sources import Choice
from content.sources.discovery import NoFeed, SeveralFeeds
from content.sources.kinds import LISTING
from content.sources.sites import is_address, may_be_address, web_address


async def pasted(request: Request, services: Services) -> Reply:
    """Ask whether to subscribe to the pasted address, which a link button carries: it may have any length."""
    t, url = request.translator.t, web_address(request.arguments, services.settings.rsshub_url)
    if not choices.is_link(url):
        how = t("To subscribe to this address, send /subscribe and the address.")
        return Reply(present.notice(how))
    rows = ((Button(t("Subscribe"), f"{choices.ADDRESS}:"), Button(t("Open the page"), url=url)),)
    return Reply(present.notice(t("Subscribe to {url}?", url=printable(url))), rows)


async def follow_address(data: str, request: Request, services: Services) -> Reply | None:
    """Do what /subscribe does with the address that was typed, or that the message links to.

    The data may name a feed of the page at that address, or ask for the posts that it lists. Raises
    UsageError.
    """
    address, t = request.arguments.strip(), request.translator.t
    if not (is_address(address) or may_be_address(address)):
        raise UsageError(t("That is no address. It should look like this: https://example.org/feed.xml"))
    key = data.partition(":")[2]
    if key == LISTING:
        return await listing.preview(address, Choice(LISTING), request, services)
    try:
        found = await (chosen(address, key, request, services) if key else wanted(request, services))
    except SeveralFeeds as several:
        return choices.offered(several, request)
    except NoFeed as exc:
        return choices.no_feed(exc, request)
    return await _with_rhythms(await follow(found, request, services), found, request, services)


async def _with_rhythms(reply: Reply, found: Wanted, request: Request, services: Services) -> Reply:
    """The reply with buttons for how often posts come, if the chat has not decided that yet."""
    source = found.source
    async with services.store.read() as work:
        followed = await work.subscriptions.followed(request.chat.id)
        digests = await work.digests.of(request.chat.id)
    if source is None or source.id not in followed or digests:
        return reply
    often = Paragraph(text(request.translator.t("How often should its posts arrive?")))
    document = replace(reply.document, blocks=(*reply.document.blocks, often))
    return replace(reply, document=document, rows=welcome.rhythms(source, request))
