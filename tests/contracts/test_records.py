"""Leases, saved searches and the audit."""

from dataclasses import replace

from content.types import Correction, Match, Rung
from scheduler.ports import Found, Shown, Store
from tests.builders import NOW, after
from tests.contracts.world import World


async def take(store: Store, holder: str, minute: float = 0, *, force: bool = False) -> int | None:
    """Take the lease `telegram` for one minute."""
    async with store.write() as work:
        epoch = await work.leases.take("telegram", holder, after(minute), after(minute + 1), force=force)
        await work.commit()
    return epoch


async def release(store: Store, holder: str) -> None:
    async with store.write() as work:
        await work.leases.release("telegram", holder)
        await work.commit()


async def test_a_lease_is_held_by_one(store: Store) -> None:
    assert await take(store, "a") == 1
    assert await take(store, "b") is None
    assert await take(store, "b", 0.9) is None


async def test_renewing_keeps_the_epoch_and_prolongs(store: Store) -> None:
    assert await take(store, "a") == 1
    assert await take(store, "a", 0.9) == 1
    assert await take(store, "b", 1.5) is None, "held until 1.9"


async def test_an_expired_lease_goes_to_the_next_holder_with_a_higher_epoch(store: Store) -> None:
    assert await take(store, "a") == 1
    assert await take(store, "b", 1) == 2
    assert await take(store, "a", 1.5) is None
    assert await take(store, "a", 2) == 3


async def test_a_holder_that_was_late_keeps_what_nobody_took(store: Store) -> None:
    assert await take(store, "a") == 1
    assert await take(store, "a", 10) == 1


async def test_force_takes_over_at_once(store: Store) -> None:
    assert await take(store, "a") == 1
    assert await take(store, "b", force=True) == 2
    assert await take(store, "a") is None


async def test_a_released_lease_is_free_and_its_epoch_grows(store: Store) -> None:
    assert await take(store, "a") == 1
    await release(store, "b")
    assert await take(store, "b") is None, "only the holder releases"
    await release(store, "a")
    assert await take(store, "b") == 2
    await release(store, "b")
    assert await take(store, "b") == 3


async def test_leases_are_apart(store: Store) -> None:
    async with store.write() as work:
        for name in ("telegram", "discord"):
            assert await work.leases.take(name, "a", NOW, after(1), force=False) == 1
        await work.commit()


async def test_a_refused_lease_is_unchanged(store: Store) -> None:
    assert await take(store, "a") == 1
    assert await take(store, "b", 0.5) is None
    assert await take(store, "b", 1) == 2, "the refusal prolonged nothing"


async def test_a_search_is_kept_with_its_ranked_ids(store: Store) -> None:
    how = Match(Rung.MOST, 2, (Correction("tian", "天"), Correction("bo", "波")))
    kept = Found("天波", (3, 1, 2), 1001, how)
    async with store.write() as work:
        first = await work.searches.save(7, kept, NOW)
        second = await work.searches.save(8, Found("", (), 0), NOW)
        await work.commit()
    async with store.read() as work:
        assert await work.searches.get(first, 7) == kept
        assert await work.searches.get(second, 8) == Found("", (), 0)
        assert await work.searches.get(second + 1, 8) is None
        assert await work.searches.get(first, 8) is None


async def test_the_page_that_a_chat_was_shown_last(store: Store, world: World) -> None:
    chat, second, other = [await world.chat(name) for name in "123"]
    for shown in (Shown("l:0:1:5", 3, (5, 4)), Shown("s:1:2:0", 2, ())):
        beside = Shown("l:0:1:9", 1, shown.ids[:1])
        async with store.write() as work:
            await work.views.remember({second.id: beside, chat.id: shown})
            await work.commit()
        async with store.read() as work:
            assert await work.views.last(chat.id) == shown
            assert await work.views.last(second.id) == beside
            assert await work.views.last(other.id) is None
    async with store.write() as work:
        await work.chats.remove([chat.id])
        await work.commit()
    async with store.read() as work:
        assert await work.views.last(chat.id) is None


async def test_an_audit_entry_can_be_written(store: Store) -> None:
    async with store.write() as work:
        await work.audit.add("telegram:1", "sources.add", "https://example.org/feed", NOW)
        await work.commit()


async def test_a_person_has_the_language_of_their_private_chat(store: Store) -> None:
    world = World(store)
    first, second = await world.chat("1"), await world.chat("2")
    async with store.write() as work:
        await work.chats.save(replace(second, language="ru"))
        await work.people.writes_in("discord:7", first.id)
        assert await work.people.language("discord:7") == ""
        await work.people.writes_in("discord:7", second.id)
        assert await work.people.language("discord:7") == "ru"
        assert await work.people.language("discord:77") == ""
        await work.chats.remove([second.id])
        assert await work.people.language("discord:7") == "", "nothing is left of them"
