"""Every error that Skywave raises on purpose.

Each message is one line that says what happened and what to do. `str()` returns it in English, for logs and
the command line; `Translator.error` translates it for a chat.

SkywaveError
├── SourceError              a source could not be read
│   ├── FetchError           the server, the network or the disk failed
│   │   ├── Unreachable      no server answered
│   │   │   └── NoSuchServer its name or its certificate is not valid
│   │   └── SourceGone       the server says that the source is gone for good (410)
│   ├── AddressRefused       the URL leads to an address that must not be connected to
│   └── ParseError           the content is not a feed or not a post
│       └── ParserKilled     the parser took too long or crashed, and was killed
├── UsageError               a person typed something that is not valid
├── NotFound                 there is no source, chat or delivery of that name
├── SearchTooLong            a search took too long and was stopped
├── SettingsError            a setting is missing or not valid
├── StoreRejected            the database will never accept these values
└── StoreError               the database failed
    ├── StoreBusy            another process has locked it
    ├── StoreReadOnly        it cannot be written
    ├── StoreUnreachable     it cannot be connected to
    ├── StoreDamaged         its file or disk is damaged
    └── StoreTooNew          a newer version of Skywave has migrated it

Errors of sending are in `scheduler.errors`, below the same root.
"""


class SkywaveError(Exception):
    """Root of the tree. The message is for people; the cause (`__cause__`) is for the log.

    `message` is a msgid with `{fields}` that `values` fill. Without values it is shown as it is.
    """

    def __init__(self, message: str = "", /, **values: str | int) -> None:
        super().__init__(message)
        self.message, self.values = message, values

    def __str__(self) -> str:
        return self.message.format(**self.values) if self.values else self.message


def without_frames(error: SkywaveError) -> SkywaveError:
    """`error` and its causes without tracebacks, whose frames hold what was read until then."""
    link: BaseException | None = error
    while link is not None:
        link.with_traceback(None)
        link = link.__cause__ or link.__context__
    return error


class SourceError(SkywaveError):
    """A source could not be read. The poller tries again with back-off."""


class FetchError(SourceError):
    """The server, the network or the disk failed."""


class Unreachable(FetchError):
    """No server answered: unknown host, no connection or a time-out. Chats are not told which of them."""


class NoSuchServer(Unreachable):
    """The name or the certificate of the server is not valid, so trying again soon does not help."""


class SourceGone(FetchError):
    """The server says that the source is gone for good (410). It is paused."""


class AddressRefused(SourceError):
    """The URL leads to a loopback, private, link-local or reserved address: no connection is made."""


class ParseError(SourceError):
    """The content is not a feed or not a post."""


class ParserKilled(ParseError):
    """The parser took too long or crashed, and was killed. The source is tried again much later."""


class UsageError(SkywaveError):
    """A person typed something that is not valid."""


class NotFound(SkywaveError):
    """There is nothing of that name."""


class SearchTooLong(SkywaveError):
    """A search was stopped because it would have kept other people waiting."""


class SettingsError(SkywaveError):
    """A setting is missing or not valid."""


class StoreRejected(SkywaveError):
    """The database will never accept a value. This is no StoreError, because trying again does not help."""


class StoreError(SkywaveError):
    """The database failed. The transaction was rolled back."""


class StoreBusy(StoreError):
    """Another process has locked the database."""


class StoreReadOnly(StoreError):
    """The database cannot be written."""


class StoreUnreachable(StoreError):
    """The database cannot be connected to."""


class StoreDamaged(StoreError):
    """The file of the database or its disk is damaged."""


class StoreTooNew(StoreError):
    """A newer version of Skywave has migrated the database."""
