"""First contact on Telegram: with the real client library, from the arrival to the first digest."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.bot.telegram.live import Live, live
from tests.bot.transcripts import ThatDay, Transcript
from tests.emulators.telegram import Chat, Message, TelegramEmulator, User

HERE = Path(__file__).parent


class Story:
    """A chat as its people see it, written down."""

    def __init__(self, tg: TelegramEmulator, chat: Chat, name: str) -> None:
        self.tg, self.chat, self.transcript = tg, chat, Transcript(HERE / name)

    async def sees(self) -> Message:
        """The bot's first message in the chat, once there is one."""
        message = await self.tg.wait_for(lambda: next(iter(self.tg.messages(self.chat)), None))
        self._saw(message)
        return message

    async def press(self, label: str, by: User) -> Message:
        """Press a button of the newest message, and see what it has become."""
        before = self.tg.messages(self.chat)[-1]
        self.transcript.did(f"{by.name} presses [{label}]")
        self.tg.press(before, label, by=by)

        def changed() -> Message | None:
            after = self.tg.messages(self.chat)[-1]
            return after if after != before else None

        after = await self.tg.wait_for(changed)
        assert after.message_id == before.message_id
        self._saw(after)
        return after

    async def alerted(self, label: str, by: User) -> str:
        """Press a button in vain, and see the alert."""
        self.transcript.did(f"{by.name} presses [{label}]")
        pressed = self.tg.press(self.chat, label, by=by)
        answer = await self.tg.wait_for(lambda: self.tg.answer_to(pressed))
        assert answer.show_alert
        self.transcript.saw(f"({by.name} alone:) {answer.text}")
        return answer.text

    def _saw(self, message: Message) -> None:
        rows = [[str(button["text"]) for button in row] for row in message.buttons]
        self.transcript.saw(message.text, rows)


@pytest_asyncio.fixture
async def sky(tg: TelegramEmulator, folder: Path) -> AsyncIterator[Live]:
    async with live(tg, folder, clock=ThatDay()) as running:
        yield running


async def test_three_presses_give_a_group_its_digest(tg: TelegramEmulator, sky: Live) -> None:
    wei, bob = tg.user("Wei", language="zh"), tg.user("Bob")
    group = tg.supergroup("Radio club", owner=wei, bot="left")
    story = Story(tg, group, "first_contact.txt")
    story.transcript.did("Wei adds the bot to “Radio club”")
    tg.add_bot(group, by=wei)
    await story.sees()
    assert "Only admins" in await story.alerted("Radio notes", bob)
    await story.press("Radio notes", wei)
    await story.press("每天", wei)
    await story.press("09:00", wei)
    assert [(await sky.known(group)).title, (await sky.known(group)).language] == ["Radio club", "zh"]
    async with sky.app.store.read() as work:
        (digest,) = await work.digests.all()
    assert (digest.recurrence, digest.chat_id) == ("daily 09:00", (await sky.known(group)).id)
    # Bob is asked about at one press, Wei at the first of three.
    assert len(tg.requests("getChatMember")) == 2
    story.transcript.did("Wei removes the bot, and adds it again")
    before = len(tg.messages(group))
    tg.kick_bot(group, by=wei)
    await sky.is_in(group, "gone")
    tg.add_bot(group, by=wei)
    back = await tg.wait_for(lambda: tg.messages(group)[before:] or None)
    story.transcript.saw(back[0].text, [back[0].labels])
    await sky.barrier()
    assert len(tg.messages(group)) == before + 1
    story.transcript.compare()
