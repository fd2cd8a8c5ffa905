"""One holder at a time, and an epoch that tells them apart."""

from datetime import timedelta

from scheduler.leases import LOOK, RENEWAL, TERM, Leases
from tests.scheduler.conftest import World

NAMES = ["ticks", "fake"]


def holder(world: World, name: str, *, at_once: bool = False) -> Leases:
    return Leases(world.store, world.clock, name, at_once=at_once)


async def test_the_first_gets_them_and_the_second_waits(world: World) -> None:
    one, two = holder(world, "one"), holder(world, "two")
    assert await one.acquire(NAMES) == {"ticks": 1, "fake": 1}
    assert await two.renew(NAMES) is None
    assert await two.renew(["fake"]) is None


async def test_a_renewal_keeps_the_epoch(world: World) -> None:
    one, two = holder(world, "one"), holder(world, "two")
    await one.acquire(NAMES)
    for _ in range(10):
        world.clock.advance(RENEWAL.total_seconds())
        assert await one.renew(NAMES) == {"ticks": 1, "fake": 1}
        assert await two.renew(NAMES) is None


async def test_one_that_died_is_replaced_when_its_term_ends(world: World) -> None:
    one, two = holder(world, "one"), holder(world, "two")
    await one.acquire(NAMES)
    start = world.clock.monotonic()
    assert await two.acquire(NAMES) == {"ticks": 2, "fake": 2}
    waited = timedelta(seconds=world.clock.monotonic() - start)
    assert TERM <= waited <= TERM + LOOK
    assert await one.renew(NAMES) is None


async def test_all_or_none_are_taken(world: World) -> None:
    one, two, three = holder(world, "one"), holder(world, "two"), holder(world, "three")
    await one.acquire(["fake"])
    assert await two.renew(NAMES) is None
    assert await three.renew(["ticks"]) == {"ticks": 1}


async def test_a_release_lets_the_next_one_in_at_once(world: World) -> None:
    one, two = holder(world, "one"), holder(world, "two")
    await one.acquire(NAMES)
    await one.release(NAMES)
    assert await two.renew(NAMES) == {"ticks": 2, "fake": 2}
    await one.release(NAMES)  # not ours any more: takes nothing away
    assert await holder(world, "three").renew(NAMES) is None


async def test_where_no_other_can_be_alive_the_lease_is_taken_at_once(world: World) -> None:
    await holder(world, "one", at_once=True).acquire(NAMES)
    assert await holder(world, "two", at_once=True).renew(NAMES) == {"ticks": 2, "fake": 2}
