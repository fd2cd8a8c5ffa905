"""Modified apps, closed and banned channels, as Discord brings them."""

from pathlib import Path

from scheduler import membership
from scheduler.types import ChatAccess
from tests.bot.discord.live import Live, live, text_of
from tests.emulators.discord import Channel, DiscordEmulator, User


async def ban(sky: Live, channel: Channel) -> None:
    async with sky.app.store.write() as work:
        await work.chats.ensure(sky.place(channel))
        await membership.grant(work, sky.place(channel), ChatAccess.BANNED, sky.clock.now())
        await work.commit()


async def test_a_press_with_an_id_that_no_button_has_is_refused_kindly(
    dc: DiscordEmulator, sky: Live, news: Channel, bob: User
) -> None:
    await sky.publish(*(f"n{number:02}" for number in range(29)))
    page = await sky.answer(news, "latest")
    for forged in ("l:0:3:1#9", "d:1:here#0", f"d:{'9' * 60}:here#1"):
        reply = await sky.answer_to(dc.forge(page, forged))
        assert "This message no longer has that button." in text_of(reply) and reply.only_for
    assert text_of(dc.messages(news)[0]) == text_of(page)


async def test_a_closed_bot_tells_a_channel_once_how_to_get_in(
    dc: DiscordEmulator, news: Channel, folder: Path
) -> None:
    async with live(dc, folder, access="closed") as sky:
        told = await sky.answer(news, "latest")
        assert f"skywave chats allow discord:{news.id}" in text_of(told)
        made = dc.slash(news, "latest")
        await sky.barrier()
        assert dc.answer_to(made) is None and made.state != "acknowledged"


async def test_a_banned_channel_is_left_alone(dc: DiscordEmulator, sky: Live, news: Channel) -> None:
    await sky.publish(*(f"n{number:02}" for number in range(29)))
    page = await sky.answer(news, "latest")
    await sky.follow(news)
    await ban(sky, news)
    await sky.publish("new")
    unanswered, typed = dc.slash(news, "latest"), dc.autocomplete(news, "latest", "source", "")
    pressed = dc.press(page, "2")
    await sky.acknowledged(pressed)
    await sky.barrier()
    assert dc.answer_to(unanswered) is None and unanswered.state != "acknowledged"
    assert typed.choices == ()
    assert "new" not in sky.posts(news)
