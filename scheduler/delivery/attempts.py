"""One attempt at one part of a delivery, handed on as one value from rendering to recording. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from scheduler.errors import ChatGone, ContentRejected, SendError
from scheduler.types import Chat, Delivery, Form, Message, Part, PartState, Sent, part_key


class Rendering(NamedTuple):
    """The messages that a delivery becomes in one form; `key` names them in the store."""

    key: str
    form: Form
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at one part. `delivery` knows the parts before it, `part` is to be written ahead."""

    delivery: Delivery
    part: Part
    rendering: Rendering

    @classmethod
    def next(cls, delivery: Delivery, rendering: Rendering, now: datetime) -> "Attempt | None":
        """An attempt at the first part that has not arrived in the rendering's form; None if all have."""
        form = rendering.form
        begun = {part.n: part for part in delivery.parts if part.form is form}
        n = sum(part.state is PartState.SENT for part in begun.values())
        if n == len(rendering.messages):
            return None
        before = begun.get(n)
        part = Part(
            delivery_id=delivery.id,
            n=n,
            form=form,
            state=PartState.SENDING,
            posts=rendering.messages[n].posts,
            rendering_key=rendering.key,
            unknowns=before.unknowns if before else 0,
            begun_at=before.begun_at if before and before.begun_at else now,
        )
        return cls(delivery, part, rendering)

    @property
    def message(self) -> Message:
        return self.rendering.messages[self.part.n]

    @property
    def key(self) -> str:
        """The same for every attempt at this part."""
        return part_key(self.delivery, self.part.n, self.part.form)

    @property
    def is_last(self) -> bool:
        """Whether the delivery has arrived as a whole when this part has."""
        return self.part.n + 1 == len(self.rendering.messages)

    @property
    def completed_posts(self) -> tuple[int, ...]:
        """The posts that are wholly in the chat when this part has arrived: no later part carries them."""
        later = {post for message in self.rendering.messages[self.part.n + 1 :] for post in message.posts}
        return tuple(post for post in self.part.posts if post not in later)

    @property
    def target(self) -> Chat:
        """Where the message goes: into the thread that an earlier part has opened, if any."""
        chat = self.delivery.chat
        opened = [part.sent.address for part in self.delivery.parts if part.sent and part.sent.opened]
        return replace(chat, place=replace(chat.place, address=opened[-1])) if opened else chat

    def arrived(self, sent: Sent) -> "Attempt":
        """This attempt after its message has arrived."""
        part = replace(self.part, state=PartState.SENT, sent=sent)
        return Attempt(self.delivery.with_part(part), part, self.rendering)

    def rejected(self) -> Delivery:
        """The delivery after this part was rejected, to be sent on in a plainer form."""
        return self.delivery.with_part(replace(self.part, state=PartState.FAILED))

    def explain(self, error: SendError) -> SendError:
        """If the thread we opened was deleted, fail this delivery and keep the chat active."""
        if isinstance(error, ChatGone) and self.target is not self.delivery.chat:
            return ContentRejected(f"the thread that was opened for it: {error}", final=True)
        return error
