"""The Telegram adapter: long polling, commands and presses to the router, and its replies back."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import count
from urllib.parse import urlencode

from telegram import Bot, BotCommand, BotCommandScopeAllGroupChats, Document, Update
from telegram._utils.types import JSONDict
from telegram.error import BadRequest, Conflict, InvalidToken, TelegramError

from bot.commands import MENU
from bot.commands.types import Call, Question, Reply, Upload
from bot.platforms.attempts import Sleep, back_off
from bot.platforms.chat_events import ChatEvents
from bot.platforms.roles import Roles
from bot.platforms.tasks import TaskSet
from bot.platforms.telegram import chats
from bot.platforms.telegram.alone import Alone, registered
from bot.platforms.telegram.arrivals import Arrivals
from bot.platforms.telegram.errors import send_error
from bot.platforms.telegram.events import (
    ALLOWED_UPDATES,
    AnswerEvent,
    ChatEvent,
    CommandEvent,
    InlineEvent,
    MembershipEvent,
    MovedEvent,
    PastedEvent,
    PersonEvent,
    PressEvent,
    RenamedEvent,
    TopicEvent,
    Where,
    Who,
    event_of,
)
from bot.platforms.telegram.inline import answer_to
from bot.platforms.telegram.limits import NAME
from bot.platforms.telegram.progress import Progress
from bot.platforms.telegram.reach import Reach
from bot.platforms.telegram.replies import Replies
from bot.platforms.telegram.sender import TelegramSender
from bot.platforms.telegram.tidying import STAYS, Tidying
from bot.platforms.telegram.transport import READ_TIMEOUT, AiohttpRequest, call
from bot.platforms.types import Wiring
from content import present
from content.errors import SkywaveError
from content.i18n import LANGUAGES, SOURCE_LANGUAGE, Translator
from scheduler.errors import ChatPaused, PlatformStopped, RateLimited
from scheduler.log import Logger
from scheduler.types import ChatKind, Form, Limits, Place, Sent

log = Logger(__name__)

ALERT_LENGTH = 200  # most characters of an answer to a press
SPINNING = 5.0  # seconds after which a press is answered even if its page still waits for the chat's limit
POLL_TIMEOUT = 30  # seconds that the server holds a poll without updates
# Seconds after POLL_TIMEOUT at which an unanswered poll is given up.
POLL_MARGIN = 10.0


@contextmanager
def _edge(number: int) -> Iterator[None]:
    """The edge of an update's handling: an update that fails is logged and stops no other."""
    try:
        yield
    except SkywaveError as exc:
        kind, reason = type(exc).__name__, str(exc)
        log.warning("telegram.update_failed", update=number, error=kind, reason=reason)
    except Exception:
        log.exception("telegram.update_broken", update=number)


