"""Telegram's side of the bot: long polling in, commands and presses to the router, its replies out."""

import asyncio
from functools import partial

import structlog
from telegram import Bot, BotCommand, ChatMember, Update
from telegram.error import BadRequest, Conflict, InvalidToken, RetryAfter, TelegramError

from bot.commands import COMMANDS
from bot.commands.types import Call, Reply
from bot.platforms.telegram.errors import send_error
from bot.platforms.telegram.events import (
    ALLOWED_UPDATES,
    CommandEvent,
    Event,
    MembershipEvent,
    MovedEvent,
    PressEvent,
    TopicEvent,
    Where,
    Who,
    event_of,
)
from bot.platforms.telegram.sender import LIMITS, NAME, TelegramPlatform
from bot.platforms.telegram.transport import AiohttpRequest
from bot.platforms.types import TaskSet, Wiring
from bot.settings import Settings
from content.errors import SkywaveError
from content.i18n import LANGUAGES, Translator
from scheduler import membership
from scheduler.errors import ChatGone, ContentRejected, PlatformStopped, RateLimited
from scheduler.types import ChatKind, Form, Sent

log = structlog.get_logger(__name__)

POLL_TIMEOUT = 30  # seconds that the server holds a poll without updates
BACKOFF = (1.0, 2.0, 5.0, 15.0, 30.0)  # seconds after the first, second … failed poll in a row
# A reply that the platform defers for longer comes too late to be of use, seconds.
LATE = 60.0


def adapter(settings: Settings) -> "TelegramAdapter | None":
    """The adapter, if a token is set."""
    if settings.telegram_token is None:
        return None
    return TelegramAdapter(settings.telegram_token.get_secret_value(), settings.telegram_api_url)


