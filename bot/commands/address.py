"""The address of a feed without a command: pasted in a private chat, or typed for a button that asks."""

from dataclasses import replace
from urllib.parse import urlsplit

from bot.commands import welcome
from bot.commands.subscriptions import subscribe
from bot.commands.types import Button, Reply, Request, Services
from content import present
from content.document import Paragraph, is_web_url, text
from content.errors import UsageError
from content.secrets import printable
from content.sources import normalise

# Discord's limit for the URL of a link button, characters; Telegram allows more.
LONGEST_LINK = 512


async def pasted(request: Request, services: Services) -> Reply:
    """Ask whether to subscribe to the pasted address, which a link button carries: it may have any length."""
    t, url = request.translator.t, request.arguments
    if len(url) > LONGEST_LINK or "." not in (urlsplit(url).hostname or ""):
        # No platform takes this as a link.
        how = t("To subscribe to this address, send /subscribe and the address.")
        return Reply(present.notice(how))
    rows = ((Button(t("Subscribe"), f"{welcome.ADDRESS}:"), Button(t("Open the page"), url=url)),)
    return Reply(present.notice(t("Subscribe to {url}?", url=printable(url))), rows)


async def follow_address(data: str, request: Request, services: Services) -> Reply | None:
    """Do what /subscribe does with the address that was typed, or that the message links to.

    Raises UsageError.
    """
    url = request.arguments.strip()
    if not is_web_url(url):
        t = request.translator.t
        raise UsageError(t("That is no address. It should look like this: https://example.org/feed.xml"))
    reply = await subscribe(request, services)
    async with services.store.read() as work:
        source = await work.sources.by_url(normalise(url))
        followed = await work.subscriptions.followed(request.chat.id)
        digests = await work.digests.of(request.chat.id)
    if source is None or source.id not in followed or digests:
        return reply
    often = Paragraph(text(request.translator.t("How often should its posts arrive?")))
    document = replace(reply.document, blocks=(*reply.document.blocks, often))
    return replace(reply, document=document, rows=welcome.rhythms(source, request))
