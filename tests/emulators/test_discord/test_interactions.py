"""Commands, buttons, selects and modals."""

from collections.abc import AsyncIterator

import pytest

from tests.emulators.discord import Channel, DiscordEmulator, Failed, Guild, Permission, Pings, Shown
from tests.emulators.discord.console import Console, shown_embed
from tests.emulators.test_discord.clients import Body, Bot, Clock, ask_rest, at, connected, emulated


async def test_slash_commands(dc: DiscordEmulator, club: Guild, news: Channel, bot: Bot) -> None:
    ann = dc.user("Ann", locale="zh-CN")
    dc.join(club, ann)
    dc.deny(news, Permission.VIEW_CHANNEL)  # an answer needs no permission
    ran = dc.slash(news, "latest", by=ann, page=3)
    shown = await dc.wait_for(lambda: dc.answer_to(ran))
    assert (shown.content, shown.labels) == ("page 3", ("Next", "Late"))
    assert dc.messages(news) == [shown]
    (interaction,) = await bot.until("interaction")
    assert (interaction.user.name, interaction.locale.value) == ("Ann", "zh-CN")
    assert interaction.permissions.send_messages and not interaction.permissions.manage_guild
    assert not interaction.is_expired()


async def test_what_the_app_would_not_send(dc: DiscordEmulator, club: Guild, news: Channel, bot: Bot) -> None:
    with pytest.raises(LookupError, match="no option 'pge'"):
        dc.slash(news, "latest", pge=1)
    with pytest.raises(ValueError, match="page does not take 'x'"):
        dc.slash(news, "latest", page="x")
    with pytest.raises(ValueError, match="needs the option 'source'"):
        dc.slash(news, "find")
    with pytest.raises(LookupError, match="not offered /other"):
        dc.slash(news, "other")
    with pytest.raises(LookupError, match="/digest needs one of: add"):
        dc.slash(news, "digest")
    dc.deny(news, Permission.USE_APPLICATION_COMMANDS, club.everyone)
    ann = dc.user("Ann")
    dc.join(club, ann)
    assert dc.offered(news, ann) == []
    dc.deny(news, Permission.VIEW_CHANNEL, club.everyone)
    assert dc.offered(news, ann) == []
    dc.deny(news, 0, club.everyone)
    assert "guarded" not in dc.offered(news, ann) and "latest" in dc.offered(news, ann)


async def test_subcommands_and_channels(dc: DiscordEmulator, news: Channel, bot: Bot) -> None:
    ran = dc.slash(news, "digest add", channel=news, at="09:00")
    assert (await dc.wait_for(lambda: dc.answer_to(ran))).content == "news 09:00"
    (interaction,) = await bot.until("interaction")
    (resolved,) = interaction.data["resolved"]["channels"].values()
    assert int(resolved["permissions"]) & Permission.ADMINISTRATOR  # of the owner, who used it


async def test_commands_for_admins(dc: DiscordEmulator, club: Guild, news: Channel, bot: Bot) -> None:
    ann, bob = dc.user("Ann"), dc.user("Bob")
    dc.join(club, ann)
    dc.join(club, bob, admin=True)
    with pytest.raises(LookupError, match="Ann is not offered /guarded"):
        dc.slash(news, "guarded", by=ann)
    ran = dc.slash(news, "guarded", by=bob)
    shown = await dc.wait_for(lambda: dc.answer_to(ran))
    assert (shown.only_for, dc.messages(news)) == (bob.id, [])


async def test_commands_need_a_sync(dc: DiscordEmulator, news: Channel) -> None:
    with pytest.raises(LookupError, match="there: none"):
        dc.slash(news, "latest")


async def test_deferred_and_followed_up(dc: DiscordEmulator, news: Channel, bot: Bot) -> None:
    ran = dc.slash(news, "slow")
    said = await dc.wait_for(lambda: dc.answers_to(ran)[1:] and dc.answers_to(ran))
    assert [(message.content, message.flags) for message in said] == [("first", 64), ("second", 64)]
    whats = [entry.what for entry in dc.transcript.entries if isinstance(entry, Shown)]
    assert whats == ["thinking", "sent", "sent"]


async def test_answers_ping_users_only(dc: DiscordEmulator, news: Channel, bot: Bot) -> None:
    ran = dc.slash(news, "find", source="a")
    shown = await dc.wait_for(lambda: dc.answer_to(ran))
    assert shown.pings == Pings(frozenset({ran.user.id}))


async def test_autocomplete(dc: DiscordEmulator, news: Channel, bot: Bot) -> None:
    asked = dc.autocomplete(news, "find", "source", "ab")
    choices = await dc.wait_for(lambda: asked.choices)
    assert [choice["name"] for choice in choices] == ["ab!"]


async def test_in_a_dm(dc: DiscordEmulator, bot: Bot) -> None:
    ran = dc.slash(dc.dm(dc.user("Ann")), "latest")
    assert (await dc.wait_for(lambda: dc.answer_to(ran))).content == "page 1"


