"""How far a long command is: one message that is edited, and becomes the reply in the end."""

from bot.commands.types import Reply, Rows
from bot.platforms.telegram.events import Where
from bot.platforms.telegram.sender import TelegramSender
from bot.platforms.types import Wiring
from content.document import Document
from scheduler.errors import SendError
from scheduler.log import Logger
from scheduler.types import Form, Sent

log = Logger(__name__)


class Progress:
    """The message of one command. Without it the command goes on all the same, so errors are only logged."""

    def __init__(self, sender: TelegramSender, wiring: Wiring, where: Where) -> None:
        self._sender, self._wiring, self._where = sender, wiring, where
        self._sent: Sent | None = None

    async def show(self, document: Document) -> None:
        """Show how far the command is."""
        await self._shown(document)

    async def ended(self, reply: Reply) -> bool:
        """Put the reply in place of the message. False if there is none, or if a file must be sent."""
        return self._sent is not None and reply.file is None and await self._shown(reply.document, reply.rows)

    async def _shown(self, document: Document, rows: Rows = ()) -> bool:
        place, message = self._where.place, self._sender.render(document, Form.FULL)[0]
        asked = f"progress in {self._sent.message_ids[0] if self._sent else place}"
        if not await self._wiring.pacer.reply_permit(place.address, self._where.kind, asked):
            return False
        try:
            if self._sent:
                await self._sender.rewrite(self._sent, message, rows)
            else:
                self._sent = await self._sender.say(place, message, rows)
        except SendError as exc:
            log.info("progress.not_shown", chat=str(place), reason=str(exc))
            return False
        return True
