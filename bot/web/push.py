"""/websub/… and /hooks/…: where hubs and other programs send posts.

Who does not know a secret learns nothing: a wrong address and a wrong secret get the same 404.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiohttp import ClientError, web

from bot.web.server import Handler, Route
from content.errors import ParseError, SkywaveError, StoreError
from content.secrets import without_secrets
from content.types import Source
from scheduler.push.pushes import Push, PushKind, is_signed, knows
from scheduler.push.receiving import Busy, Receiver, Unknown
from scheduler.push.websub import WebSub

MAX_BODY = 1024 * 1024  # bytes
# Seconds for a body to arrive, and for a hook's posts to be stored.
ARRIVAL, STORED = 10.0, 10.0
FORM = "application/x-www-form-urlencoded"
NO_FORM = "choose the content type application/json for this webhook"
TOO_LARGE = f"the body is larger than {MAX_BODY // 1024} KiB: send fewer posts at once"


class _Refused(SkywaveError):
    """A call is answered with this status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def push_routes(receiver: Receiver, hubs: WebSub) -> Sequence[Route]:
    """The routes that are meant for the Internet."""

    async def verify(request: web.Request) -> web.Response:
        async with receiver.admitted(), receiver.looks:
            challenge = await hubs.verify(request.match_info["token"], request.query)
        if challenge is None:
            raise Unknown
        return web.Response(text=challenge, headers={"X-Content-Type-Options": "nosniff"})

    async def distribute(request: web.Request) -> web.Response:
        async with _call(receiver, PushKind.WEBSUB, request) as (push, source):
            body = await _body(request)
            if not is_signed(push, body, request.headers.get("X-Hub-Signature", "")):
                raise Unknown
            # The hub does not wait until the posts are stored.
            receiver.take(push, source, body, request.headers.get("Content-Type", ""))
        return web.Response(status=202)

    async def hook(request: web.Request) -> web.Response:
        async with _call(receiver, PushKind.HOOK, request) as (push, source):
            body, signed = await _known(request, push)
            event = request.headers.get("X-GitHub-Event", "")
            if event and event != "release":
                return web.json_response({"event": event, "posts": 0})
            if request.content_type == FORM:
                raise _Refused(400, NO_FORM)
            taken = receiver.take(push, source, body, request.content_type, signed=signed)
            result = await asyncio.wait_for(taken, STORED)
        counts = {"new": result.new, "changed": result.changed}
        left_out = {"left_out": [failure.reason for failure in result.failures]} if result.failures else {}
        return web.json_response(counts | left_out, status=202)

    return (
        Route("GET", "/websub/{token}", _told(verify), public=True),
        Route("POST", "/websub/{token}", _told(distribute), public=True),
        Route("POST", "/hooks/{token}", _told(hook), public=True),
    )


def _told(handle: Handler) -> Handler:
    """`handle`, with an answer for every error of ours."""

    async def told(request: web.Request) -> web.Response:
        try:
            return await handle(request)
        except Unknown as exc:
            return _error(404, str(exc))
        except _Refused as exc:
            return _error(exc.status, str(exc))
        except Busy as exc:
            return _error(429 if exc.own else 503, str(exc), after=exc.after)
        except ParseError as exc:
            return _error(400, without_secrets(str(exc)))
        except (StoreError, TimeoutError):
            return _error(503, "the posts could not be stored now: try again later", after=60)
        except SkywaveError as exc:
            return _error(500, without_secrets(str(exc)))

    return told


@asynccontextmanager
async def _call(
    receiver: Receiver, kind: PushKind, request: web.Request
) -> AsyncIterator[tuple[Push, Source]]:
    """Room for a call, and whose it is. What is too large is refused before that is known."""
    if (request.content_length or 0) > MAX_BODY:
        raise _Refused(413, TOO_LARGE)
    async with receiver.admitted(), receiver.called(kind, request.match_info["token"]) as found:
        yield found


async def _known(request: web.Request, push: Push) -> tuple[bytes, bool]:
    """The body of a call of somebody who knows the secret, and whether it is signed. Raises Unknown."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        if not knows(push, secret.strip()):
            raise Unknown
        return await _body(request), False
    body = await _body(request)
    if not is_signed(push, body, request.headers.get("X-Hub-Signature-256", "")):
        raise Unknown
    return body, True


async def _body(request: web.Request) -> bytes:
    """The body of a request. It is counted while it arrives, because it may be longer than it says."""
    body = bytearray()
    try:
        async with asyncio.timeout(ARRIVAL):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > MAX_BODY:
                    raise _Refused(413, TOO_LARGE)
    except (TimeoutError, OSError, ClientError, web.RequestPayloadError) as exc:
        raise _Refused(400, "the body did not arrive as a whole") from exc
    return bytes(body)


def _error(status: int, text: str, *, after: int | None = None) -> web.Response:
    headers = {} if after is None else {"Retry-After": str(after)}
    response = web.json_response({"error": text}, status=status, headers=headers)
    response.force_close()  # the body may not have been read
    return response
