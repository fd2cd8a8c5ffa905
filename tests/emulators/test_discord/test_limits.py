"""Rate limits, with a clock that the test moves and with discord.py."""

import asyncio

import aiohttp
import discord
import pytest

from tests.emulators.discord import DiscordEmulator, Limits, Permission
from tests.emulators.discord.faults import answers, refused, too_many
from tests.emulators.discord.routes import SEND
from tests.emulators.test_discord.clients import Bot, Clock, ask_rest, at, connected, emulated, post


def refusals(dc: DiscordEmulator) -> int:
    assert dc.governor is not None
    return dc.governor.refusals


async def test_buckets_and_the_global_limit() -> None:
    clock = Clock()
    async with emulated(clock=clock, limits=Limits(overall=7)) as dc:
        guild = dc.guild("Club")
        first, second = dc.text(guild, "first"), dc.text(guild, "second")
        for _ in range(5):
            assert (await post(dc, first, {"content": "x"}))[0] == 200
        status, body = await post(dc, first, {"content": "x"})
        assert (status, body["global"], body["retry_after"]) == (429, False, 5.0)
        assert (await post(dc, second, {"content": "x"}))[0] == 200
        clock.now += 0.25
        status, body = await post(dc, second, {"content": "x"})
        assert (status, body["global"], body["retry_after"]) == (429, True, 0.75)
        clock.now += 0.75
        assert (await post(dc, second, {"content": "x"}))[0] == 200
        assert (await post(dc, first, {"content": "x"}))[0] == 429
        clock.now += 4
        assert (await post(dc, first, {"content": "x"}))[0] == 200
        assert refusals(dc) == 3


async def test_headers_tell_of_the_bucket() -> None:
    clock = Clock()
    async with emulated(clock=clock, limits=Limits(channel=1)) as dc:
        news = dc.text(dc.guild("Club"), "news")
        url = f"{dc.url}/channels/{news.id}/messages"
        seen = []
        async with aiohttp.ClientSession(headers={"Authorization": f"Bot {dc.token}"}) as session:
            for _ in range(2):
                async with session.post(url, json={"content": "x"}) as response:
                    seen.append(response.headers)
                    clock.now += 1
    first, second = seen
    assert (first["X-RateLimit-Remaining"], first["X-RateLimit-Reset-After"]) == ("0", "5.000")
    assert (second["X-RateLimit-Scope"], second["Retry-After"], second["Via"]) == ("user", "4", "1.1 google")
    assert first["X-RateLimit-Bucket"] == second["X-RateLimit-Bucket"]


async def test_discord_py_keeps_to_the_buckets() -> None:
    async with emulated(limits=Limits(span=0.2)) as dc:
        news = dc.text(dc.guild("Club"), "news")
        async with connected(dc) as bot:
            await asyncio.gather(*(at(bot, news).send(str(number)) for number in range(12)))
        assert len(dc.messages(news)) == 12 and refusals(dc) == 0


async def test_crossposts() -> None:
    async with emulated(limits=Limits(crossposts=1)) as dc:
        loud = dc.announcement(dc.guild("Club"), "loud")
        client = Bot()
        client.http.max_ratelimit_timeout = 30
        async with connected(dc, client) as bot:
            first, second = [await at(bot, loud).send("x") for _ in range(2)]
            await first.publish()
            with pytest.raises(discord.RateLimited):
                await second.publish()


async def test_answers_to_interactions_do_not_count() -> None:
    clock = Clock()
    async with emulated(clock=clock, limits=Limits(overall=50)) as dc:
        news = dc.text(dc.guild("Club"), "news")
        async with connected(dc):
            used = [dc.slash(news, "latest") for _ in range(60)]
            await dc.wait_for(lambda: all(dc.answer_to(ran) for ran in used))
        assert refusals(dc) == 0


async def test_too_many_invalid_requests_block() -> None:
    clock = Clock()
    async with emulated(clock=clock, limits=Limits(invalid=3)) as dc:
        news = dc.text(dc.guild("Club"), "news")
        dc.deny(news, Permission.SEND_MESSAGES)
        dc.faults.add(refused(50001), SEND)
        dc.faults.add(answers(too_many(1, scope="shared")), SEND)
        assert [(await post(dc, news, {"content": "x"}))[0] for _ in range(4)] == [403, 429, 403, 403]
        dc.deny(news, 0)
        session = aiohttp.ClientSession(headers={"Authorization": f"Bot {dc.token}"})
        async with session, session.get(f"{dc.url}/users/@me") as response:
            assert (response.status, response.headers.get("Via")) == (429, None)
        async with aiohttp.ClientSession() as session, session.get(f"{dc.url}/users/@me") as response:
            assert response.status == 429
        clock.now += 600
        assert (await ask_rest(dc, "GET", "/users/@me"))[0] == 200
