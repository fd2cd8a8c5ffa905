"""Files: sent by the bot or by people, and downloaded by the bot.

Limits: core.telegram.org/bots/api#getfile and #sending-files.
"""

from dataclasses import dataclass

from tests.emulators.telegram.params import Params
from tests.emulators.telegram.types import ApiError, Json

DOWNLOAD_LIMIT = 20 * 1000 * 1000
UPLOAD_LIMIT = 50 * 1000 * 1000


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file on Telegram's servers. A test may give a `size` that is not that of the content."""

    file_id: str
    name: str
    content: bytes
    size: int

    @property
    def path(self) -> str:
        """Where a bot downloads it."""
        return f"documents/{self.file_id}"

    @property
    def media(self) -> Json:
        """The field of a message that holds it."""
        unique = f"u{self.file_id}"
        document = {
            "file_id": self.file_id,
            "file_unique_id": unique,
            "file_name": self.name,
            "file_size": self.size,
        }
        return {"document": document}


def uploaded(params: Params, number: int) -> StoredFile:
    """The document of sendDocument, which must be an upload here."""
    if "document" not in params.files:
        raise ApiError(400, "Bad Request: there is no document in the request")
    content = params.files["document"]
    if not content:
        raise ApiError(400, "Bad Request: file must be non-empty")
    if len(content) > UPLOAD_LIMIT:
        raise ApiError(413, "Request Entity Too Large")
    return StoredFile(f"F{number}", params.text("document"), content, len(content))


def file_json(file: StoredFile | None) -> Json:
    """A File object, as getFile returns it."""
    if file is None:
        raise ApiError(400, "Bad Request: invalid file_id")
    if file.size > DOWNLOAD_LIMIT:
        raise ApiError(400, "Bad Request: file is too big")
    unique = f"u{file.file_id}"
    return {"file_id": file.file_id, "file_unique_id": unique, "file_size": file.size, "file_path": file.path}
