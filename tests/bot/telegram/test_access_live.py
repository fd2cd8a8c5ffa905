"""Messages of others, modified apps, closed and banned chats, as Telegram brings them."""

from pathlib import Path

from scheduler import membership
from scheduler.types import ChatAccess
from tests.bot.telegram.live import Live, live
from tests.emulators.telegram import Chat, Press, PressAnswer, TelegramEmulator, User


async def answered(tg: TelegramEmulator, press: Press) -> PressAnswer:
    return await tg.wait_for(lambda: tg.answer_to(press))


async def follows(sky: Live) -> int:
    async with sky.app.store.read() as work:
        return len(await work.subscriptions.all())


async def test_what_is_forwarded_or_comes_by_way_of_a_bot_runs_no_command(
    tg: TelegramEmulator, sky: Live
) -> None:
    group, linked = tg.supergroup("Club"), tg.channel("Linked")
    bob, inline = tg.user("Bob"), User(77, "Inline", username="inline_bot", is_bot=True)
    tg.say(group, "/subscribe", forwarded_from=bob)
    tg.say(group, "/subscribe", forwarded_from=linked)
    tg.say(group, "/subscribe", via=inline)
    tg.say(linked, "/subscribe", forwarded_from=bob)
    await sky.barrier()
    assert tg.messages(group) == tg.messages(linked) == []
    assert await follows(sky) == 0
    assert "now follows" in (await sky.answer(group, "/subscribe")).text


async def test_a_press_with_data_that_no_button_has_is_refused_kindly(
    tg: TelegramEmulator, sky: Live, ann: Chat
) -> None:
    await sky.publish(*(f"n{number:02}" for number in range(29)))
    page = await sky.answer(ann, "/latest")
    before = page.text
    for press in (
        tg.forge(page, "l:0:3:1"),
        tg.forge(page, "d:1:here"),
        tg.forge(page, f"d:{'9' * 60}:here"),
        tg.forge(page, "l:0:2:29", lost=True),
    ):
        answer = await answered(tg, press)
        assert answer.show_alert and answer.text.startswith("⚠ This message no longer has that button.")
    assert tg.messages(ann)[-1].text == before


async def test_a_closed_bot_tells_a_chat_once_how_to_get_in(tg: TelegramEmulator, folder: Path) -> None:
    group = tg.supergroup("Club")
    async with live(tg, folder, access="closed") as sky:
        told = await sky.answer(group, "/start")
        address = f"telegram:{group.id}"
        assert told.text.endswith(f"Its operator can allow this chat with: skywave chats allow {address}")
        before = len(tg.messages(group))
        tg.say(group, "/latest")
        tg.say(group, "/subscribe")
        async with sky.app.store.read() as work:
            assert await work.chats.at("telegram", str(group.id)) == []
        async with sky.app.store.write() as work:
            await work.chats.ensure(sky.place(group))
            await membership.grant(work, sky.place(group), ChatAccess.ALLOWED, sky.clock.now())
            await work.commit()
        assert "Post old" in (await sky.answer(group, "/latest")).text
        assert len([m for m in tg.messages(group)[before:] if m.text.startswith("⚠")]) == 0


async def test_a_banned_chat_gets_no_answer_and_no_posts(tg: TelegramEmulator, sky: Live, ann: Chat) -> None:
    await sky.follow(ann)
    page = await sky.answer(ann, "/latest")
    async with sky.app.store.write() as work:
        await membership.grant(work, sky.place(ann), ChatAccess.BANNED, sky.clock.now())
        await work.commit()
    await sky.publish("new")
    tg.say(ann, "/latest")
    answer = await answered(tg, tg.forge(page, "l:0:1:1"))
    assert (answer.text, answer.show_alert) == ("", False)
    await sky.looked()
    assert sky.texts(ann)[-1] in (page.text, "/latest")


async def test_people_cannot_tell_what_stands_in_the_operators_network(
    tg: TelegramEmulator, folder: Path, ann: Chat
) -> None:
    """The feed that answers, the page that does not exist and the port that is closed read the same."""
    boss = tg.private(tg.user("Boss"))
    async with live(tg, folder, operators=f"telegram:{boss.id}") as sky:
        port = sky.feeds.url.rpartition(":")[2]
        urls = [f"http://{host}:{port}/private.json" for host in ("127.0.0.1", "localhost", "[::1]")]
        sky.feeds.documents["/private.json"] = {"version": "https://jsonfeed.org/version/1", "items": []}
        for url in (*urls, f"http://127.0.0.1:{port}/nothing", "http://127.0.0.1:1/", "http://no.invalid/"):
            told = (await sky.answer(ann, f"/subscribe {url}")).text
            assert told == f"⚠ {url} cannot be reached: check the address."
        assert "answered 404" in (await sky.answer(boss, f"/subscribe http://127.0.0.1:{port}/nothing")).text
        assert "now follows" in (await sky.answer(boss, f"/subscribe {urls[0]}")).text
