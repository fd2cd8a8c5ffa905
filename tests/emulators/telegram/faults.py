"""Faults of Telegram for the fault queue.

The bodies are those of the Bot API server. It passes TDLib's upper-case codes on unchanged.
"""

import asyncio
import json
from collections.abc import Callable, Mapping

from tests.emulators.base import Answer, Fault
from tests.emulators.telegram.types import ApiError

REFUSALS: Mapping[str, tuple[int, str]] = {
    "blocked": (403, "Forbidden: bot was blocked by the user"),
    "deactivated": (403, "Forbidden: user is deactivated"),
    "cannot-initiate": (403, "Forbidden: bot can't initiate conversation with a user"),
    "kicked-group": (403, "Forbidden: bot was kicked from the group chat"),
    "kicked-supergroup": (403, "Forbidden: bot was kicked from the supergroup chat"),
    "kicked-channel": (403, "Forbidden: bot was kicked from the channel chat"),
    "not-member-group": (403, "Forbidden: bot is not a member of the group chat"),
    "not-member-supergroup": (403, "Forbidden: bot is not a member of the supergroup chat"),
    "not-member-channel": (403, "Forbidden: bot is not a member of the channel chat"),
    "group-deleted": (403, "Forbidden: the group chat was deleted"),
    "chat-not-found": (400, "Bad Request: chat not found"),
    "thread-not-found": (400, "Bad Request: message thread not found"),
    "topic-closed": (400, "Bad Request: TOPIC_CLOSED"),
    "not-admin": (400, "Bad Request: BOT_NOT_ADMIN"),
    "no-rights": (400, "Bad Request: not enough rights to send text messages to the chat"),
    "need-admin": (400, "Bad Request: need administrator rights in the channel chat"),
    "no-write-access": (400, "Bad Request: have no write access to the chat"),
    "write-forbidden": (400, "Bad Request: CHAT_WRITE_FORBIDDEN"),
    "cannot-parse": (400, 'Bad Request: can\'t parse entities: Unsupported start tag "x" at byte offset 0'),
    "too-long": (400, "Bad Request: message is too long"),
    "caption-too-long": (400, "Bad Request: message caption is too long"),
    "empty": (400, "Bad Request: message text is empty"),
    "wrong-file": (400, "Bad Request: wrong file identifier/HTTP URL specified"),
    "url-unreachable": (400, "Bad Request: failed to get HTTP URL content"),
    "photo-dimensions": (400, "Bad Request: PHOTO_INVALID_DIMENSIONS"),
    "webpage-media": (400, "Bad Request: wrong type of the web page content"),
    "rich-photo": (400, "Bad Request: RICH_MESSAGE_PHOTO_NO_MEDIA_FOUND"),
    "rich-photo-url": (400, "Bad Request: RICH_MESSAGE_PHOTO_URL_INVALID"),
    "rich-rights": (400, "Bad Request: not enough rights to send the rich message to the chat"),
    "rich-depth": (400, "Bad Request: RICH_MESSAGE_DEPTH_INVALID"),
    "rich-block": (400, "Bad Request: can't parse InputRichBlock: unknown type table"),
    "reply-not-found": (400, "Bad Request: message to be replied not found"),
    "edit-not-found": (400, "Bad Request: message to edit not found"),
    "edit-forbidden": (400, "Bad Request: message can't be edited"),
    "delete-not-found": (400, "Bad Request: message to delete not found"),
    "not-modified": (
        400,
        "Bad Request: message is not modified: specified new message content and reply markup are exactly "
        "the same as a current content and reply markup of the message",
    ),
    "query-too-old": (
        400,
        "Bad Request: query is too old and response timeout expired or query ID is invalid",
    ),
    "unauthorized": (401, "Unauthorized"),
    "not-found": (404, "Not Found"),
    "method-not-found": (404, "Not Found: method not found"),
    "conflict": (
        409,
        "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
    ),
    "server-error": (500, "Internal Server Error"),
}

_BAD_GATEWAY = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1>"
    b"</center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)


def refusal(kind: str) -> ApiError:
    """The error with this name in REFUSALS. Raises KeyError for an unknown name."""
    return ApiError(*REFUSALS[kind])


def migrated(chat_id: int) -> ApiError:
    """The group has become the supergroup with this id."""
    text = "Bad Request: group chat was upgraded to a supergroup chat"
    return ApiError(400, text, migrate_to_chat_id=chat_id)


def too_many(retry_after: int) -> ApiError:
    """Flood control: try again after so many seconds."""
    return ApiError(429, f"Too Many Requests: retry after {retry_after}", retry_after=retry_after)


def error_answer(error: ApiError) -> Answer:
    """The error as the server writes it. A 429 also has a Retry-After header."""
    body: dict[str, object] = {"ok": False, "error_code": error.status, "description": error.description}
    if error.parameters:
        body["parameters"] = error.parameters
    wait = error.parameters.get("retry_after")
    headers = () if wait is None else (("Retry-After", str(wait)),)
    return Answer(error.status, json.dumps(body).encode(), headers=headers)


def answers(error: ApiError, *, processed: bool = False) -> Fault:
    """The request fails with this error, by default without taking effect."""
    return Fault(processed=processed, answer=error_answer(error))


def refused(kind: str) -> Fault:
    """The request is refused with the error of this name in REFUSALS."""
    return answers(refusal(kind))


def held(until: float | asyncio.Event) -> Fault:
    """The server waits so long, then processes the request and answers."""
    return Fault(hold=until)


def delayed(until: float | asyncio.Event) -> Fault:
    """The request takes effect at once, but the answer comes late."""
    return Fault(delay=until)


def delivered_then_dropped() -> Fault:
    """The request takes effect, but the connection is reset instead of the answer."""
    return Fault(dropped=True)


def dropped() -> Fault:
    """The connection is reset, and the request has no effect."""
    return Fault(processed=False, dropped=True)


def bad_gateway(*, processed: bool = False) -> Fault:
    """502 with an HTML page, as from a proxy before the server."""
    return Fault(processed=processed, answer=Answer(502, _BAD_GATEWAY, "text/html"))


def html(*, processed: bool = False) -> Fault:
    """200 with an HTML page, as from a captive portal or a blocking proxy."""
    return Fault(processed=processed, answer=Answer(200, b"<html><body>Welcome</body></html>", "text/html"))


def named(kind: str) -> Fault:
    """A fault by the name that people type. Raises KeyError for an unknown name.

    Names of REFUSALS, `retry-after-N`, `migrated-ID`, `hold-N`, `delay-N` (seconds), `drop`, `bad-gateway`,
    `delivered-drop`, `delivered-server-error`, `html`.
    """
    plain: dict[str, Callable[[], Fault]] = {
        "drop": dropped,
        "delivered-drop": delivered_then_dropped,
        "bad-gateway": bad_gateway,
        "html": html,
        "delivered-server-error": lambda: answers(refusal("server-error"), processed=True),
    }
    if kind in plain:
        return plain[kind]()
    if kind in REFUSALS:
        return refused(kind)
    numbered: dict[str, Callable[[int], Fault]] = {
        "retry-after-": lambda n: answers(too_many(n)),
        "migrated-": lambda n: answers(migrated(n)),
        "hold-": held,
        "delay-": delayed,
    }
    for prefix, make in numbered.items():
        number = kind.removeprefix(prefix)
        if number != kind and number.lstrip("-").isdigit():
            return make(int(number))
    raise KeyError(kind)
