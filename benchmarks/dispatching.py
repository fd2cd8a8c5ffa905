"""The dispatcher and the store alone, in a child process: `python -m benchmarks.dispatching WHAT ARGUMENTS`.

It prints one JSON value. Logs go to standard error, as in a deployment.
"""

import asyncio
import json
import random
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from math import inf

import psutil

from benchmarks.worlds import World
from bot.engine import SystemClock
from bot.loading import load_settings
from bot.logs import configure
from bot.look import make_look
from bot.platforms.telegram.limits import PRIVATE
from bot.platforms.telegram.render import render
from bot.settings import Settings
from content import present
from content.document import Document
from content.types import Post
from scheduler.delivery.dispatch import MOST, Dispatcher
from scheduler.delivery.pacer import GATHER, Pacer
from scheduler.ports import Closed, Outcome, PartEnded
from scheduler.types import (
    Chat,
    ChatKind,
    Delivery,
    DeliveryState,
    Form,
    Limits,
    Message,
    Part,
    PartState,
    Rate,
    Sent,
)
from storage.unit_of_work import SqlStore

FAST = 1_000  # messages a second


class Instant:
    """A platform that sends in no time."""

    name = "telegram"
    limits = Limits(Rate(inf), {})
    deduplicates = False

    def __init__(self) -> None:
        self.sent = 0

    def render(self, document: Document, form: Form) -> Sequence[Message]:
        return render(document, form)

    async def send(self, chat: Chat, message: Message, *, key: str, silent: bool = False) -> Sent:
        self.sent += 1
        return Sent(chat.place.address, (str(self.sent),))


def _compose(settings: Settings, delivery: Delivery, posts: Sequence[Post]) -> Document:
    return present.post(posts[0], make_look(settings, delivery.chat))


def dispatcher(store: SqlStore, platform: Instant, rate: float) -> Dispatcher:
    """A dispatcher as the application builds it."""
    clock = SystemClock()
    limits = Limits(Rate(rate, guard=0.0), {ChatKind.PRIVATE: PRIVATE})
    compose = partial(_compose, load_settings())
    return Dispatcher(store, platform, compose, Pacer(limits, clock), clock, random.Random(1), 1)


async def cpu(url: str, chats: str) -> object:
    """Microseconds of CPU per delivery at 1000 a second, and the rate that was reached."""
    world = await World.make(url)
    await world.follow("telegram", [str(n) for n in range(1, int(chats) + 1)], ChatKind.PRIVATE)
    warm = dispatcher(world.store, Instant(), FAST)
    count = await world.publish("first")
    await warm.drain()
    await world.publish("second")
    platform = Instant()
    began, spent = time.monotonic(), time.process_time()
    await dispatcher(world.store, platform, FAST).drain()
    took, spent = time.monotonic() - began, time.process_time() - spent
    await world.close()
    assert platform.sent == count
    return {"cpu": spent / count * 1e6, "rate": count / took}


async def outbox(url: str) -> object:
    """The outbox alone: claims, parts written ahead and outcomes, in the batches of 1000 messages a second.

    Deliveries a second, microseconds of CPU a delivery, MB of the process.
    """
    store, count = await SqlStore.open(url), 0
    began, spent = time.monotonic(), time.process_time()
    while done := await _claimed(store):
        count += done
    took, spent = time.monotonic() - began, time.process_time() - spent
    await store.close()
    memory = psutil.Process().memory_info().rss / 1e6
    return {"rate": count / took, "cpu": spent / count * 1e6, "memory": memory}


async def _claimed(store: SqlStore) -> int:
    """Claim as many deliveries as the dispatcher does, and record them as sent; returns how many."""
    limit, batch = MOST, int(FAST * FAST * GATHER)
    async with store.write() as work:
        deliveries = await work.outbox.claim("telegram", datetime.now(UTC), limit, 1)
        await work.commit()
    outcomes: list[Outcome] = []
    for start in range(0, len(deliveries) + 1, batch):
        now, some = datetime.now(UTC), deliveries[start : start + batch]
        begun = [Part(d.id, 0, d.form, PartState.SENDING, d.posts, "key", begun_at=now) for d in some]
        async with store.write() as work:
            await work.outbox.record(begun, outcomes, now, 1)
            await work.commit()
        outcomes = []
        for part in begun:
            sent = replace(part, state=PartState.SENT, sent=Sent("1", ("1",)))
            outcomes += [PartEnded(sent, part.posts), Closed(part.delivery_id, DeliveryState.SENT)]
    return len(deliveries)


async def memory(url: str, seconds: str) -> object:
    """Peak MB of the process while it dispatches for some seconds, and the number of deliveries."""
    store = await SqlStore.open(url)
    platform, peak = Instant(), 0
    sending = dispatcher(store, platform, FAST)
    running = asyncio.create_task(sending.run())
    until = time.monotonic() + float(seconds)
    while time.monotonic() < until:
        await asyncio.sleep(0.1)
        peak = max(peak, psutil.Process().memory_info().rss)
    sending.stop()
    await running
    await store.close()
    return {"memory": peak / 1e6, "sent": platform.sent}


async def claim(url: str, limit: str) -> object:
    """Milliseconds of a claim, and the number of deliveries it found."""
    store = await SqlStore.open(url)
    took, found = [], 0
    for _ in range(5):
        began = time.monotonic()
        async with store.write() as work:
            claimed = await work.outbox.claim("telegram", datetime.now(UTC), int(limit), 1)
            await work.commit()
        took.append((time.monotonic() - began) * 1e3)
        found += len(claimed)
    await store.close()
    return {"took": sorted(took)[len(took) // 2], "found": found}


async def main(what: str, *arguments: str) -> None:
    """Measure and print."""
    configure("console", [])
    figures: Mapping[str, Callable[..., Awaitable[object]]] = {
        "cpu": cpu,
        "outbox": outbox,
        "memory": memory,
        "claim": claim,
    }
    print(json.dumps(await figures[what](*arguments)), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
