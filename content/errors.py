"""Every error that Skywave raises on purpose.

Each message is one line that names the thing and the next step. `str()` gives it in English, as logs and the
command line show it; in chats `Translator.error` says it in the language of the reader.

SkywaveError
├── SourceError              a source could not be read
│   ├── FetchError           the server, the network or the disk said no
│   │   ├── Unreachable      nothing answered there
│   │   └── SourceGone       the server says that it will never be there again
│   ├── AddressRefused       the URL leads to an address that users' URLs may not reach
│   └── ParseError           what came is not a feed, or not a post
│       └── ParserKilled     what came took too long or broke the process that read it
├── UsageError               a person asked for something that cannot be understood
├── NotFound                 a source, chat or delivery of that name does not exist
├── SearchTooLong            a search was stopped: it would have kept others waiting
├── SettingsError            a setting is missing or unusable
├── StoreRejected            the database does not take these values, whenever they are written
└── StoreError               the database said no
    ├── StoreBusy            another process holds it
    ├── StoreReadOnly        it cannot be written
    ├── StoreUnreachable     there is no way to it
    ├── StoreDamaged         its file or its disk is damaged
    └── StoreTooNew          a newer Skywave has migrated it

The errors of sending are in `scheduler.errors`, below the same root.
"""


class SkywaveError(Exception):
    """Root of the tree: the message is for a person, the cause for the log.

    `message` is a msgid whose fields `values` fill; without values, a text as it is.
    """

    def __init__(self, message: str = "", /, **values: str | int) -> None:
        super().__init__(message)
        self.message, self.values = message, values

    def __str__(self) -> str:
        return self.message.format(**self.values) if self.values else self.message


class SourceError(SkywaveError):
    """A source could not be read; the poll is retried with back-off."""


class FetchError(SourceError):
    """The server, the network or the disk said no."""


class Unreachable(FetchError):
    """Nothing answered there: no such name, no connection, no end. What exactly is for operators alone."""


class SourceGone(FetchError):
    """The server says that what was there is gone for good (410): it is not asked again."""


class AddressRefused(SourceError):
    """The URL leads to a loopback, private, link-local or reserved address."""


class ParseError(SourceError):
    """What came is not a feed, or not a post."""


class ParserKilled(ParseError):
    """What came took too long to read, or broke the process that read it: it is tried again much later."""


class UsageError(SkywaveError):
    """A person asked for something that cannot be understood."""


class NotFound(SkywaveError):
    """Nothing of that name exists."""


class SearchTooLong(SkywaveError):
    """A search was stopped: it would have kept others waiting."""


class SettingsError(SkywaveError):
    """A setting is missing or unusable."""


class StoreRejected(SkywaveError):
    """A value breaks a rule of the database. It is no StoreError, because waiting does not help."""


class StoreError(SkywaveError):
    """The database said no; nothing was half-written."""


class StoreBusy(StoreError):
    """Another process holds the database."""


class StoreReadOnly(StoreError):
    """The database cannot be written."""


class StoreUnreachable(StoreError):
    """There is no way to the database."""


class StoreDamaged(StoreError):
    """The file of the database, or the disk below it, is damaged."""


class StoreTooNew(StoreError):
    """A newer Skywave has migrated the database."""
