"""Replies to commands: sent before broadcasts, within the same limits, and once more after a flood wait."""

from dataclasses import replace

from bot.commands.types import Question, Reply
from bot.platforms.attempts import say_in_a_form_that_is_taken
from bot.platforms.messages import units
from bot.platforms.telegram import chats
from bot.platforms.telegram.alone import Alone
from bot.platforms.telegram.events import PressEvent, Where
from bot.platforms.telegram.gains import gains
from bot.platforms.telegram.sender import TelegramSender
from bot.platforms.types import Wiring
from content.formats import Answers
from scheduler.errors import ChatGone, ChatMoved, ChatPaused, ContentRejected, RateLimited
from scheduler.log import Logger
from scheduler.types import Chat, ChatKind, Form, Message, Sent

log = Logger(__name__)

# A reply is dropped if its flood wait is longer than this, seconds: it would come too late to be of use.
LATE = 60.0


class Replies:
    """Sends replies to one person, and edits messages to show another page.

    A reply that waits for the chat's limit is dropped when the same person has sent another command.
    """

    def __init__(self, sender: TelegramSender, wiring: Wiring, actor: str) -> None:
        self._sender, self._wiring, self._actor = sender, wiring, actor
        self.sent: Sent | None = None  # the last reply

    async def send(self, where: Where, reply: Reply, alone: Alone | None = None) -> None:
        """Send a reply, in a plainer form if Telegram rejects it. Raises SendError if that fails too.

        `alone`: the command, if only its sender sees it. Then nobody else sees the reply either, unless the
        chat has public answers.
        """
        form = await self._first_form(where, reply)
        if alone is not None and not reply.private and not await self._answers_privately(where):
            alone = None
        try:
            await say_in_a_form_that_is_taken(
                reply.document,
                self._sender.render,
                lambda message: self._say(where, message, reply, alone),
                form,
                chat=str(where.place),
            )
        except ChatGone as exc:
            await chats.gone(where.place, str(exc), self._wiring)

    async def ask(self, event: PressEvent, question: Question) -> Sent | None:
        """Send the question of a button; None if it was left out. Raises SendError.

        In a group it mentions the person, so that only their app opens an answer.
        """
        where, who = event.where, event.who
        if not await self._wait_for_permit(where, self._actor):
            return None
        name = who.name if where.kind is ChatKind.GROUP else ""
        text, entities = question.prompt, list[object]()
        if name:
            text = f"{name}: {text}"
            user = {"id": who.user_id, "is_bot": False, "first_name": name}
            entities = [{"type": "text_mention", "offset": 0, "length": units(name), "user": user}]
        return await self._sender.say(where.place, Message({"text": text, "entities": entities}), question)

    async def turn(self, event: PressEvent, reply: Reply) -> None:
        """Edit a message so that it shows another page. Raises SendError."""
        where, number = event.where, event.alone.message_id if event.alone else event.message_id
        if not await self._wait_for_permit(where, f"{self._actor} in {number}"):
            return
        form = await self._first_form(where, reply)
        try:
            await self._rewrite(event, reply, form)
        except ContentRejected:
            if form is Form.FULL:
                raise
            await self._rewrite(event, reply, Form.FULL)
        except RateLimited as exc:
            self._hold(exc, where)
            raise

    async def _rewrite(self, event: PressEvent, reply: Reply, form: Form) -> None:
        sent = Sent(event.where.place.address, (str(event.message_id),))
        message = self._sender.render(reply.document, form)[0]
        await self._sender.rewrite(sent, message, reply.rows, alone=event.alone)

    async def _first_form(self, where: Where, reply: Reply) -> Form:
        """Rich if the reply gains by it, and if the chat has rich messages. Pages of posts do not gain."""
        is_rich = gains(reply.document) and self._sender.prefers_rich(reply.document, await self._chat(where))
        return Form.RICH if is_rich else Form.FULL

    async def _answers_privately(self, where: Where) -> bool:
        return (await self._chat(where)).format.answers is Answers.PRIVATE

    async def _chat(self, where: Where) -> Chat:
        """The chat with what it has chosen."""
        async with self._wiring.store.read() as work:
            known = await work.chats.find(where.place)
        return known or Chat(0, where.place, where.title, where.kind)

    async def _say(self, where: Where, message: Message, reply: Reply, alone: Alone | None) -> None:
        """Send a message; if the chat has moved, send it to the new address."""
        try:
            await self._say_at(where, message, reply, alone)
        except ChatMoved as exc:
            await chats.moved(where.place.address, exc.address, self._wiring)
            there = replace(where, place=replace(where.place, address=exc.address))
            await self._say_at(there, message, reply, None)

    async def _say_at(self, where: Where, message: Message, reply: Reply, alone: Alone | None) -> None:
        """Send a message; after a flood wait of at most LATE seconds, send it once more."""
        if not await self._wait_for_permit(where, self._actor):
            return
        try:
            await self._say_once(where, message, reply, alone)
        except RateLimited as exc:
            wait = self._hold(exc, where)
            if wait > LATE:
                raise
            await self._wiring.clock.sleep(wait)
            await self._say_once(where, message, reply, alone)

    async def _say_once(self, where: Where, message: Message, reply: Reply, alone: Alone | None) -> None:
        """Send a message to one person alone; to all if Telegram refuses that, for instance after 15 s.

        A file is always seen by all.
        """
        if reply.file is not None:
            await self._sender.hand_over(where.place, reply.file, message)
            return
        if alone is not None:
            try:
                self.sent = await self._sender.say(where.place, message, reply.rows, alone=alone)
                return
            except (ContentRejected, ChatPaused) as exc:
                log.info("reply.not_alone", chat=str(where.place), reason=str(exc))
        self.sent = await self._sender.say(where.place, message, reply.rows)

    async def _wait_for_permit(self, where: Where, asked: str) -> bool:
        place = where.place
        if await self._wiring.pacer.reply_permit(place.address, where.kind, f"{asked} of {place.topic}"):
            return True
        log.info("reply.left_out", chat=str(place), reason="asked again, or too many replies wait")
        return False

    def _hold(self, error: RateLimited, where: Where) -> float:
        """Tell the pacer about a flood wait, so that broadcasts wait as well; returns its seconds."""
        self._wiring.pacer.limited(where.place.address, error.retry_after, error.scope)
        return error.retry_after.total_seconds()
