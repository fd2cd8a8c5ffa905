"""Sends messages through apprise, which blocks, and which gives no reason for a failure."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from threading import Thread

from apprise import Apprise, AppriseAsset, NotifyFormat, OverflowMode

from bot.platforms.apprise.limits import LIMITS, NAME
from bot.platforms.flat import Flat, flatten, is_visible
from bot.platforms.messages import NOTHING, messages, title_of, with_urls, without_mentions
from content.document import Document
from content.errors import SettingsError
from scheduler.errors import Ambiguous, ChatPaused, Refused
from scheduler.log import Logger
from scheduler.types import Chat, Form, Message, Payload, Sent

log = Logger(__name__)

# An unconfirmed send counts as ambiguous after this long, seconds; apprise's own time-outs are shorter.
TIMEOUT = 60.0
TITLE_LENGTH = 100  # UTF-16 units
# All chats get the same messages. Their length, in code points, is the limit of the strictest service, but at
# least SHORTEST: for a service with a lower limit, apprise splits them itself.
LONGEST, SHORTEST = 30_000, 1_000
URL_LENGTH = 500  # code points; a longer URL would leave no room for the text


class AppriseSender:
    """Sends plain text; raises `SendError` only. `urls` are keyed by the chats' names.

    The constructor raises SettingsError for a URL that apprise does not know. `timeout` is in seconds.
    """

    name = NAME
    limits = LIMITS
    deduplicates = False

    def __init__(self, urls: Mapping[str, str], *, timeout: float = TIMEOUT) -> None:
        self._services = {name: _service(name, url) for name, url in urls.items()}
        shortest = min((each.body_maxlen for one in self._services.values() for each in one), default=LONGEST)
        self._length = min(LONGEST, max(SHORTEST, shortest)) - TITLE_LENGTH
        self._timeout = timeout
        self._busy: set[str] = set()  # chats whose send still runs, even after its time-out

    async def check(self) -> str:
        return f"{', '.join(self._services)}: only a post shows whether it arrives"

    def render(self, document: Document, form: Form) -> Sequence[Message]:
        """Plain text in every form. A payload has a `title` and a `text`; neither is ever empty."""
        title = title_of(document, TITLE_LENGTH)
        return messages(
            document,
            lambda piece: len(_text(piece)) <= self._length,
            lambda piece: {"title": title, "text": _text(piece)},
        )

    async def send(self, chat: Chat, message: Message, *, key: str, silent: bool = False) -> Sent:
        name = chat.place.address
        service = self._services.get(name)
        if service is None:
            raise ChatPaused(f"it has no URL: add {name} to SKYWAVE_APPRISE_URLS, and restart Skywave")
        if name in self._busy:
            raise Refused("the message before it has not ended yet")
        self._busy.add(name)
        try:
            async with asyncio.timeout(self._timeout):
                arrived = await _in_thread(
                    partial(_notify, service, message.payload), partial(self._busy.discard, name)
                )
        except TimeoutError as exc:
            raise Ambiguous(f"not confirmed within {self._timeout:g} seconds") from exc
        if not arrived:
            raise Ambiguous("not confirmed: check the service and its URL; apprise does not say why")
        return Sent(name, ())


def _service(name: str, url: str) -> Apprise:
    """The apprise object for one URL. Raises SettingsError.

    It sends in the calling thread: apprise's own time-out, which needs a thread pool, is off.
    """
    asset = AppriseAsset(app_id="Skywave", async_mode=False, service_timeout=0, storage_mode="memory")
    service = Apprise.instantiate(url, asset=asset)
    if service is None:
        raise SettingsError(f"SKYWAVE_APPRISE_URLS: apprise cannot use the URL of {name}: check its form")
    if service.overflow_mode is OverflowMode.UPSTREAM:  # the default, so the URL sets no mode
        service.overflow_mode = OverflowMode.SPLIT
    return Apprise(service, asset=asset)


def _notify(service: Apprise, payload: Payload) -> bool:
    return bool(service.notify(payload["text"], payload["title"], body_format=NotifyFormat.TEXT))


def _text(document: Document) -> str:
    flat = flatten(document)
    shown = flat if is_visible(flat.text) else Flat(NOTHING)
    return with_urls(without_mentions(shown), longest=URL_LENGTH)


def _in_thread(work: Callable[[], bool], ended: Callable[[], None]) -> asyncio.Future[bool]:
    """Run blocking work in a daemon thread; the future has its result.

    `ended` is called in the loop when the work ends, even if the future was cancelled. It is not a thread
    pool, because the process would wait for a pool's threads at its end.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[bool] = loop.create_future()

    def settle(arrived: bool) -> None:
        ended()
        if not answer.done():
            answer.set_result(arrived)

    def run() -> None:
        arrived = False
        try:
            arrived = work()
        except Exception as exc:
            # The edge of the thread: a service's plug-in may raise anything. Only the type is logged, because
            # the text may contain the URL.
            log.warning("apprise.broken", error=type(exc).__name__)
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(settle, arrived)

    Thread(target=run, name="apprise", daemon=True).start()
    return answer
