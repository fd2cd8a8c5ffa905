"""Pages: buttons turn them in place, whatever happens meanwhile, and none is left spinning."""

from structlog.testing import capture_logs

from tests.bot.telegram.live import Live
from tests.emulators.telegram import Chat, Message, Press, PressAnswer, TelegramEmulator
from tests.emulators.telegram.faults import answers, refused, too_many


async def opened(sky: Live, chat: Chat) -> Message:
    """The first of three pages: post n29 to n19 and so on."""
    await sky.publish(*(f"n{number:02}" for number in reversed(range(29))))
    return await sky.answer(chat, "/latest")


async def answered(tg: TelegramEmulator, press: Press) -> PressAnswer:
    return await tg.wait_for(lambda: tg.answer_to(press))


def numbers(message: Message) -> list[str]:
    """The names of the posts on a page."""
    lines = message.text.splitlines()
    return [line.split(":")[0].removeprefix("Post ") for line in lines if line.startswith("Post ")]


async def test_buttons_turn_pages_in_place_and_new_posts_do_not_move_them(
    tg: TelegramEmulator, sky: Live, ann: Chat
) -> None:
    page = await opened(sky, ann)
    assert page.labels == ("· 1 ·", "2", "3", "»")
    assert numbers(page) == [f"n{number:02}" for number in range(28, 17, -1)]
    with capture_logs() as events:
        await answered(tg, tg.press(ann, "· 1 ·"))  # message is not modified
    assert not tg.messages(ann)[0].edited
    assert not events
    await sky.publish("later", "latest")
    for label, expected in (("»", range(17, 6, -1)), ("3", range(6, -1, -1)), ("«", range(17, 6, -1))):
        await answered(tg, tg.press(ann, label))
        (shown,) = tg.messages(ann)
        assert numbers(shown)[: len(expected)] == [f"n{number:02}" for number in expected]
    assert shown.message_id == page.message_id
    assert shown.labels == ("«", "1", "· 2 ·", "3", "»")
    await answered(tg, tg.press(ann, "1"))
    assert numbers(tg.messages(ann)[0])[0] == "n28"
    assert numbers(await sky.answer(ann, "/latest"))[:2] == ["later", "latest"]


async def test_buttons_work_after_a_restart_and_so_does_one_that_was_pressed_meanwhile(
    tg: TelegramEmulator, sky: Live, ann: Chat
) -> None:
    page = await opened(sky, ann)
    found = await sky.answer(ann, "/search text")
    await sky.close()
    press = tg.press(page, "3")
    await sky.open()
    sky.start()
    await answered(tg, press)
    assert tg.messages(ann)[0].labels == ("«", "1", "2", "· 3 ·")
    await answered(tg, tg.press(page, "2"))
    assert numbers(tg.messages(ann)[0]) == [f"n{number:02}" for number in range(17, 6, -1)]
    await answered(tg, tg.press(found, "2"))
    turned = tg.messages(ann)[1]
    assert turned.labels == ("«", "1", "· 2 ·", "3", "»")
    assert not set(numbers(found)) & set(numbers(turned))


async def test_a_page_that_cannot_be_turned_is_answered_and_turned_at_the_next_press(
    tg: TelegramEmulator, sky: Live, ann: Chat
) -> None:
    await opened(sky, ann)
    faults = [refused(kind) for kind in ("edit-not-found", "edit-forbidden", "server-error")]
    with capture_logs() as events:
        for fault in faults:
            tg.faults.add(fault, "editMessageText")
            await answered(tg, tg.press(ann, "2"))
        await sky.barrier()
    assert [event["log_level"] for event in events if event["event"].startswith("telegram.update")] == [
        "warning"
    ] * len(faults)
    tg.faults.add(refused("no-rights"), "editMessageText")
    answer = await answered(tg, tg.press(ann, "2"))
    assert answer.show_alert and "open Permissions and allow Send Messages" in answer.text
    tg.faults.add(answers(too_many(30)), "editMessageText")
    await answered(tg, tg.press(ann, "2"))
    assert numbers(tg.messages(ann)[0])[0] == "n28"
    await answered(tg, tg.press(ann, "2"))
    assert numbers(tg.messages(ann)[0])[0] == "n17"


async def test_a_foreign_button_and_an_expired_press_are_harmless(
    tg: TelegramEmulator, sky: Live, ann: Chat
) -> None:
    foreign = [[{"text": "go", "callback_data": "v0:what?"}]]
    message = tg.world.post(ann, tg.bot, "An old one", reply_markup={"inline_keyboard": foreign})
    await answered(tg, tg.press(message, "go"))
    assert tg.messages(ann)[-1].text == "An old one"
    page, before = await opened(sky, ann), len(tg.requests("answerCallbackQuery"))
    with capture_logs() as events:
        press = tg.press(page, "2")
        tg.expire(press)
        await tg.wait_for(lambda: tg.requests("answerCallbackQuery")[before:] or None)
        await sky.barrier()
    assert not [event for event in events if event["log_level"] in ("warning", "error")]
    assert numbers(tg.messages(ann)[1])[0] == "n17"


async def test_a_page_in_a_topic_stays_there(tg: TelegramEmulator, sky: Live) -> None:
    forum = tg.forum("Club", ["News"])
    news = tg.topic(forum, "News")
    await sky.publish(*(f"n{number:02}" for number in range(29)))
    await sky.answer(forum, "/latest", thread=news)
    await answered(tg, tg.press(forum, "2"))
    (page,) = tg.messages(forum, news)
    assert page.labels == ("«", "1", "· 2 ·", "3", "»")