class TelegramAdapter(TelegramSender):
    """The sender, which also listens for updates."""

    def __init__(
        self,
        token: str,
        api_url: str,
        limits: Limits,
        *,
        paid: bool = False,
        proxy: str | None = None,
        read_timeout: float = READ_TIMEOUT,
        sleep: Sleep = asyncio.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        stays: float = STAYS,
    ) -> None:
        base, self._sleep = api_url.rstrip("/"), sleep
        self._requests = (
            AiohttpRequest(read_timeout=read_timeout, proxy=proxy),
            AiohttpRequest(connections=1, proxy=proxy),
        )
        try:
            bot = Bot(
                token,
                base_url=f"{base}/bot",
                base_file_url=f"{base}/file/bot",
                request=self._requests[0],
                get_updates_request=self._requests[1],
            )
        except InvalidToken as exc:
            raise PlatformStopped("Telegram's token is missing: set SKYWAVE_TELEGRAM_TOKEN") from exc
        super().__init__(bot, limits, monotonic, paid=paid)
        self._tasks = TaskSet()
        self._roles, self._arrivals = Roles(monotonic), Arrivals(monotonic)
        self._tidying = Tidying(bot, stays)

    async def open(self) -> None:
        """Connect; retry after any other error than a refused token. Raises PlatformStopped for that."""
        for attempt in count():
            try:
                await self._bot.initialize()
                await self._bot.delete_webhook()
                break
            except InvalidToken as exc:
                raise send_error(exc) from exc
            except TelegramError as exc:
                await self._back_off(attempt, exc)
        log.info("telegram.connected", bot=f"@{self._bot.username}")
        await self._register_commands()

    async def check(self) -> str:
        try:
            await self._bot.initialize()
        except TelegramError as exc:
            raise send_error(exc) from exc
        hint = "" if self._bot.bot.can_join_groups else "; it may not join groups: BotFather, /setjoingroups"
        return f"@{self._bot.username}{hint}"

    async def invitations(self, payload: str) -> Sequence[tuple[str, str]]:
        try:
            await self._bot.initialize()
        except TelegramError as exc:
            raise send_error(exc) from exc
        bot, carried = f"https://t.me/{self._bot.username}", f"={payload}" if payload else ""
        return (
            ("to start in private", f"{bot}?start{carried}"),
            ("to add it to a group", f"{bot}?startgroup{carried}"),
            # Telegram passes nothing on from a channel; the greeting asks there.
            ("to add it to a channel", f"{bot}?startchannel&admin=post_messages+edit_messages"),
        )

    async def finish(self, patience: float) -> None:
        """Wait at most `patience` seconds for answers that are under way, then cancel them."""
        await self._tasks.finish(patience)

    async def close(self, patience: float = 0.0) -> None:
        await self.finish(patience)
        await self._tidying.close()
        await self._bot.shutdown()
        for request in self._requests:  # the bot does not close them if it was never initialised
            await request.shutdown()

    async def listen(self, wiring: Wiring) -> None:
        async with ChatEvents(wiring.clock) as events:
            await self._listen(events, wiring)

    async def _listen(self, events: ChatEvents, wiring: Wiring) -> None:
        offset, failed = 0, 0
        while True:
            try:
                updates = await self._poll(offset)
                failed = 0
            except InvalidToken as exc:
                raise send_error(exc) from exc
            except TelegramError as exc:
                await self._back_off(failed, exc)
                failed += 1
                continue
            for update in updates:
                # The next poll acknowledges all updates below its offset.
                offset = max(offset, update["update_id"] + 1)
                self._handle(update, events, wiring)
            await events.recorded()  # before the acknowledgement, so that none is lost in a crash

    async def _poll(self, offset: int) -> list[JSONDict]:
        """The next updates as plain JSON.

        python-telegram-bot's own method would fail for all updates if it cannot parse one of them.
        """
        asked = {"offset": offset, "timeout": POLL_TIMEOUT, "allowed_updates": json.dumps(ALLOWED_UPDATES)}
        url = f"{self._bot.base_url}/getUpdates?{urlencode(asked)}"
        updates = await self._requests[1].post(url, read_timeout=POLL_TIMEOUT + POLL_MARGIN)
        return updates if isinstance(updates, list) else []

    async def _back_off(self, failed: int, error: TelegramError) -> None:
        limited = send_error(error)
        wait = limited.retry_after.total_seconds() if isinstance(limited, RateLimited) else None
        step = "it is tried again"
        if isinstance(error, Conflict):
            step = "another process polls with the same token: stop it"
        await back_off(NAME, failed, error.message, self._sleep, seconds=wait, next_step=step)

    async def _register_commands(self) -> None:
        """Register the command menus. Telegram keeps the last ones, so a failure is only logged.

        Telegram's codes have two letters: of the two Chinese scripts, the menu is in the simplified one.
        """
        for language in (language for language in LANGUAGES if len(language) == 2):
            t = Translator(language).t
            commands = [BotCommand(command.name, t(command.summary)) for command in MENU]
            in_groups = [registered(command, t(command.summary)) for command in MENU]
            # Registered without a language code, English is the menu for all other languages.
            code = None if language == SOURCE_LANGUAGE else language
            try:
                await self._bot.set_my_commands(commands, language_code=code)
                await self._bot.set_my_commands(in_groups, BotCommandScopeAllGroupChats(), language_code=code)
            except TelegramError as exc:
                log.warning("telegram.menu_not_set", language=language, reason=str(send_error(exc)))

    def _handle(self, update: JSONDict, events: ChatEvents, wiring: Wiring) -> None:
        """Handle an update: answer people concurrently, record changes of chats in order."""
        number = update["update_id"]
        with _edge(number):
            event = event_of(Update.de_json(update, self._bot), self._bot.username)
            if isinstance(event, MembershipEvent) and event.arrived:
                self._arrivals.expect(event.where.place)
            if isinstance(event, PersonEvent):
                self._answer_soon(number, event, wiring)
            elif event is not None:
                events.put(partial(self._record, number, event, wiring))

    def _answer_soon(self, number: int, event: PersonEvent | MembershipEvent, wiring: Wiring) -> None:
        async def answer() -> None:
            with _edge(number):
                match event:
                    case CommandEvent():
                        await self._command(event, wiring)
                    case AnswerEvent():
                        await self._answered(event, wiring)
                    case PressEvent():
                        await self._press(event, wiring)
                    case PastedEvent():
                        await self._pasted(event, wiring)
                    case MembershipEvent():
                        await self._greet(event, wiring)
                    case InlineEvent():
                        await self._inline(event, wiring)

        self._tasks.start(asyncio.create_task(answer()))

    async def _record(self, number: int, event: ChatEvent, wiring: Wiring) -> None:
        match event:
            case MembershipEvent(where):
                arrived = await chats.membership_changed(event, wiring)
                # A private chat is greeted when the person sends /start.
                if arrived and where.kind is not ChatKind.PRIVATE:
                    self._answer_soon(number, event, wiring)
                else:
                    self._arrivals.settle(where.place, None)
            case MovedEvent(old, new):
                await chats.moved(old, new, wiring)
            case TopicEvent():
                await chats.topic_changed(event, wiring)
            case RenamedEvent(where):
                await chats.renamed(where, wiring)

    async def _greet(self, event: MembershipEvent, wiring: Wiring) -> None:
        """Greet a chat that the bot was added to; if it may not write there, tell the person who added it."""
        where, who, sent = event.where, event.who, None
        try:
            if event.hindrance:
                return await self._tell_alone(where, who, event.hindrance, wiring)
            reply = await wiring.router.command(self._call_by(where, who, "start", ""))
            if reply is not None:
                sent = await self._send(where, who, reply, wiring)
        finally:
            self._arrivals.settle(where.place, sent)

    async def _command(self, event: CommandEvent, wiring: Wiring) -> None:
        call = self._call_by(event.where, event.who, event.name, event.arguments, event.alone)
        greeting = await self._arrivals.greeting(call.place) if event.name == "start" else None
        if greeting and not event.arguments:
            return  # the chat was greeted when the bot arrived
        progress = Progress(self, wiring, event.where)
        upload = self._upload(event.file) if event.file else None
        call = replace(call, about=event.about, upload=upload, show=progress.show)
        reply = await wiring.router.command(call)
        if reply is not None and greeting:
            shown = PressEvent(event.where, event.who, "", "", int(greeting.message_ids[0]), ())
            await Replies(self, wiring, call.actor).turn(shown, reply)
        elif reply is not None and not await progress.ended(reply):
            sent = await self._send(event.where, event.who, reply, wiring, event.alone)
            if event.where.kind is ChatKind.CHANNEL:
                await self._tidying.delete(call.place, event.message_id)
                if sent is not None:
                    self._tidying.delete_later(call.place, sent)

    async def _pasted(self, event: PastedEvent, wiring: Wiring) -> None:
        reply = await wiring.router.text(self._call_by(event.where, event.who, "", event.text))
        if reply is not None:
            await self._send(event.where, event.who, reply, wiring)

    async def _send(
        self, where: Where, who: Who, reply: Reply, wiring: Wiring, alone: Alone | None = None
    ) -> Sent | None:
        """Send a reply; None if it was left out. Raises SendError.

        If the bot may not write to the chat, the person is told in private what to do.
        """
        replies = Replies(self, wiring, who.actor)
        try:
            await replies.send(where, reply, alone)
        except ChatPaused as exc:
            if not exc.topic_only:
                await self._tell_alone(where, who, exc, wiring)
            raise
        return replies.sent

    async def _tell_alone(self, where: Where, who: Who, reason: ChatPaused, wiring: Wiring) -> None:
        """Tell a person in private why the bot cannot write to a chat, if that person has started the bot."""
        if who.user_id is None or where.kind is ChatKind.PRIVATE:
            return
        private = Where(Place(NAME, str(who.user_id)), ChatKind.PRIVATE, "")
        translator = await wiring.router.translator(self._call_by(private, who, "", ""))
        told = present.error(where.title + translator.t(": {summary}", summary=translator.error(reason)))
        await Replies(self, wiring, who.actor).send(private, Reply(told))

    def _upload(self, file: Document) -> Upload:
        async def read() -> bytes:
            try:
                found = await self._bot.get_file(file.file_id)
                return bytes(await found.download_as_bytearray())
            except TelegramError as exc:
                raise send_error(exc) from exc

        return Upload(file.file_name or "", file.file_size or 0, read)

    async def _answered(self, event: AnswerEvent, wiring: Wiring) -> None:
        """Reply to an answer to a message that asks something. All other answers are left alone."""
        if event.command and wiring.router.knows(event.command.name):
            return await self._command(event.command, wiring)
        call = self._call_by(event.where, event.who, "", event.text)
        reply = await wiring.router.typed(str(event.message_id), call)
        if reply is not None:
            await Replies(self, wiring, call.actor).send(event.where, reply)
        elif event.command:
            await self._command(event.command, wiring)

    async def _press(self, event: PressEvent, wiring: Wiring) -> None:
        alert, turning = "", asyncio.create_task(self._pressed(event, wiring))
        try:
            done, _ = await asyncio.wait({turning}, timeout=SPINNING)
            alert = turning.result() if done else ""
        finally:
            # Until the press is answered, the button shows a progress bar.
            await self._answer(event.query_id, alert)
            await turning

    async def _inline(self, event: InlineEvent, wiring: Wiring) -> None:
        offers = await wiring.router.inline(
            event.offset, self._call_by(event.where, event.who, "", event.text)
        )
        try:
            await call(self._bot, "answerInlineQuery", answer_to(event.query_id, offers, self.render))
        except BadRequest as exc:
            log.info("telegram.inline_too_late", reason=exc.message)  # the person has typed on
        except TelegramError as exc:
            raise send_error(exc) from exc

    async def _pressed(self, event: PressEvent, wiring: Wiring) -> str:
        """Run a press; returns the text of the alert for the person, "" for none."""
        call = self._call_by(event.where, event.who, "", event.link, event.alone)
        call = replace(call, whispers=True)  # as an alert
        reply = await wiring.router.press(event.data, call, event.offered)
        if isinstance(reply, Question):
            sent = await Replies(self, wiring, call.actor).ask(event, reply)
            if sent is not None:
                await wiring.router.asked(sent.message_ids[0], event.data, reply, call)
            return ""
        if reply is not None and reply.private:
            # Everybody sees the message, but only the person who pressed sees the alert.
            text: str = self.render(reply.document, Form.PLAIN)[0].payload["text"]
            return text
        if reply is not None:
            try:
                await Replies(self, wiring, call.actor).turn(event, reply)
            except ChatPaused as exc:
                return (await wiring.router.translator(call)).error(exc)
        return ""

    def _call_by(self, where: Where, who: Who, name: str, arguments: str, alone: Alone | None = None) -> Call:
        return Call(
            name=name,
            arguments=arguments,
            place=where.place,
            kind=where.kind,
            title=where.title,
            actor=who.actor,
            locale=who.locale,
            is_chat_admin=partial(self._is_admin, where, who),
            alone=alone is not None,
            reach=Reach(self._bot, self._roles, who.user_id) if who.user_id is not None else None,
        )

    async def _is_admin(self, where: Where, who: Who) -> bool:
        if where.kind is ChatKind.PRIVATE or who.speaks_for_chat:
            return True
        if who.user_id is None:
            return False
        return await Reach(self._bot, self._roles, who.user_id).administers(where.place)

    async def _answer(self, query_id: str, alert: str) -> None:
        try:
            text = alert[:ALERT_LENGTH] or None
            await self._bot.answer_callback_query(query_id, text=text, show_alert=bool(alert))
        except BadRequest:
            return  # the press is too old to be answered
        except TelegramError as exc:
            raise send_error(exc) from exc
