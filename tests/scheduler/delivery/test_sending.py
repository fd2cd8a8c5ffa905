"""What is sent and recorded as sent: one delivery from claim to end."""

from scheduler import membership
from scheduler.errors import ChatGone, ContentRejected, Refused
from scheduler.types import Chat, Message, Place
from tests.fakes import Fault
from tests.scheduler.conftest import World
from tests.scheduler.delivery.builders import FOUR_LINES, until_quiet, waiting


async def test_a_post_goes_out_once_and_is_sent(world: World) -> None:
    chat = await waiting(world, "hello")
    assert world.ledger(chat) == {"hello": "reserved"}
    assert await world.dispatcher().drain() == 1
    assert world.platform.texts(chat) == ["hello"]
    assert world.ledger(chat) == {"hello": "sent"}
    assert world.deliveries(chat) == [("sent", "")]
    assert await world.dispatcher().drain() == 0


async def test_a_post_of_several_messages_is_sent_with_the_last(world: World) -> None:
    await world.source()
    chat = await world.chat()
    world.platform.per_message = 2
    seen: list[dict[str, str]] = []

    async def look(*_: object) -> None:
        seen.append(world.ledger(chat))

    world.platform.on_send = look
    await world.publish(FOUR_LINES)
    await world.dispatcher().drain()
    assert world.platform.texts(chat) == ["first\nsecond", "third\nfourth"]
    assert seen == [{"first": "reserved"}] * 2
    assert world.ledger(chat) == {"first": "sent"}


async def test_a_part_is_durably_sending_before_its_request_leaves(world: World) -> None:
    await world.source()
    await world.chat("1")
    await world.chat("2")
    world.platform.per_message = 1
    seen: list[list[tuple[str, int]]] = []

    async def look(chat: Chat, message: Message, key: str) -> None:
        state = "SELECT p.state, p.n FROM delivery_parts p JOIN deliveries d ON d.id = p.delivery_id"
        seen.append(world.sql(f"{state} WHERE d.chat_id = ? ORDER BY p.n", chat.id))

    world.platform.on_send = look
    await world.publish("a\nb")
    await world.dispatcher().drain()
    assert sorted(seen) == [[("sending", 0)]] * 2 + [[("sent", 0), ("sending", 1)]] * 2


async def test_two_sources_with_the_same_post_send_it_once(world: World) -> None:
    one, two = "https://example.org/feed.json", "https://mirror.example.net/feed.json"
    sources = [await world.source(one), await world.source(two)]
    chat = await world.chat(follows=[*sources, None])
    await world.publish("shared", url=one)
    await world.publish("shared", url=two)
    await until_quiet(world.dispatcher(), world)
    assert world.platform.texts(chat) == ["shared"]


async def test_no_unit_of_work_is_open_while_sending(world: World) -> None:
    await world.source()
    for n in range(5):
        await world.chat(str(n))
    world.platform.per_message = 1
    world.platform.faults = [Fault(ContentRejected("no")), Fault(Refused("no")), Fault(ChatGone("gone"))]
    open_units: list[int] = []

    async def look(*_: object) -> None:
        open_units.append(world.store.open_here)

    world.platform.on_send = look
    await world.publish("a\nb", "c")
    await until_quiet(world.dispatcher(), world)
    assert len(open_units) > 10 and set(open_units) == {0}


async def test_a_notice_is_delivered_like_a_post(world: World) -> None:
    async with world.store.write() as work:
        await membership.notify(work, Place("fake", "9"), "Telegram has stopped.", world.clock.now())
        await work.commit()
    await world.dispatcher().drain()
    assert [seen.text for seen in world.platform.arrived] == ["Telegram has stopped."]


async def test_posts_that_are_gone_cancel_their_delivery(world: World) -> None:
    source = await world.source()
    chat = await world.chat()
    await world.publish("hello")
    world.sql("PRAGMA foreign_keys = OFF")
    world.sql("DELETE FROM posts WHERE source_id = ?", source.id)
    await world.dispatcher().drain()
    assert world.platform.attempts == []
    assert world.deliveries(chat) == [("cancelled", "its posts are gone")]


async def test_a_delivery_cancelled_between_parts_sends_no_more(world: World) -> None:
    chat = await waiting(world, "a\nb\nc", per_message=1)

    async def cancel(to: Chat, message: Message, key: str) -> None:
        async with world.store.write() as work:
            await work.outbox.cancel("unsubscribed", world.clock.now(), chat_id=chat.id)
            await work.commit()

    world.platform.on_send = cancel
    await until_quiet(world.dispatcher(), world)
    assert world.platform.texts(chat) == ["a"]
    assert world.deliveries(chat) == [("cancelled", "unsubscribed")]


async def test_a_post_that_arrives_while_it_is_cancelled_is_sent(world: World) -> None:
    chat = await waiting(world, "hello")

    async def cancel(to: Chat, message: Message, key: str) -> None:
        async with world.store.write() as work:
            await work.outbox.cancel("unsubscribed", world.clock.now(), chat_id=chat.id)
            await work.commit()

    world.platform.on_send = cancel
    await world.dispatcher().drain()
    assert world.ledger(chat) == {"hello": "sent"}
