"""/why: says why a post came to this chat, or why it did not."""

from collections.abc import Sequence

from bot.commands import reasons
from bot.commands.types import Reply, Request, Services
from bot.numbers import number
from content.errors import NotFound, UsageError
from content.i18n import Msgid
from scheduler.actions import reading, searching, why
from scheduler.ports import UnitOfWork

USAGE = Msgid("Reply to a message with /why, or send /why with a link, a title, or the number of a post.")

NO_POST = Msgid("That message carried no post, or it was sent more than {days} days ago.")


async def why_(request: Request, services: Services) -> Reply:
    """Explain a message that is replied to, or a post by its link, its title, or its place on the page.

    Raises UsageError, NotFound.
    """
    wanted, now = request.arguments.strip(), services.clock.now()
    async with services.store.read() as work:
        if not wanted:
            return await _of_message(work, request, services)
        posts = await _meant(work, wanted, request, services)
        answer = await why.about_visible(work, request.chat, posts, now)
    return Reply(reasons.said(answer, request.look), private=True)


async def _of_message(work: UnitOfWork, request: Request, services: Services) -> Reply:
    if request.call.about is None:
        raise UsageError(USAGE)
    found = await why.about_message(work, request.call.about, services.clock.now())
    if found is None or not found.answers:
        days = services.settings.keep_deliveries
        raise NotFound(request.translator.t(NO_POST, days=days))
    return Reply(reasons.said_of_message(found, request.look), private=True)


async def _meant(work: UnitOfWork, wanted: str, request: Request, services: Services) -> Sequence[int]:
    """The posts that a person may mean. Raises UsageError, NotFound."""
    place = number(wanted)
    if place is not None:
        last = await services.shown.of(work, request.chat)
        return [(await reading.post(work, request.chat, last, place)).id]
    try:
        return await why.meant(work, wanted, request.chat)
    except searching.NoWords as exc:
        raise UsageError(USAGE) from exc