async def test_buttons_and_selects(dc: DiscordEmulator, news: Channel, bot: Bot) -> None:
    dc.slash(news, "latest")
    await dc.wait_for(lambda: dc.messages(news))
    dc.press(news, "Next")
    await dc.wait_for(lambda: dc.messages(news)[0].content == "page 2")
    chosen = dc.select(news, "B")
    shown = await dc.wait_for(lambda: dc.answer_to(chosen))
    assert (shown.content, shown.only_for) == ("source B", chosen.user.id)
    pressed = dc.press(dc.messages(news)[0], "Late")
    await dc.wait_for(lambda: dc.messages(news)[0].content == "page 9")
    assert dc.answer_to(pressed) == dc.messages(news)[0]
    with pytest.raises(LookupError, match="no button 'Next'"):
        dc.press(news, "Next")


async def test_modals(dc: DiscordEmulator, news: Channel, bot: Bot) -> None:
    asked = dc.slash(news, "ask")
    await dc.wait_for(lambda: asked.modal)
    sent = dc.submit(asked, text="HELLO")
    assert (await dc.wait_for(lambda: dc.answer_to(sent))).content == "banner HELLO"


async def code(dc: DiscordEmulator, path: str, body: Body) -> int | None:
    """Send a POST and return Discord's error code; None for success."""
    status, answer = await ask_rest(dc, "POST", path, body)
    return None if status < 300 else answer["code"]


SAY: Body = {"type": 4, "data": {"content": "x"}}


async def test_answers_in_time() -> None:
    clock = Clock()
    async with emulated(clock=clock) as dc:
        news = dc.text(dc.guild("Club"), "news")
        async with connected(dc):
            ran = dc.slash(news, "latest")
            await dc.wait_for(lambda: dc.answer_to(ran))
        again, follow = f"/interactions/{ran.id}/{ran.token}/callback", f"/webhooks/{dc.bot.id}/{ran.token}"
        assert await code(dc, again, SAY) == 40060
        clock.now += 15 * 60 - 1
        assert await code(dc, follow, {"content": "more"}) is None
        clock.now += 1
        assert await code(dc, follow, {"content": "more"}) == 50027
        assert await code(dc, f"/webhooks/{dc.bot.id}/none", {"content": "x"}) == 10015


async def test_answers_too_late() -> None:
    clock = Clock()
    async with emulated(clock=clock) as dc:
        news = dc.text(dc.guild("Club"), "news")
        async with connected(dc):
            pass
        lost = dc.slash(news, "latest")
        follow = f"/webhooks/{dc.bot.id}/{lost.token}"
        assert await code(dc, follow, {"content": "before the answer"}) == 10015
        clock.now += 2.9
        assert not dc.has_failed(lost)
        clock.now += 0.1
        assert await code(dc, f"/interactions/{lost.id}/{lost.token}/callback", SAY) == 10062
        assert dc.has_failed(lost)
        texts = [entry.text for entry in dc.transcript.entries if isinstance(entry, Failed)]
        assert texts == ["The application did not respond"]


async def test_answers_of_the_wrong_kind(dc: DiscordEmulator, news: Channel) -> None:
    async with connected(dc):
        pass
    ran = dc.slash(news, "latest")
    path = f"/interactions/{ran.id}/{ran.token}/callback"
    choices: Body = {"type": 8, "data": {"choices": []}}
    assert await code(dc, path, choices) == 50035
    assert await code(dc, path, {"type": 4, "data": {"content": "x" * 2001}}) == 50035
    assert await code(dc, path, SAY) is None
    typed = dc.autocomplete(news, "find", "source", "a")
    many = [{"name": str(number), "value": str(number)} for number in range(26)]
    path = f"/interactions/{typed.id}/{typed.token}/callback"
    assert await code(dc, path, {"type": 8, "data": {"choices": many}}) == 50035
    assert await code(dc, path, {"type": 8, "data": {"choices": many[1:]}}) is None


async def test_secret_answers_are_for_one(dc: DiscordEmulator, club: Guild, news: Channel, bot: Bot) -> None:
    ann = dc.user("Ann")
    dc.join(club, ann)
    ran = dc.slash(news, "guarded")
    shown = await dc.wait_for(lambda: dc.answer_to(ran))
    with pytest.raises(LookupError):
        dc.press(shown, "anything", by=ann)
    assert (await ask_rest(dc, "GET", f"/channels/{news.id}/messages/{shown.id}"))[1]["code"] == 10008
    await at(bot, news).send("x")
    assert [message.content for message in dc.messages(news)] == ["x"]


async def test_options_are_taken_as_they_are_typed(dc: DiscordEmulator, bot: Bot) -> None:
    written: list[str] = []
    console = Console(dc, written.append, patience=0.0)

    async def typed() -> AsyncIterator[str]:
        yield "/latest page=4"
        yield "/find source=3"
        yield "/latest page=x"

    await console.run(typed())
    await dc.wait_for(lambda: len([one for one in dc.transcript.entries if isinstance(one, Shown)]) == 2)
    (pages,), (found,) = await bot.until("interaction"), await bot.until("interaction", 2)
    assert pages.data["options"] == [{"name": "page", "type": 4, "value": 4}]
    assert found.data["options"] == [{"name": "source", "type": 3, "value": "3"}]
    assert written[-1] == "! page does not take 'x'"


def test_a_person_at_the_prompt_sees_where_a_picture_is() -> None:
    embed: Body = {"description": "Text", "image": {"url": "https://example.org/a.png"}}
    assert shown_embed(embed) == "| Text\n| 🖼 https://example.org/a.png"
