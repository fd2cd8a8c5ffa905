"""`skywave why`: why a chat got a post, or why it did not."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import typer

from bot.cli.arguments import commands_of
from bot.cli.common import Json, chat_named, open_app, print_json, run, say
from bot.commands import reasons
from bot.look import make_look
from bot.numbers import number
from content.errors import NotFound
from content.i18n import Translator
from content.secrets import printable
from scheduler.actions import why
from scheduler.ports import UnitOfWork

commands = commands_of()


@commands.command(name="why")
def why_(
    chat: Annotated[str, typer.Argument(metavar="CHAT", help="Like telegram:-100123.")],
    post: Annotated[str, typer.Argument(metavar="POST", help="Its number, its link, or words of its title.")],
    json: Json = False,
) -> None:
    """Say why a chat got a post, or why it did not.

    skywave why telegram:-100123 https://example.org/post
    """
    run(_why(chat, post, json))


async def _why(name: str, wanted: str, json: bool) -> None:
    async with open_app() as app, app.store.read() as work:
        chat = await chat_named(work, name)
        answers = await why.about(work, chat, await _meant(work, wanted), app.clock.now())
        look = replace(make_look(app.settings, chat), translator=Translator())
    if not answers:
        raise NotFound(f"no post {wanted} is stored")
    if json:
        print_json([_to_json(answer) for answer in answers])
        return
    for answer in answers:
        say(f"{answer.post.id} {answer.post.title} ({answer.because})")
        for line in reasons.sentences(answer, look):
            say(f"  {line}")
        if answer.instead:
            say(f"  {answer.instead.id} {answer.instead.title} {printable(answer.instead.url)}")
        if answer.delivery:
            say(f"  delivery {answer.delivery.id} of broadcast {answer.delivery.broadcast_id}")


async def _meant(work: UnitOfWork, wanted: str) -> Sequence[int]:
    """The posts that are meant: all at a link."""
    post_id = number(wanted)
    if post_id is not None:
        return [post_id]
    return await why.meant(work, wanted)


def _to_json(answer: why.Answer) -> dict[str, object]:
    delivery = answer.delivery
    return {
        "post": answer.post.id,
        "title": answer.post.title,
        "because": answer.because,
        "reason": answer.reason,
        "until": answer.until,
        "ahead": answer.ahead,
        "delivery": delivery.id if delivery else None,
        "broadcast": delivery.broadcast_id if delivery else None,
        "twin": answer.twin.id if answer.twin else None,
        "instead": answer.instead.id if answer.instead else None,
    }
