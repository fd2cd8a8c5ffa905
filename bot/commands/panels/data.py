"""What the button of a panel carries: what to do, with what, and which value its panel showed."""

import zlib
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum

from bot.numbers import number

HOUR = 3600  # seconds
LIFETIME = timedelta(days=1)
BRIEF = 10  # characters of a value that fits into a button


class Verb(StrEnum):
    LIST = "l"  # `subject` is a page
    OPEN = "o"  # `subject` is a source, 0 for all; in a chat's panel it is 0
    CHOICES = "c"
    SET = "s"
    TYPE = "t"  # the value is typed
    END = "x"
    UNDO = "z"  # `subject` is the number of an ending


@dataclass(frozen=True, slots=True)
class Pressed:
    """The data of a button. `hour` is when its panel was shown, in hours since 1970.

    `shown` is the value that its panel showed for a line, in brief, and `new` the one to set.
    """

    prefix: str
    verb: Verb
    hour: int
    subject: int = 0
    line: str = ""
    shown: str = ""
    new: str = ""

    def encode(self) -> str:
        """At most 63 bytes, if the names of lines and values have at most 10 characters."""
        return ":".join(str(getattr(self, one.name)) for one in fields(self)).rstrip(":")

    @classmethod
    def decode(cls, data: str) -> "Pressed | None":
        prefix, *rest = data.split(":")
        rest += [""] * (6 - len(rest))
        match rest:
            case [verb, hour, subject, line, shown, new] if verb in list(Verb):
                numbers = number(hour), number(subject)
                if numbers[0] is not None and numbers[1] is not None:
                    return cls(prefix, Verb(verb), numbers[0], numbers[1], line, shown, new)
        return None

    def is_old(self, now: datetime) -> bool:
        """Whether the panel was shown more than LIFETIME ago."""
        return hour_of(now) - self.hour > LIFETIME.total_seconds() // HOUR


def hour_of(now: datetime) -> int:
    return int(now.timestamp()) // HOUR


def brief(value: str) -> str:
    """A value as a button carries it: what is long or has a colon by its checksum."""
    return value if len(value) <= BRIEF and ":" not in value else f"{zlib.crc32(value.encode()):08x}"
