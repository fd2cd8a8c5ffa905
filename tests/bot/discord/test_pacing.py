"""The gate before the wire: what waits in it, what does not, what it does not let through."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
import yarl

from bot.platforms.discord.pacing import MayBeDone, answered, pacing

SEND = "/api/v10/channels/1/messages"
NEVER = 3600.0  # seconds between two attempts


class Gate:
    def __init__(self, interval: float) -> None:
        self._trace = pacing(interval)
        self._session: Any = None  # nothing of it is looked at

    async def begin(self, path: str) -> None:
        params: Any = SimpleNamespace(url=yarl.URL(f"https://discord.com{path}"))
        for callback in self._trace.on_request_start:
            await callback(self._session, SimpleNamespace(), params)

    async def end(self, status: int) -> None:
        params: Any = SimpleNamespace(response=SimpleNamespace(status=status))
        for callback in self._trace.on_request_end:
            await callback(self._session, SimpleNamespace(), params)


async def turns() -> None:
    """Let everybody go on who can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_attempts_wait_for_each_other() -> None:
    gate = Gate(NEVER)
    await gate.begin(SEND)
    second = asyncio.create_task(gate.begin(SEND))
    await turns()
    assert not second.done()
    second.cancel()


@pytest.mark.parametrize("path", ["/api/v10/interactions/1/t/callback", "/api/v10/webhooks/1/t", "/gateway/"])
async def test_replies_never_wait_behind_a_broadcast(path: str) -> None:
    gate = Gate(NEVER)
    await gate.begin(SEND)
    behind = asyncio.create_task(gate.begin(SEND))
    await turns()
    await gate.begin(path)
    await gate.begin(path)
    behind.cancel()


async def test_who_gives_up_holds_up_nobody() -> None:
    gate = Gate(0.01)
    await gate.begin(SEND)
    given_up = asyncio.create_task(gate.begin(SEND))
    await turns()
    given_up.cancel()
    await gate.begin(SEND)


async def test_what_must_not_be_repeated_is_repeated_only_where_nothing_was_done() -> None:
    gate = Gate(0.0)
    token = answered.set([])
    await gate.begin(SEND)
    await gate.end(429)
    await gate.begin(SEND)
    await gate.end(502)
    with pytest.raises(MayBeDone):
        await gate.begin(SEND)
    answered.reset(token)
    await gate.begin(SEND)
