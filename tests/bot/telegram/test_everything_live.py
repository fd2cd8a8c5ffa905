"""What people decide with commands and buttons, with the real client library, as a story that can be read."""

from pathlib import Path

from tests.bot import everything
from tests.bot.live import PATIENCE
from tests.bot.telegram.live import Live, live
from tests.bot.transcripts import ThatDay, Transcript
from tests.emulators.telegram import Chat, Message, TelegramEmulator, User

TRANSCRIPT = Path(__file__).parent / "everything.txt"


class Person:
    """Somebody in a chat, who sees the bot's messages there."""

    def __init__(self, sky: Live, chat: Chat, user: User, transcript: Transcript) -> None:
        self.sky, self.chat, self.user, self.transcript = sky, chat, user, transcript
        self._known = self._seen()

    async def say(self, line: str) -> None:
        self.transcript.did(f"{self.user.name} sends {line}")
        self.sky.tg.say(self.chat, line, by=self.user)
        await self._answer()

    async def press(self, label: str) -> None:
        self.transcript.did(f"{self.user.name} presses [{label}]")
        pressed, tg = self.sky.tg.press(self.chat, label, by=self.user), self.sky.tg
        told = await tg.wait_for(lambda: tg.answer_to(pressed), PATIENCE)
        if told.text:
            self.transcript.saw(f"({self.user.name} alone:) {told.text}")
        await self._answer()

    async def type(self, text: str) -> None:
        question = next(m for m in reversed(self._seen()) if "force_reply" in (m.reply_markup or {}))
        self.transcript.did(f"{self.user.name} answers {text}")
        self.sky.tg.say(self.chat, text, by=self.user, reply_to=question.message_id)
        await self._answer()

    async def send(self, name: str, content: bytes) -> None:
        self.transcript.did(f"{self.user.name} sends {name} with /import")
        self.sky.tg.send_file(self.chat, name, content, "/import@skywave_test_bot", by=self.user)
        await self._answer()

    async def ask_why(self) -> None:
        self.transcript.did(f"{self.user.name} answers that message with /why")
        post = self.sky.tg.messages(self.chat)[-1]
        self.sky.tg.say(self.chat, "/why", by=self.user, reply_to=post.message_id)
        await self._answer()

    async def sees(self) -> None:
        await self.sky.ended_at_last(self.chat)
        self._note()

    async def _answer(self) -> None:
        await self.sky.tg.wait_for(lambda: self._seen() != self._known or None, PATIENCE)
        self._note()

    def _seen(self) -> list[Message]:
        return self.sky.tg.messages(self.chat)

    def _note(self) -> None:
        """Note what is new or has changed."""
        for message in self._seen():
            if message not in self._known:
                document = (message.media or {}).get("document")
                file = f"\n(file {document['file_name']})" if isinstance(document, dict) else ""
                hint = (message.reply_markup or {}).get("input_field_placeholder")
                asked = f"\n(answer like: {hint})" if hint else ""
                labels = [[str(button["text"]) for button in row] for row in message.buttons]
                self.transcript.saw(message.text + file + asked, labels)
        self._known = self._seen()


async def test_people_decide_what_comes_and_when(tg: TelegramEmulator, empty_folder: Path) -> None:
    ann, olga = tg.user("Ann"), tg.user("Olga")
    group, transcript = tg.supergroup("Radio club", owner=ann), Transcript(TRANSCRIPT)
    async with live(tg, empty_folder, clock=ThatDay(), operators=f"telegram:{olga.id}") as sky:
        here = Person(sky, group, ann, transcript)
        await everything.decide_what_comes(here)
        await everything.decide_when_it_comes(here)
        await everything.decide_the_rest(here)
        await here.press("Keep it")
        await everything.operate(
            Person(sky, tg.private(olga), olga, transcript), "Radio club", f"telegram:{group.id}"
        )
        assert await sky.find(group) is None
    transcript.compare()
