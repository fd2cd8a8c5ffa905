"""Questions that buttons ask. They are stored, so that a press still asks after a restart."""

from contextlib import suppress

from bot.commands.types import Call, Question, Reply, Request, Services
from content.errors import StoreError, StoreRejected
from scheduler.ports import Asked


async def remember(reply: Reply, request: Request, services: Services) -> None:
    """Store the questions of a reply's buttons. If that fails, their presses say that they are gone."""
    asked = [
        Asked(button.sent, button.question.prompt, button.question.placeholder)
        for button in reply.buttons
        if button.question
    ]
    if not asked:
        return
    with suppress(StoreError, StoreRejected):
        async with services.store.write() as work:
            await work.questions.ask(request.chat.id, asked, services.clock.now())
            await work.commit()


async def of_button(data: str, request: Request, services: Services) -> Question | None:
    """The question of a button; None if it was deleted since, because it is old."""
    async with services.store.read() as work:
        asked = await work.questions.of_button(request.chat.id, data)
    return Question(asked.prompt, asked.placeholder) if asked else None


async def asked_in(message: str, data: str, question: Question, call: Call, services: Services) -> None:
    """Store that a message asks a question of the person who pressed its button."""
    asked = Asked(data, question.prompt, question.placeholder, call.actor, message)
    async with services.store.write() as work:
        chat = await work.chats.find(call.place)
        if chat is not None:
            await work.questions.ask(chat.id, [asked], services.clock.now())
            await work.commit()


async def of_message(message: str, call: Call, services: Services) -> Asked | None:
    """The question that a message of this chat asks; None if it asks none."""
    async with services.store.read() as work:
        chat = await work.chats.find(call.place)
        return await work.questions.of_message(chat.id, message) if chat else None


def is_from(call: Call, actor: str) -> bool:
    """Whether an answer comes from this person.

    An anonymous admin speaks as the chat, and nobody is told who it is: any of them may answer.
    """
    return call.actor in (actor, f"{call.place.platform}:{call.place.address}")
