"""Sending, editing, publishing, sending once with a nonce, and their errors."""

import asyncio
import io

import aiohttp
import discord
import pytest

from tests.emulators.base import ANY
from tests.emulators.discord import Channel, DiscordEmulator, Guild, Shown
from tests.emulators.discord.faults import (
    banned,
    broken,
    delayed,
    delivered_then_dropped,
    dropped,
    named,
    refused,
)
from tests.emulators.discord.routes import SEND
from tests.emulators.test_discord.clients import (
    Body,
    Bot,
    Clock,
    Pager,
    ask_rest,
    at,
    emulated,
    post,
    refuses,
)


async def test_sends_edits_deletes(dc: DiscordEmulator, news: Channel, bot: Bot) -> None:
    sent = await at(bot, news).send("hi", embed=discord.Embed(title="T"), silent=True, view=Pager())
    shown = dc.messages(news)[0]
    assert (shown.content, shown.embeds[0]["title"], shown.labels) == ("hi", "T", ("Next", "Late"))
    assert shown.flags == 4096
    await sent.edit(content="ho", suppress=True)
    (edited,) = dc.messages(news)
    assert ([message.content for message in edited.history], edited.flags) == (["hi"], 4096 | 4)
    assert edited.embeds == shown.embeds and edited.labels == shown.labels
    await sent.edit(embed=None, view=None)
    assert (dc.messages(news)[0].embeds, dc.messages(news)[0].labels) == ((), ())
    assert (await at(bot, news).fetch_message(sent.id)).content == "ho"
    await sent.delete()
    assert dc.messages(news) == []
    whats = [entry.what for entry in dc.transcript.entries if isinstance(entry, Shown)]
    assert whats == ["sent", "edited", "edited", "deleted"]
    with refuses(10008):
        await sent.edit(content="late")


async def test_history(dc: DiscordEmulator, news: Channel, bot: Bot) -> None:
    sent = [await at(bot, news).send(str(number)) for number in range(5)]
    read = [message.content async for message in at(bot, news).history(limit=2, before=sent[3])]
    assert read == ["2", "1"]


async def test_only_its_own_messages(dc: DiscordEmulator, news: Channel, bot: Bot) -> None:
    said = dc.say(news, "mine")
    handle = at(bot, news).get_partial_message(said.id)
    with refuses(50005):
        await handle.edit(content="yours")
    with refuses(50013):
        await handle.delete()


async def test_files(dc: DiscordEmulator, news: Channel, bot: Bot) -> None:
    await at(bot, news).send("with", file=discord.File(io.BytesIO(b"x" * 10), "a.png"))
    (message,) = dc.messages(news)
    assert [(file["filename"], file["size"]) for file in message.files] == [("a.png", 10)]
    await at(bot, news).send(file=discord.File(io.BytesIO(b"x" * (3 << 20)), "b.png"))
    with refuses(40005):
        await at(bot, news).send(file=discord.File(io.BytesIO(b"x" * (10 << 20) + b"x"), "c.png"))


async def test_crosspost(dc: DiscordEmulator, club: Guild, news: Channel, bot: Bot) -> None:
    loud = dc.announcement(club, "loud")
    await bot.until("guild_channel_create")
    message = await at(bot, loud).send("x")
    await message.publish()
    assert dc.messages(loud)[0].flags == 1
    with refuses(40033):
        await message.publish()
    plain = await at(bot, news).send("x")
    with refuses(50024):
        await plain.publish()


async def test_a_nonce_sends_once() -> None:
    clock = Clock()
    async with emulated(clock=clock) as dc:
        news, other = (dc.text(dc.guild("Club"), name) for name in ("news", "other"))
        body: Body = {"content": "a", "nonce": "n1", "enforce_nonce": True}
        first = (await post(dc, news, body))[1]["id"]
        clock.now += 179
        assert (await post(dc, news, body))[1]["id"] == first
        assert (await post(dc, other, body | {"content": "b"}))[1]["id"] == first
        assert len(dc.messages(news)) == 1 and dc.messages(other) == []
        dc.remove(dc.messages(news)[0])
        status, answer = await post(dc, news, body)
        assert (status, answer["code"]) == (404, 10008)
        clock.now += 2
        assert (await post(dc, news, body))[0] == 200
        assert (await post(dc, news, body | {"enforce_nonce": False}))[0] == 200
        assert len(dc.messages(news)) == 2


async def test_what_was_delivered_unseen_is_not_sent_again(
    dc: DiscordEmulator, news: Channel, bot: Bot
) -> None:
    dc.faults.add(delivered_then_dropped(), SEND, news.id)
    with pytest.raises((aiohttp.ClientError, OSError)):
        await at(bot, news).send("once", nonce="n1")
    sent = await at(bot, news).send("once", nonce="n1")
    assert [message.id for message in dc.messages(news)] == [sent.id]


async def test_faults(dc: DiscordEmulator, news: Channel, bot: Bot) -> None:
    channel = at(bot, news)
    dc.faults.add(refused(240000), SEND, news.id)
    with refuses(240000):
        await channel.send("x")
    dc.faults.add(broken(503, processed=True), SEND)
    with pytest.raises(discord.DiscordServerError):
        await channel.send("delivered")
    for fault in (dropped(), delivered_then_dropped()):
        dc.faults.add(fault, SEND)
        with pytest.raises((aiohttp.ClientError, OSError)):
            await channel.send("cut")
    dc.faults.add(banned(), SEND)
    with pytest.raises(discord.HTTPException, match="1015"):
        await channel.send("x")
    gate = asyncio.Event()
    dc.faults.add(delayed(gate), ANY)
    sending = asyncio.create_task(channel.send("late"))
    await dc.wait_for(lambda: len(dc.messages(news)) == 3)
    assert not sending.done()
    gate.set()
    await sending
    assert [message.content for message in dc.messages(news)] == ["delivered", "cut", "late"]
    outcomes = [request.outcome for request in dc.requests("POST", "/channels/{channel}/messages")]
    assert [outcome and outcome.status for outcome in outcomes] == [400, 503, None, None, 429, 200]


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [("50001", 403, 50001), ("10003", 404, 10003), ("shared-3", 429, None), ("20028", 429, 20028)],
)
async def test_faults_by_name(
    dc: DiscordEmulator, news: Channel, kind: str, status: int, code: int | None
) -> None:
    dc.faults.add(named(kind), SEND)
    got, answer = await post(dc, news, {"content": "x"})
    assert (got, answer.get("code")) == (status, code)
    if status == 429:
        assert answer["retry_after"] > 0


async def test_bodies_that_are_no_json(dc: DiscordEmulator, news: Channel) -> None:
    url, headers = f"{dc.url}/channels/{news.id}/messages", {"Authorization": f"Bot {dc.token}"}
    session = aiohttp.ClientSession(headers=headers)
    async with (
        session,
        session.post(url, data=b"{", headers={"Content-Type": "application/json"}) as response,
    ):
        assert (await response.json())["code"] == 50109
    assert (await ask_rest(dc, "POST", f"/channels/{news.id}/messages", {"content": 5}))[1]["code"] == 50035
