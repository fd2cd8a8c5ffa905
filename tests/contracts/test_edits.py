"""Which deliveries show an older version of their posts, on both databases."""

from dataclasses import replace

from content.formats import Format
from content.types import Source
from scheduler.ports import Edit, EditLimits
from scheduler.types import Chat, ChatAccess, ChatState
from tests.builders import after, new_post
from tests.contracts.world import World

LIMITS = EditLimits()


async def stale(world: World, minutes: float, *without: int, limits: EditLimits = LIMITS) -> list[int]:
    """The deliveries to be edited so many minutes after `NOW`."""
    async with world.store.read() as work:
        found = await work.edits.stale("telegram", after(minutes), limits, 10, without)
    return [one.delivery.id for one in found]


async def change(
    world: World, post_id: int, minutes: float, *, title: str = "A title", text: str = "changed"
) -> None:
    async with world.store.write() as work:
        await work.posts.update([(post_id, new_post("a", title=title, text=text))], after(minutes))
        await work.commit()


async def edited(world: World, chat: Chat, edit: Edit, minutes: float) -> None:
    async with world.store.write() as work:
        await work.edits.record(chat.id, edit, after(minutes))
        await work.commit()


async def sent(world: World) -> tuple[Source, Chat, int, int]:
    """A chat that has been sent a post: with the post's id and the delivery's."""
    source = await world.source()
    chat = await world.follower(source)
    (post_id,) = await world.publish(source, "a")
    (delivery,) = await world.claim()
    await world.send(delivery)
    return source, chat, post_id, delivery.id


async def test_a_visible_change_makes_a_delivery_stale_until_it_is_edited(world: World) -> None:
    _, chat, post_id, delivery_id = await sent(world)
    assert await stale(world, 5) == []
    async with world.store.write() as work:
        (post,) = await work.posts.by_ids([post_id])
        same = replace(new_post("a"), html=post.html, text=post.text, content_hash="another", tags=("x",))
        await work.posts.update([(post_id, same)], after(1))
        await work.commit()
    assert await stale(world, 5) == [], "nobody sees that"
    await change(world, post_id, 10)
    assert await stale(world, 10.5) == []
    assert await stale(world, 11) == [delivery_id]
    assert await stale(world, 11, delivery_id) == []
    begun = Edit(delivery_id, after(10), ("one",))
    await edited(world, chat, begun, 11)
    async with world.store.read() as work:
        (found,) = await work.edits.stale("telegram", after(12), LIMITS, 10, ())
    assert found.edits == (begun,) and found.version == after(10)
    assert [part.sent is not None for part in found.delivery.parts] == [True]
    await edited(world, chat, replace(begun, shown=("one", "two"), done=True), 12)
    assert await stale(world, 13) == []
    await change(world, post_id, 20, title="Another")
    assert await stale(world, 22) == [delivery_id]


async def test_limits_of_age_of_a_chat_and_of_a_delivery(world: World) -> None:
    _, chat, post_id, delivery_id = await sent(world)
    await change(world, post_id, 1)
    assert await stale(world, 47 * 60) == [delivery_id]
    assert await stale(world, 49 * 60) == []
    for number in range(3):
        await edited(world, chat, Edit(delivery_id, after(-number), done=True), 1)
    assert await stale(world, 5, limits=replace(LIMITS, of_chat=3)) == []
    assert await stale(world, 62, limits=replace(LIMITS, of_chat=3)) == [delivery_id]
    assert await stale(world, 62, limits=replace(LIMITS, of_delivery=3)) == []


async def test_a_delivery_that_cannot_be_edited_is_left_alone(world: World) -> None:
    _, chat, post_id, delivery_id = await sent(world)
    await change(world, post_id, 1)
    await edited(world, chat, Edit(delivery_id, after(1), done=True, reason="it is gone"), 2)
    await change(world, post_id, 3, text="once more")
    assert await stale(world, 5) == []
    (delivery,) = await world.of(chat)
    assert delivery.reason == "not edited: it is gone"


async def test_chats_that_get_none(world: World) -> None:
    _, chat, post_id, delivery_id = await sent(world)
    await change(world, post_id, 1)
    for choices, expected in (
        (Format(edits=False), []),
        (Format(edits=True), [delivery_id]),
        (Format(author=True), [delivery_id]),
    ):
        async with world.store.write() as work:
            await work.chats.set_choices(chat.id, choices)
            await work.commit()
        assert await stale(world, 5) == expected
    await world.set_state(chat, ChatState.PAUSED)
    assert await stale(world, 5) == []
    await world.set_state(chat, ChatState.ACTIVE)
    async with world.store.write() as work:
        await work.chats.set_access(chat.id, ChatAccess.BANNED)
        await work.commit()
    assert await stale(world, 5) == []


async def test_what_waits_goes_first(world: World) -> None:
    source, chat, post_id, delivery_id = await sent(world)
    await change(world, post_id, 1)
    await world.publish(source, "b")
    assert await stale(world, 5) == []
    async with world.store.read() as work:
        assert not await work.edits.may_edit(chat.id, after(5), LIMITS)
    (delivery,) = await world.claim()
    assert await stale(world, 5) == [], "nor while it is being sent"
    await world.send(delivery)
    assert await stale(world, 5) == [delivery_id]
    async with world.store.read() as work:
        assert await work.edits.may_edit(chat.id, after(5), LIMITS)


async def test_a_withdrawn_post_and_one_that_is_back_are_changed(world: World) -> None:
    source, chat, post_id, delivery_id = await sent(world)
    for withdrawn, minutes in ((True, 1), (False, 10)):
        async with world.store.write() as work:
            await work.posts.set_withdrawn([post_id], withdrawn, after(minutes))
            await work.commit()
        async with world.store.read() as work:
            (post,) = await work.posts.by_ids([post_id])
            (known,) = (await work.posts.known([source.id]))[source.id]
        assert (post.withdrawn_at is not None) == known.withdrawn == withdrawn
        assert await stale(world, minutes + 2) == [delivery_id]
        await edited(world, chat, Edit(delivery_id, after(minutes), done=True), minutes + 2)
        assert await stale(world, minutes + 3) == []


async def test_a_chat_that_is_merged_keeps_its_edits(world: World) -> None:
    _, chat, post_id, delivery_id = await sent(world)
    await change(world, post_id, 1)
    await edited(world, chat, Edit(delivery_id, after(1), done=True), 2)
    await world.chat("200")
    await world.move("100", "200")
    assert await stale(world, 5) == []


async def test_an_edit_of_a_chat_that_is_removed_meanwhile_is_recorded_nowhere(world: World) -> None:
    _, chat, post_id, delivery_id = await sent(world)
    await change(world, post_id, 10)
    begun = Edit(delivery_id, after(10), ("one",))
    await edited(world, chat, begun, 11)
    async with world.store.write() as work:
        await work.chats.remove([chat.id])
        await work.commit()
    await edited(world, chat, replace(begun, done=True, reason="the chat is gone"), 12)
    assert await stale(world, 13) == []
