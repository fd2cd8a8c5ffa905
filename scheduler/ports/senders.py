"""What `scheduler` needs of a platform to send there."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from scheduler.types import Chat, Form, Limits, Message, Sent

if TYPE_CHECKING:
    from content.document import Document


class Sender(Protocol):
    """Messages out of one platform. `render` is pure; `send` raises `SendError` only.

    What only some platforms can do is a protocol of its own: `HasRichForm`, `Recalls`, `Edits`, `Publishes`.
    """

    @property
    def name(self) -> str: ...

    @property
    def limits(self) -> Limits: ...

    @property
    def deduplicates(self) -> bool:
        """Whether a second send under the same key makes no second message."""
        ...

    def render(self, document: "Document", form: Form) -> Sequence[Message]:
        """The document as messages within every limit of the platform."""
        ...

    async def send(self, chat: Chat, message: Message, *, key: str, silent: bool = False) -> Sent:
        """Send a message. `silent`: without a sound, where the platform can do that."""
        ...


@runtime_checkable
class HasRichForm(Protocol):
    """A sender that can send richer messages than its ordinary ones."""

    def prefers_rich(self, document: "Document", chat: Chat) -> bool:
        """Whether a chat should get this document in `Form.RICH`; if not, it gets `Form.FULL`."""
        ...


@runtime_checkable
class Recalls(Protocol):
    """A sender that can look for a message whose outcome is unknown."""

    async def recall(self, chat: Chat, message: Message, since: datetime) -> Sent | None:
        """The message, if it is found to have arrived since then.

        None if it did not, or if a repeated key settles it. Raises SendError if it could not look.
        """
        ...


@runtime_checkable
class Edits(Protocol):
    """A sender that can edit what it has sent."""

    async def rewrite(self, sent: Sent, message: Message) -> None:
        """Replace a message; no error if it shows the same already.

        Raises SendError: ContentRejected if it cannot be edited, for instance because it was deleted.
        """
        ...


@runtime_checkable
class Publishes(Protocol):
    """A sender that can pass messages on to those who follow their channel from elsewhere."""

    async def publish(self, sent: Sent) -> None:
        """Pass a message on; a second time does no harm. Raises SendError."""
        ...
