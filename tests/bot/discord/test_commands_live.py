"""Slash commands as people give them, everywhere that Discord lets them."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from tests.bot.discord.live import CALLBACK, SEND, Live, called_back, live, text_of
from tests.e2e.program import item, json_feed
from tests.emulators.base import Fault
from tests.emulators.discord import (
    Acknowledged,
    Channel,
    DiscordEmulator,
    Guild,
    Interaction,
    Permission,
    User,
)
from tests.emulators.discord.faults import broken, refused

REPLY, THINKING = 4, 5
"""Kinds of acknowledgement."""
# Discord's locales for our languages, but for those of English.
LOCALES = {"zh-CN", "zh-TW", "ru", "es-ES", "es-419"}
ADMIN_COMMANDS = {
    *("subscribe", "unsubscribe", "digest", "settings", "subscriptions", "format", "language"),
    *("post", "audit", "forget", "import", "export", "filter", "quiet", "pause", "resume", "manage"),
}


def kind_of_answer(dc: DiscordEmulator, made: Interaction) -> int:
    (kind,) = [
        entry.kind
        for entry in dc.transcript.entries
        if isinstance(entry, Acknowledged) and entry.interaction_id == made.id
    ]
    return kind


async def test_a_subscription_made_there_is_served_there(
    dc: DiscordEmulator, sky: Live, club: Guild, news: Channel
) -> None:
    places = [
        news,
        dc.announcement(club, "announcements"),
        dc.thread(news, "a thread"),
        dc.dm(dc.user("Ann")),
    ]
    for there in places:
        reply = await sky.answer(there, "latest")
        assert (reply.channel_id, reply.only_for) == (there.id, None)
        assert "LATEST UPDATES" in text_of(reply)
        assert "https://example.org/old" in text_of(reply)
        assert "now follows" in text_of(await sky.answer(there, "subscribe"))
    await sky.publish("new")
    for there in places:
        assert await sky.ended(there) == ["sent"]
        assert sky.posts(there) == ["new"]
        (sent,) = [message for message in dc.messages(there) if "Post new" in text_of(message)]
        why = await sky.answer_to(dc.choose(sent, "Why was this sent?"))
        assert why.only_for is not None
        assert "Post new" in text_of(why) and "This chat follows all public sources" in text_of(why)


async def test_chats_have_names_that_people_know(
    dc: DiscordEmulator, sky: Live, club: Guild, news: Channel
) -> None:
    ann, thread = dc.dm(dc.user("Ann")), dc.thread(news, "a thread")
    forum_post = dc.thread(dc.forum(club, "ideas"), "an idea")
    for there in (news, thread, forum_post, ann):
        await sky.answer(there, "latest")
    titles = [(await sky.known(there)).title for there in (news, thread, forum_post, ann)]
    assert titles == ["#news (Club)", "#news › a thread (Club)", "#ideas › an idea (Club)", "Ann"]
    assert [(await sky.known(there)).kind for there in (news, ann)] == ["channel", "private"]


async def test_a_person_has_a_language_and_so_has_a_channel(
    dc: DiscordEmulator, sky: Live, club: Guild, news: Channel
) -> None:
    wei = dc.user("Wei", locale="zh-CN")
    dc.join(club, wei)
    assert "搜索中英文文章" in text_of(await sky.answer(dc.dm(wei), "start", by=wei))
    assert "搜索中英文文章" not in text_of(await sky.answer(news, "start", by=wei))
    offer = await sky.answer(news, "language")
    dc.press(offer, "简体中文")
    await dc.wait_for(lambda: "当前语言" in text_of(dc.messages(news)[-1]) or None)
    # An answer that only one person sees is in the language of that person's direct messages.
    await sky.answer(dc.dm(wei), "language", by=wei, name="Русский")
    assert "публикации" in text_of(await sky.answer(news, "why", by=wei, post="nowhere"))
    for person in (None, wei):
        refusal = text_of(await sky.answer(news, "page", by=person, number="99"))
        assert "99" in refusal and "is not a page" not in refusal


async def test_commands_have_names_and_descriptions_in_every_language(dc: DiscordEmulator, sky: Live) -> None:
    listed: list[Any] = dc.world.commands[None].listed()
    menus = {command["name"]: command for command in listed if command["type"] != 1}
    commands = {command["name"]: command for command in listed if command["type"] == 1}
    assert list(commands) == [command.name for command in sky.app.services.commands]
    assert menus["Why was this sent?"]["name_localizations"].keys() == LOCALES
    latest = commands["latest"]
    assert latest["description"] == "show the newest posts"
    options = latest["options"]
    for named in (latest, *options):
        names, described = named["name_localizations"], named["description_localizations"]
        assert set(names) == set(described) == LOCALES
        assert len({named["name"], names["zh-CN"]}) == len({named["description"], described["zh-TW"]}) == 2
    assert latest["name_localizations"]["zh-CN"] == "最新"
    for name in LOCALES:
        assert len({command["name_localizations"][name] for command in commands.values()}) == len(commands)


async def test_options_arrive_as_arguments(dc: DiscordEmulator, sky: Live, news: Channel) -> None:
    assert "https://example.org/old" in text_of(await sky.answer(news, "page", number="1"))
    found = await sky.answer(news, "search", words="text -nothing")
    assert "SEARCH" in text_of(found).upper()
    assert "https://example.org/old" in text_of(found)
    assert "https://example.org/old" in text_of(await sky.answer(news, "latest", source="Radio notes"))
    assert "No source is called “Nobody”" in text_of(await sky.answer(news, "latest", source="Nobody"))
    # A command that we no longer have is answered with those that we have.
    known = dc.world.commands[None]
    known.replace([*known.listed(), dict(known.listed()[0]) | {"name": "weather"}])
    assert "/search" in text_of(await sky.answer(news, "weather"))


async def test_only_admins_are_offered_what_only_they_may_do_and_others_are_refused(
    dc: DiscordEmulator, sky: Live, club: Guild, news: Channel, bob: User
) -> None:
    assert set(dc.offered(news)) - set(dc.offered(news, bob)) == ADMIN_COMMANDS
    # A server's own settings can offer a command to everybody; that makes nobody an admin.
    for command in dc.world.commands[None].listed():
        command["default_member_permissions"] = None
    reply = await sky.answer(news, "subscribe", by=bob)
    assert text_of(reply) == "⚠ Only admins of this chat can use /subscribe."
    assert reply.only_for == bob.id
    assert not sky.read("SELECT id FROM subscriptions")
    eve = dc.user("Eve")
    dc.join(club, eve, dc.role(club, "Managers", Permission.MANAGE_GUILD))
    assert "now follows" in text_of(await sky.answer(news, "subscribe", by=eve))
    assert "Unsubscribed from" in text_of(await sky.answer(news, "unsubscribe"))  # the owner


async def test_private_replies_are_for_one_person(
    dc: DiscordEmulator, sky: Live, news: Channel, bob: User
) -> None:
    reply = await sky.answer(news, "page", by=bob, number="99")
    assert reply.only_for == bob.id
    assert dc.messages(news) == []
    preview = await sky.answer(news, "post", text="A title\\nA text")
    assert preview.only_for == news.guild.owner.id if news.guild else None
    assert preview.labels == ("Send here", "Discard")
    dc.press(preview, "Send here")
    await sky.ended(news)
    assert [text_of(message) for message in dc.messages(news)] != []


# Autocompletion


async def offered(sky: Live, channel: Channel, command: str, option: str, text: str) -> list[str]:
    made = sky.dc.autocomplete(channel, command, option, text)
    await sky.acknowledged(made)
    assert made.choices is not None
    assert all(choice["name"] == choice["value"] for choice in made.choices)
    return [str(choice["name"]) for choice in made.choices]


async def test_sources_and_titles_are_completed_within_discords_limits(
    dc: DiscordEmulator, sky: Live, news: Channel
) -> None:
    assert await offered(sky, news, "latest", "source", "radio") == ["Radio notes"]
    assert await offered(sky, news, "subscribe", "source", "") == ["Radio notes"]
    assert await offered(sky, news, "latest", "source", "television") == []
    long = [item(f"n{number}", title=f"{number:02} " + "wave " * 40) for number in range(40)]
    await sky.publish(*long, item("blank", title=" \u3000 "))
    titles = await offered(sky, news, "search", "words", "wave")
    assert len(titles) == 25 == len(set(titles))
    assert max(len(title) for title in titles) <= 100
    found = await sky.answer(news, "search", words=titles[0])  # what is offered can be chosen
    assert "https://example.org/n" in text_of(found)
    assert len(await offered(sky, news, "search", "words", "")) == 25


async def test_a_private_source_is_completed_where_it_is_followed_alone(
    dc: DiscordEmulator, news: Channel, talk: Channel, folder: Path
) -> None:
    async with live(dc, folder, operators=owner_of(news)) as sky:
        sky.feeds.documents["/other"] = json_feed(item("other"), title="Radio of one")
        await sky.answer(news, "subscribe", source=f"{sky.feeds.url}/other")
        assert await offered(sky, news, "latest", "source", "radio") == ["Radio notes", "Radio of one"]
        assert await offered(sky, talk, "latest", "source", "radio") == ["Radio notes"]


# What takes its time


def owner_of(channel: Channel) -> str:
    """Who runs the deployment, and so may read what is on this machine."""
    assert channel.guild is not None
    return f"discord:{channel.guild.owner.id}"


class SlowFeed:
    """A server of one feed that answers when it is told to."""

    def __init__(self) -> None:
        self.asked, self.go_on = asyncio.Event(), asyncio.Event()
        self.document: object = json_feed(item("slow"), title="Slow notes")

    async def answer(self, _request: web.Request) -> web.Response:
        self.asked.set()
        await self.go_on.wait()
        return web.json_response(self.document) if self.document else web.Response(status=404)


@pytest.fixture
def slow() -> SlowFeed:
    return SlowFeed()


async def _served(slow: SlowFeed) -> tuple[web.AppRunner, str]:
    app = web.Application()
    app.router.add_get("/slow", slow.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    return runner, f"http://{host}:{port}/slow"


async def test_what_takes_longer_is_announced_and_answered_later(
    dc: DiscordEmulator, news: Channel, folder: Path, slow: SlowFeed
) -> None:
    runner, url = await _served(slow)
    async with live(dc, folder, patience=0.05, operators=owner_of(news)) as sky:
        made = dc.slash(news, "subscribe", source=url)
        await sky.acknowledged(made)
        assert kind_of_answer(dc, made) == THINKING
        assert dc.answer_to(made) is None
        slow.go_on.set()
        reply = await sky.answer_to(made)
        assert "now follows Slow notes" in text_of(reply)
        assert dc.messages(news) == [reply]
        slow.document = None
        slow.go_on.clear()
        made = dc.slash(news, "subscribe", source=f"{url}?gone")
        await sky.acknowledged(made)
        slow.go_on.set()
        (error,) = await dc.wait_for(lambda: [m for m in dc.answers_to(made) if m.only_for])
        assert "404" in text_of(error)
        assert dc.messages(news) == [reply]  # nothing is left of the announcement
    await runner.cleanup()


async def test_who_can_wait_no_longer_has_subscribed_all_the_same(
    dc: DiscordEmulator, news: Channel, folder: Path, slow: SlowFeed
) -> None:
    runner, url = await _served(slow)
    async with live(dc, folder, patience=0.05, operators=owner_of(news)) as sky:
        dc.faults.add(refused(10062), CALLBACK)
        with capture_logs() as events:
            dc.slash(news, "subscribe", source=url)
            await dc.wait_for(lambda: len(dc.requests(*CALLBACK.split(" "))) == 1)
            slow.go_on.set()
            await sky.barrier()
        assert [e["event"] for e in events if e["event"].startswith("discord.reply")] == [
            "discord.reply_dropped"
        ]
        async with sky.app.store.read() as work:
            (subscription,) = await work.subscriptions.all()
        assert subscription.chat_id == (await sky.known(news)).id
    await runner.cleanup()


# What goes wrong


async def test_what_nobody_waits_for_is_dropped_quietly(
    dc: DiscordEmulator, sky: Live, news: Channel, talk: Channel
) -> None:
    late = asyncio.Event()
    with capture_logs() as events:
        for number, code in enumerate((10062, 40060), 1):
            dc.faults.add(refused(code), CALLBACK)
            dc.slash(news, "latest")
            await called_back(dc, number)
        dc.faults.add(Fault(hold=late), CALLBACK)
        made = dc.slash(news, "latest")
        await dc.wait_for(lambda: dc.has_failed(made))  # after three seconds
        late.set()
        await sky.barrier()
    assert not [event for event in events if event["log_level"] not in ("info", "debug")]
    assert len([event for event in events if event["event"] == "discord.reply_dropped"]) == 3
    assert dc.answers_to(made) == []
    assert "Post old" in text_of(await sky.answer(talk, "latest"))


async def test_a_rejected_reply_is_sent_plainer_and_one_that_meets_a_broken_server_is_repeated(
    dc: DiscordEmulator, sky: Live, news: Channel
) -> None:
    with capture_logs() as events:
        for processed in (False, True):
            dc.faults.add(broken(500, processed=processed), CALLBACK)
            made = dc.slash(news, "latest")
            assert "Post old" in text_of(await sky.answer_to(made))
            assert kind_of_answer(dc, made) == REPLY  # what is quick is not announced
        await sky.barrier()
    assert len(dc.messages(news)) == 2
    assert not [event for event in events if event["log_level"] not in ("info", "debug")]
    for code in (50035, 50006):
        dc.faults.add(refused(code), CALLBACK)
        reply = await sky.answer(news, "latest")
        assert not reply.embeds
        assert "https://example.org/old" in reply.content


async def test_a_reply_that_cannot_be_sent_is_a_line_in_the_log(
    dc: DiscordEmulator, sky: Live, news: Channel, talk: Channel
) -> None:
    with capture_logs() as events:
        for number, code in enumerate((50013, 50001), 1):
            dc.faults.add(refused(code), CALLBACK)
            dc.slash(news, "latest")
            await called_back(dc, number)
        await sky.barrier()
    failed = [event for event in events if event["event"] == "discord.interaction_failed"]
    assert [event["log_level"] for event in failed] == ["warning"] * 2
    assert not [event for event in failed if "exc_info" in event]
    assert "Post old" in text_of(await sky.answer(talk, "latest"))


async def test_a_broadcast_that_is_stuck_holds_up_no_reply(
    dc: DiscordEmulator, sky: Live, club: Guild, news: Channel
) -> None:
    go_on = asyncio.Event()
    channels = [dc.text(club, f"c{number}") for number in range(40)]
    await sky.follow_all(channels)
    for channel in channels:
        dc.faults.add(Fault(hold=go_on), SEND, channel.id)
    await sky.publish("new")
    await dc.wait_for(lambda: dc.requests(*SEND.split(" ")))
    assert "Post new" in text_of(await sky.answer(news, "latest"))
    assert len(dc.sent) == 1
    go_on.set()
    await sky.all_sent()
