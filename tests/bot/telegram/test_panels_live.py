"""Panels on Telegram: one message that its buttons edit, a question, and a location as the answer."""

from tests.bot.live import PATIENCE
from tests.bot.telegram.live import Live
from tests.emulators.telegram import Chat, Message, PressAnswer, TelegramEmulator, User


async def pressed(sky: Live, chat: Chat, label: str, by: User | None = None) -> tuple[Message, PressAnswer]:
    """The newest message after a press, and what the person who pressed was told alone."""
    press, tg = sky.tg.press(chat, label, by=by), sky.tg
    answer = await tg.wait_for(lambda: tg.answer_to(press), PATIENCE)
    return tg.messages(chat)[-1], answer


async def test_one_message_is_the_panel(tg: TelegramEmulator, sky: Live) -> None:
    ann, bob = tg.user("Ann"), tg.user("Bob")
    group = tg.supergroup("Club", owner=ann)
    await sky.answer(group, "/subscribe Radio notes")
    panel = await sky.answer(group, "/subscriptions")
    assert panel.labels == ("Radio notes", "Settings of this chat")
    for label in ("Radio notes", "Pictures", "no pictures"):
        shown, _ = await pressed(sky, group, label)
        assert shown.message_id == panel.message_id
    assert shown.text.startswith("✓ Pictures: no pictures\n\nRadio notes\n")
    assert [len(row) for row in shown.buttons] == [2, 2, 2, 2, 1, 2]

    _, answer = await pressed(sky, group, "Unsubscribe", by=bob)
    assert answer.show_alert and answer.text == "⚠ Only admins of this chat can do that."
    await sky.restart()
    shown, _ = await pressed(sky, group, "Unsubscribe")
    assert shown.text.startswith("Unsubscribed from Radio notes.")
    shown, _ = await pressed(sky, group, "Undo")
    assert "1 subscription is back." in shown.text and shown.message_id == panel.message_id

    for label in ("Settings of this chat", "Time zone", "Type it"):
        question, _ = await pressed(sky, group, label)
    assert question.text.startswith("Ann: Which city or time zone?")
    tg.say(group, "", by=ann, reply_to=question.message_id, location=(39.9, 116.4))
    answered = await tg.wait_for(lambda: tg.messages(group)[3:], PATIENCE)
    assert "✓ Time zone: Asia/Shanghai" in answered[0].text
    assert (await sky.known(group)).timezone == "Asia/Shanghai"

    sky.skip(25 * 3600)
    shown, _ = await pressed(sky, group, "Pictures")
    assert (shown.text, shown.buttons) == ("⚠ This panel has expired. For a new one, send /settings.", ())
