"""A broadcast is rendered once for all chats that get the same, and resumed as it was begun."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from content.document import Document
from content.formats import NOTHING, Detail, Format
from content.types import Post
from scheduler.delivery.renderings import CACHED, Renderings
from scheduler.types import Delivery, Form, Part, PartState
from tests.scheduler.conftest import World, compose


class Counting:
    """Composes, and counts its calls."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, delivery: Delivery, posts: Sequence[Post]) -> Document:
        self.calls += 1
        return compose(delivery, posts)


async def claim(world: World) -> Sequence[Delivery]:
    async with world.store.write() as work:
        claimed = await work.outbox.claim("fake", world.clock.now(), 1000, 1)
        await work.commit()
    return claimed


async def test_chats_that_get_the_same_share_a_rendering(world: World) -> None:
    await world.source()
    for n in range(20):
        await world.chat(str(n))
    await world.publish("hello")
    counting = Counting()
    renderings = Renderings(world.store, world.platform, counting)
    found = await asyncio.gather(*(renderings.get(one, Form.FULL) for one in await claim(world)))
    assert len(found) == 20 and len({one.key for one in found}) == 1
    assert counting.calls == 1


async def test_languages_and_forms_are_told_apart(world: World) -> None:
    await world.source()
    await world.chat()
    await world.publish("hello")
    (delivery,) = await claim(world)
    chinese = replace(delivery, chat=replace(delivery.chat, language="zh"))
    renderings = Renderings(world.store, world.platform, compose)
    keys = {
        (await renderings.get(one, form)).key
        for one in (delivery, chinese)
        for form in (Form.FULL, Form.PLAIN)
    }
    assert len(keys) == 4


async def test_what_is_visible_is_told_apart_and_nothing_else(world: World) -> None:
    await world.source()
    await world.chat()
    await world.publish("hello")
    (delivery,) = await claim(world)
    renderings = Renderings(world.store, world.platform, compose)

    async def key(own: Format = NOTHING, **chat: Any) -> str:
        one = replace(delivery, choices=own, chat=replace(delivery.chat, **chat))
        return (await renderings.get(one, Form.FULL))[0]

    same = await key()
    assert await key(Format(silent=True), choices=Format(detail=Detail.EXCERPT, edits=False)) == same
    assert await key(Format(pictures=True), choices=Format(pictures=False)) == same
    assert await key(Format(pictures=False)) == await key(choices=Format(pictures=False)) != same
    assert await key(timezone="Asia/Shanghai") != same, "the date is another one there"


async def test_a_restart_finds_the_rendering_that_was_begun(world: World) -> None:
    await world.source()
    await world.chat()
    await world.publish("hello")
    (delivery,) = await claim(world)
    before = await Renderings(world.store, world.platform, compose).get(delivery, Form.FULL)
    counting = Counting()
    world.platform.per_message = 1  # the renderer has changed meanwhile
    assert await Renderings(world.store, world.platform, counting).get(delivery, Form.FULL) == before
    assert counting.calls == 0


async def test_another_language_counts_from_the_next_edition_on(world: World) -> None:
    """Messages in another language may divide the posts differently: one could be lost or sent twice."""
    await world.source()
    await world.chat()
    await world.publish("hello")
    (delivery,) = await claim(world)
    renderings = Renderings(world.store, world.platform, compose)
    key = (await renderings.get(delivery, Form.FULL)).key
    begun = Part(delivery.id, 0, Form.FULL, PartState.SENT, delivery.posts, key)
    chinese = replace(delivery, parts=(begun,), chat=replace(delivery.chat, language="zh"))
    assert (await renderings.get(chinese, Form.FULL)).key == key
    assert (await renderings.get(chinese, Form.PLAIN)).key != key  # that has not begun


async def test_a_changed_post_does_not_change_an_edition_that_was_begun(world: World) -> None:
    await world.source()
    chat = await world.chat()
    world.platform.per_message = 1
    await world.publish("a\nb")
    (delivery,) = await claim(world)
    begun = (await Renderings(world.store, world.platform, compose).get(delivery, Form.FULL)).messages
    world.sql("UPDATE posts SET text = 'a\nb\nc' WHERE text LIKE 'a%'")
    later = Renderings(world.store, world.platform, compose)
    assert (await later.get(delivery, Form.FULL)).messages == begun and len(begun) == 2
    assert chat.id == delivery.chat.id


async def test_a_delivery_that_was_begun_without_the_rich_form_goes_on_without_it(world: World) -> None:
    await world.source()
    await world.chat()
    await world.publish("hello")
    (delivery,) = await claim(world)
    renderings = Renderings(world.store, world.platform, compose)
    begun = await renderings.get(delivery, Form.RICH)
    part = Part(delivery.id, 0, begun.form, PartState.SENT, delivery.posts, begun.key)
    world.platform.rich = True
    later = Renderings(world.store, world.platform, compose)
    assert begun.form is Form.FULL and (await later.get(delivery, Form.RICH)).form is Form.RICH
    assert await later.get(replace(delivery, parts=(part,)), Form.RICH) == begun


async def test_a_limited_number_is_kept_in_memory(world: World) -> None:
    await world.source()
    await world.chat()
    await world.publish("hello")
    (delivery,) = await claim(world)
    counting = Counting()
    renderings = Renderings(world.store, world.platform, counting)
    for n in range(CACHED + 5):
        await renderings.get(replace(delivery, chat=replace(delivery.chat, language=str(n))), Form.FULL)
    reads = len(renderings._cache)
    assert reads == CACHED and counting.calls == CACHED + 5
