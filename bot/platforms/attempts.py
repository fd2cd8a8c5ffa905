"""Retries: connecting again after a back-off, and sending a rejected reply in a plainer form."""

from collections.abc import Awaitable, Callable, Sequence

from content.document import Document
from scheduler.errors import ContentRejected
from scheduler.log import Logger
from scheduler.types import Form, Message

log = Logger(__name__)

Sleep = Callable[[float], Awaitable[None]]
Render = Callable[[Document, Form], Sequence[Message]]

BACKOFF = (1.0, 2.0, 5.0, 15.0, 30.0)  # seconds to wait after the first, second … failure in a row


async def back_off(
    platform: str,
    failed: int,
    reason: str,
    sleep: Sleep,
    *,
    seconds: float | None = None,
    next_step: str = "it is tried again",
) -> None:
    """Log that a platform cannot be reached, then wait before the next attempt.

    `failed`: the number of failures in a row before this one. `seconds`: the wait that the platform asks
    for, if it names one.
    """
    wait = BACKOFF[min(failed, len(BACKOFF) - 1)] if seconds is None else seconds
    log.warning(f"{platform}.unreachable", reason=reason, seconds=wait, next_step=next_step)
    await sleep(wait)


async def say_in_a_form_that_is_taken(
    document: Document,
    render: Render,
    say: Callable[[Message], Awaitable[None]],
    form: Form = Form.FULL,
    **where: str,
) -> None:
    """Send a document as one message; each time the platform rejects it, send it in a plainer form.

    `form` is the first one, and `where` is logged. Raises what `say` raises; ContentRejected only if no
    plainer form can help.
    """
    while True:
        try:
            return await say(render(document, form)[0])
        except ContentRejected as exc:
            log.warning("reply.rejected", form=str(form), reason=str(exc), **where)
            plainer = exc.plainer(form)
            if plainer is None:
                raise
            form = plainer
