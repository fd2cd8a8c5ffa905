"""What a reader of another bot's file returns."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from content.errors import UsageError
from scheduler.actions.moving_in import OldChat, OldSubscription
from scheduler.types import ChatKind, Place

# Limits for a file, because people have filled it.
MAX_ROWS = 200_000  # of one table
MAX_BYTES = 64 * 1024 * 1024  # of a file that is read as a whole

# What several bots have and Skywave has not.
INTERVAL = "an interval of their own: Skywave reads a source as often as it posts"
WITHOUT_FEED = "without a feed: the file does not contain it"


class WrongFile(UsageError):
    """The file cannot be read, or was not written by that bot."""


@dataclass(slots=True)
class Inventory:
    """The chats of another bot, and how many of its subscriptions have something that is not taken over."""

    chats: list[OldChat] = field(default_factory=list)
    left: dict[str, int] = field(default_factory=dict)

    def leave(self, what: str, lost: object = True) -> None:
        """Count a subscription that loses something, if it has that."""
        if lost:
            self.left[what] = self.left.get(what, 0) + 1


def telegram_chat(
    user: int, subscriptions: Sequence[OldSubscription], *, channel: bool = False, owner: int = 0
) -> OldChat:
    """A chat of a Telegram bot; a private chat has the number of its person. `owner`: an admin of a group."""
    person = user if user > 0 else owner
    kind = ChatKind.PRIVATE if user > 0 else ChatKind.CHANNEL if channel else ChatKind.GROUP
    answers = f"telegram:{person}" if person > 0 else ""
    return OldChat(Place("telegram", str(user)), kind, tuple(subscriptions), owner=answers)


def words(value: object) -> tuple[str, ...]:
    """The tags in a text like `#radio #waves`."""
    return tuple(word.strip("#") for word in text(value).replace(",", " ").split() if word.strip("#"))


def whole(value: object) -> int:
    """A whole number of 64 bits in a table or document; 0 if it is none."""
    try:
        found = int(value) if isinstance(value, int | float | str) else 0
    except (ValueError, OverflowError):
        return 0
    return found if abs(found) < 2**63 else 0


def text(value: object) -> str:
    """A text of a table or document; empty if it is none."""
    return value if isinstance(value, str) else ""
