"""A platform that can only send: what it cannot do is left out."""

import random
from collections.abc import Sequence

from content.document import Document
from scheduler.delivery.dispatch import Dispatcher
from scheduler.errors import Ambiguous
from scheduler.types import Chat, Form, Message, Sent
from tests.fakes import FakePlatform, Fault
from tests.scheduler.conftest import World, compose


class OnlySends:
    """What another platform shows, without what else that one can do."""

    def __init__(self, other: FakePlatform) -> None:
        self._other = other
        self.name, self.limits, self.deduplicates = other.name, other.limits, other.deduplicates

    def render(self, document: Document, form: Form) -> Sequence[Message]:
        return self._other.render(document, form)

    async def send(self, chat: Chat, message: Message, *, key: str, silent: bool = False) -> Sent:
        return await self._other.send(chat, message, key=key)


def dispatcher(world: World) -> Dispatcher:
    sender = OnlySends(world.platform)
    return Dispatcher(world.store, sender, compose, world.pacer, world.clock, random.Random(7), 1)


async def test_what_cannot_be_published_is_sent_all_the_same(world: World) -> None:
    await world.source()
    chat = await world.chat()
    world.sql("UPDATE chats SET crosspost = 1 WHERE id = ?", chat.id)
    await world.publish("hello")
    await dispatcher(world).drain()
    assert world.deliveries(chat) == [("sent", "")]
    assert world.platform.texts(chat) == ["hello"] and not world.platform.published


async def test_what_cannot_be_looked_up_is_sent_again(world: World) -> None:
    world.platform.recalls = Sent("1", ("7",))  # which nobody asks for
    await world.source()
    chat = await world.chat()
    world.platform.faults = [Fault(Ambiguous("reset"), arrived=True)]
    await world.publish("hello")
    sending = dispatcher(world)
    await sending.drain()
    world.clock.advance(3600)
    await sending.drain()
    assert world.deliveries(chat)[0][0] == "sent"
    assert world.platform.texts(chat) == ["hello", "hello"]