class TelegramAdapter:
    name = NAME
    limits = LIMITS

    def __init__(self, token: str, api_url: str) -> None:
        base = api_url.rstrip("/")
        self._requests = (AiohttpRequest(), AiohttpRequest(connections=1))
        try:
            self._bot = Bot(
                token,
                base_url=f"{base}/bot",
                base_file_url=f"{base}/file/bot",
                request=self._requests[0],
                get_updates_request=self._requests[1],
            )
        except InvalidToken as exc:
            raise PlatformStopped("Telegram's token is missing: set SKYWAVE_TELEGRAM_TOKEN") from exc
        self.platform = TelegramPlatform(self._bot)
        self._tasks = TaskSet()

    async def open(self) -> None:
        """Connect. Raises PlatformStopped for a refused token; anything else is tried again."""
        for attempt in range(1 << 30):
            try:
                await self._bot.initialize()
                await self._bot.delete_webhook()
                await self._register_commands()
                break
            except InvalidToken as exc:
                raise send_error(exc) from exc
            except TelegramError as exc:
                await self._back_off(attempt, exc)
        log.info("telegram.connected", bot=f"@{self._bot.username}")

    async def close(self) -> None:
        await self._tasks.finish()
        await self._bot.shutdown()
        for request in self._requests:  # the bot leaves them open when it could not start
            await request.shutdown()

    async def listen(self, wiring: Wiring) -> None:
        offset, failed = 0, 0
        while True:
            try:
                updates = await self._bot.get_updates(
                    offset=offset,
                    timeout=POLL_TIMEOUT,
                    read_timeout=POLL_TIMEOUT + 10,
                    allowed_updates=ALLOWED_UPDATES,
                )
                failed = 0
            except InvalidToken as exc:
                raise send_error(exc) from exc
            except TelegramError as exc:
                await self._back_off(failed, exc)
                failed += 1
                continue
            for update in updates:
                # Repeats are asked for no more: the next poll acknowledges all below its offset.
                offset = max(offset, update.update_id + 1)
                self._tasks.start(asyncio.create_task(self._handle(update, wiring)))

    async def _back_off(self, failed: int, error: TelegramError) -> None:
        wait = BACKOFF[min(failed, len(BACKOFF) - 1)]
        hint = "it is tried again"
        if isinstance(error, RetryAfter):
            wait = float(send_error(error).retry_after.total_seconds())  # type: ignore[attr-defined]
        if isinstance(error, Conflict):
            hint = "another process polls with the same token: stop it"
        log.warning("telegram.unreachable", reason=error.message, seconds=wait, next_step=hint)
        await asyncio.sleep(wait)

    async def _register_commands(self) -> None:
        for language in LANGUAGES:
            t = Translator(language).t
            commands = [BotCommand(command.name, t(command.summary)) for command in COMMANDS]
            # English is what everybody sees whose language is not among ours.
            await self._bot.set_my_commands(commands, language_code=None if language == "en" else language)

    async def _handle(self, update: Update, wiring: Wiring) -> None:
        try:
            event = event_of(update, self._bot.username)
            if event is not None:
                await self._react(event, wiring)
        except SkywaveError as exc:
            log.warning("telegram.update_failed", update=update.update_id, reason=str(exc))
        except Exception:
            # The edge of the task: one update must not end the others.
            log.exception("telegram.update_broken", update=update.update_id)

    async def _react(self, event: Event, wiring: Wiring) -> None:
        match event:
            case CommandEvent():
                reply = await wiring.router.command(
                    self._call(event.where, event.who, event.name, event.arguments)
                )
                if reply is not None:
                    await self._reply(event.where, reply, wiring)
            case PressEvent():
                await self._turn(event, wiring)
            case MembershipEvent():
                await self._membership(event, wiring)
            case MovedEvent(old, new):
                async with wiring.store.write() as work:
                    await work.chats.move(NAME, old, new)
                    await work.commit()
            case TopicEvent():
                await self._topic(event, wiring)

    def _call(self, where: Where, who: Who, name: str, arguments: str) -> Call:
        is_admin = partial(self._is_admin, where, who)
        return Call(name, arguments, where.place, where.kind, where.title, who.actor, who.locale, is_admin)

    async def _is_admin(self, where: Where, who: Who) -> bool:
        if where.kind is ChatKind.PRIVATE or who.speaks_for_chat:
            return True
        if who.user_id is None:
            return False
        try:
            member = await self._bot.get_chat_member(int(where.place.address), who.user_id)
        except TelegramError as exc:
            raise send_error(exc) from exc
        return member.status in (ChatMember.OWNER, ChatMember.ADMINISTRATOR)

    async def _reply(self, where: Where, reply: Reply, wiring: Wiring) -> None:
        """Send a reply: in a plainer form if need be, once more after a short flood wait."""
        for form in Form:
            message = self.platform.render(reply.document, form)[0]
            try:
                await self._slot(where, wiring)
                await self.platform.say(where.place, message, reply.buttons)
                return
            except ContentRejected:
                continue
            except RateLimited as exc:
                if exc.retry_after.total_seconds() > LATE:
                    raise
                await asyncio.sleep(exc.retry_after.total_seconds())
                await self.platform.say(where.place, message, reply.buttons)
                return
            except ChatGone as exc:
                async with wiring.store.write() as work:
                    place, now = where.place, wiring.clock.now()
                    await membership.deactivate_address(work, NAME, place.address, str(exc), now)
                    await work.commit()
                return

    async def _slot(self, where: Where, wiring: Wiring) -> None:
        now = wiring.clock.monotonic()
        await wiring.clock.sleep(wiring.limiter.reply(where.place.address, where.kind, now))

    async def _turn(self, event: PressEvent, wiring: Wiring) -> None:
        try:
            reply = await wiring.router.press(event.data, self._call(event.where, event.who, "", ""))
            if reply is not None:
                await self._slot(event.where, wiring)
                sent = Sent(event.where.place.address, (str(event.message_id),))
                message = self.platform.render(reply.document, Form.FULL)[0]
                await self.platform.rewrite(sent, message, reply.buttons)
        finally:
            # Unanswered, the button would show that it is still working.
            await self._answer(event.query_id)

    async def _answer(self, query_id: str) -> None:
        try:
            await self._bot.answer_callback_query(query_id)
        except BadRequest:
            return  # too old: nobody is waiting for it
        except TelegramError as exc:
            raise send_error(exc) from exc

    async def _membership(self, event: MembershipEvent, wiring: Wiring) -> None:
        place, now = event.where.place, wiring.clock.now()
        async with wiring.store.write() as work:
            known = await work.chats.find(place)
            if event.present:
                await work.chats.ensure(place, title=event.where.title, kind=event.where.kind)
                await membership.reactivate_address(work, NAME, place.address, now)
            else:
                await membership.deactivate_address(work, NAME, place.address, event.reason, now)
            await work.commit()
        log.info("chat.membership", chat=str(place), present=event.present)
        if event.present:
            wiring.wake()
        if event.present and known is None and event.where.kind is ChatKind.GROUP:
            greeting = await wiring.router.command(self._call(event.where, event.who, "start", ""))
            if greeting is not None:
                await self._reply(event.where, greeting, wiring)

    async def _topic(self, event: TopicEvent, wiring: Wiring) -> None:
        async with wiring.store.write() as work:
            chat = await work.chats.find(event.where.place)
            if chat is None:
                return
            if event.closed:
                await membership.pause(work, chat, "the topic was closed")
            else:
                await membership.reactivate(work, chat, wiring.clock.now())
            await work.commit()
        wiring.wake()
