"""Faults of Discord for the fault queue.

Codes and messages follow Discord's documentation of opcodes and status codes.
"""

import asyncio
import json
from collections.abc import Callable, Mapping

from tests.emulators.base import Answer, Fault
from tests.emulators.discord.types import ApiError, Json

REFUSALS: Mapping[int, tuple[int, str]] = {
    401: (401, "401: Unauthorized"),
    404: (404, "404: Not Found"),
    405: (405, "405: Method Not Allowed"),
    10003: (404, "Unknown Channel"),
    10004: (404, "Unknown Guild"),
    10008: (404, "Unknown Message"),
    10013: (404, "Unknown User"),
    10015: (404, "Unknown Webhook"),
    10062: (404, "Unknown interaction"),
    20016: (429, "This action cannot be performed due to slowmode rate limit"),
    20028: (429, "The write action you are performing on the channel has hit the write rate limit"),
    40001: (401, "Unauthorized. Provide a valid token and try again"),
    40005: (413, "Request entity too large. Try sending something smaller in size"),
    40033: (400, "This message has already been crossposted"),
    40060: (400, "Interaction has already been acknowledged."),
    40062: (429, "Service resource is being rate limited"),
    40067: (400, "A tag is required to create a forum post in this channel"),
    50001: (403, "Missing Access"),
    50005: (403, "Cannot edit a message authored by another user"),
    50006: (400, "Cannot send an empty message"),
    50007: (403, "Cannot send messages to this user"),
    50008: (400, "Cannot send messages in a non-text channel"),
    50013: (403, "Missing Permissions"),
    50014: (401, "Invalid authentication token provided"),
    50024: (400, "Cannot execute action on this channel type"),
    50027: (401, "Invalid Webhook Token"),
    50035: (400, "Invalid Form Body"),
    50041: (400, "Invalid API version provided"),
    50068: (400, "Invalid message type"),
    50083: (400, "Thread is archived"),
    50109: (400, "The request body contains invalid JSON."),
    50278: (403, "Cannot send messages to this user due to having no mutual guilds"),
    130000: (503, "API resource is currently overloaded. Try again a little later"),
    160002: (403, "Cannot reply without permission to read message history"),
    160004: (400, "A thread has already been created for this message"),
    160005: (400, "Thread is locked"),
    200000: (400, "Message was blocked by automatic moderation"),
    240000: (400, "Message blocked by harmful links filter"),
}
_PLAIN = (401, 404, 405)
"""Refusals of the HTTP layer: their code is 0."""


def refusal(code: int) -> ApiError:
    """The error with this code in REFUSALS. Raises KeyError for an unknown code."""
    status, message = REFUSALS[code]
    body: Json = {"message": message, "code": 0 if code in _PLAIN else code}
    if status == 429:
        body |= {"retry_after": 1.0, "global": False}
    return ApiError(status, body)


def invalid_form(errors: Json) -> ApiError:
    """Error 50035 with the errors of each field, by path."""
    return ApiError(400, {"message": "Invalid Form Body", "code": 50035, "errors": errors})


def too_many(
    wait: float, *, scope: str = "user", message: str = "", headers: tuple[tuple[str, str], ...] = ()
) -> ApiError:
    """A rate limit: try again after so many seconds. Scopes: user, global, shared."""
    is_global = scope == "global"
    body: Json = {
        "message": message or "You are being rate limited.",
        "retry_after": round(wait, 3),
        "global": is_global,
    }
    more = [("Retry-After", str(max(1, round(wait)))), ("X-RateLimit-Scope", scope)]
    if is_global:
        more.append(("X-RateLimit-Global", "true"))
    return ApiError(429, body, (*headers, *more))


def error_answer(error: ApiError) -> Answer:
    """The error as the server writes it. discord.py treats a 429 without `Via` as a ban."""
    body = json.dumps(error.body).encode()
    return Answer(error.status, body, headers=(("Via", "1.1 google"), *error.headers))


def answers(error: ApiError, *, processed: bool = False) -> Fault:
    """The request fails with this error, by default without taking effect."""
    return Fault(processed=processed, answer=error_answer(error))


def refused(code: int) -> Fault:
    """The request is refused with the error of this code in REFUSALS."""
    return answers(refusal(code))


def broken(status: int, *, processed: bool = False) -> Fault:
    """500, 502, 503 or 504, as Discord's proxy writes them."""
    page = f"<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>".encode()
    return Fault(processed=processed, answer=Answer(status, page, "text/html"))


def banned() -> Fault:
    """The block of an IP address after too many invalid requests: 429 without `Via`."""
    return Fault(processed=False, answer=BLOCKED)


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


BLOCKED = Answer(429, b"error code: 1015", "text/plain")


def named(kind: str) -> Fault:
    """A fault by the name that people type. Raises KeyError for an unknown name.

    Codes of REFUSALS, `500` to `504`, `delivered-500` to `-504`, `retry-after-N`, `global-N`, `shared-N`,
    `hold-N`, `delay-N` (seconds), `drop`, `delivered-drop`, `banned`.
    """
    plain: dict[str, Callable[[], Fault]] = {
        "drop": dropped,
        "delivered-drop": delivered_then_dropped,
        "banned": banned,
    }
    if kind in plain:
        return plain[kind]()
    word, _, number = kind.rpartition("-")
    if not number.isdigit():
        raise KeyError(kind)
    return _numbered(word, int(number))


def _numbered(word: str, number: int) -> Fault:
    if word in ("", "delivered") and 500 <= number <= 599:
        return broken(number, processed=word == "delivered")
    if not word:
        return refused(number)
    waits: dict[str, Callable[[], Fault]] = {
        "retry-after": lambda: answers(too_many(number)),
        "global": lambda: answers(too_many(number, scope="global")),
        "shared": lambda: answers(too_many(number, scope="shared")),
        "hold": lambda: held(number),
        "delay": lambda: delayed(number),
    }
    return waits[word]()
