"""Questions of buttons on Telegram: asked with a message, and answered by replying to it."""

from pathlib import Path

from tests.bot.asking import router_with_panel
from tests.bot.live import PATIENCE
from tests.bot.telegram.live import Live, live
from tests.emulators.telegram import Chat, Message, TelegramEmulator, User


async def asked(sky: Live, panel: Message, label: str, by: User) -> Message:
    """The question that a button asks; stored when the press is answered."""
    press, tg = sky.tg.press(panel, label, by=by), sky.tg
    await tg.wait_for(lambda: tg.answer_to(press), PATIENCE)
    return tg.messages(tg.chat(panel.chat_id))[-1]


async def reply(sky: Live, chat: Chat, question: Message, text: str, by: User) -> str:
    return (await sky.answer(chat, text, reply_to=question.message_id, by=by)).text


async def test_a_question_is_asked_in_the_chat(tg: TelegramEmulator, folder: Path) -> None:
    async with live(tg, folder, run=False) as sky:
        sky.app.router = router_with_panel(sky.app.services)
        sky.start()
        ann, bob = tg.user("Ann"), tg.user("Bob")
        group = tg.supergroup("Club", owner=ann)
        panel = await sky.answer(group, "/help")
        assert [[button["text"] for button in row] for row in panel.buttons] == [
            ["Rename", "Plain"],
            ["Describe", "Site"],
        ]
        assert panel.buttons[1][1]["url"] == "https://example.org/"
        question = await asked(sky, panel, "Rename", ann)
        assert question.text == "Ann: What is its new name?"
        assert [(one.type, one.of(question.text)) for one in question.entities] == [("text_mention", "Ann")]
        assert question.reply_markup == {
            "force_reply": True,
            "selective": True,
            "input_field_placeholder": "Field notes",
        }
        await sky.stop()
        sky.start()
        assert "for the person who pressed" in await reply(sky, group, question, "x", bob)
        assert await reply(sky, group, question, "New name", ann) == "z:1 got “New name”"
        assert await reply(sky, group, question, "/no command/", ann) == "z:1 got “/no command/”"
        assert await reply(sky, group, question, "/help", ann) == "a panel"
        tg.say(group, "a chat about the panel", reply_to=panel.message_id, by=bob)
        private = tg.private(ann)
        question = await asked(sky, await sky.answer(private, "/help"), "Rename", ann)
        assert question.text == "What is its new name?" and question.entities == ()
        tg.say(private, "", reply_to=question.message_id, location=(52.5, 13.4))
        await tg.wait_for(lambda: tg.messages(private)[2:], PATIENCE)
        assert [m.text for m in tg.messages(private)[2:]] == ["z:1 got “geo:52.5,13.4”"]
        assert len(tg.messages(group)) == 6  # the chat about the panel was left alone
