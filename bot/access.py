"""Who may do what. Pure."""

from collections.abc import Collection
from enum import IntEnum, StrEnum


class AccessMode(StrEnum):
    """Who may use a deployment."""

    OPEN = "open"  # every chat, and its admins may add feeds
    CURATED = "curated"  # every chat, with the sources that operators add
    CLOSED = "closed"  # the chats that operators allow


class Role(IntEnum):
    """Each role may do what the ones below it may."""

    MEMBER = 0
    ADMIN = 1
    OPERATOR = 2


def role_of(actor: str, *, is_chat_admin: bool, operators: Collection[str]) -> Role:
    """The role of an actor like `telegram:123` in the chat where it speaks."""
    if actor in operators:
        return Role.OPERATOR
    return Role.ADMIN if is_chat_admin else Role.MEMBER
