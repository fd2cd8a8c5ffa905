"""Decides who may do what. Pure functions."""

from collections.abc import Collection
from enum import IntEnum, StrEnum

from scheduler.types import ChatAccess


class AccessMode(StrEnum):
    """Who may use a deployment."""

    OPEN = "open"  # every chat, and its admins may add feeds
    CURATED = "curated"  # every chat, with the sources that operators add
    CLOSED = "closed"  # the chats that operators allow


class Role(IntEnum):
    """The role of a person in a chat. Each role includes the lower ones."""

    MEMBER = 0
    ADMIN = 1
    OPERATOR = 2


class Act(StrEnum):
    """What a person wants to do in a chat."""

    READ = "read"  # posts, pages, lists and completions
    MANAGE = "manage"  # the chat's subscriptions, its digest, its own updates
    ADD_SOURCE = "add a source"  # subscribe to a feed that is not public and that the chat does not follow
    SEND_TO_ALL = "send to all"  # send an update to every chat that follows updates
    OPERATE = "operate"  # decide about any chat, and see how the deployment is


class Verdict(StrEnum):
    YES = "yes"
    NEEDS_ADMIN = "needs a chat admin"
    NEEDS_OPERATOR = "needs an operator"
    CLOSED = "closed"  # no operator has allowed the chat
    BANNED = "banned"  # the chat gets no answer at all


NEEDED = {
    Act.READ: Role.MEMBER,
    Act.MANAGE: Role.ADMIN,
    Act.ADD_SOURCE: Role.ADMIN,
    Act.SEND_TO_ALL: Role.OPERATOR,
    Act.OPERATE: Role.OPERATOR,
}


def role_of(actor: str, *, is_chat_admin: bool, operators: Collection[str]) -> Role:
    """The role of an actor like `telegram:123` in the chat where it speaks."""
    if actor in operators:
        return Role.OPERATOR
    return Role.ADMIN if is_chat_admin else Role.MEMBER


def decide(act: Act, role: Role, chat: ChatAccess, mode: AccessMode) -> Verdict:
    """Whether a person with `role` may do `act` in a chat with the access `chat`."""
    if chat is ChatAccess.BANNED:
        return Verdict.BANNED
    if role is Role.OPERATOR:
        return Verdict.YES
    if mode is AccessMode.CLOSED and chat is not ChatAccess.ALLOWED:
        return Verdict.CLOSED
    if act is Act.ADD_SOURCE and mode is AccessMode.CURATED:
        return Verdict.NEEDS_OPERATOR
    if role >= NEEDED[act]:
        return Verdict.YES
    return Verdict.NEEDS_OPERATOR if NEEDED[act] is Role.OPERATOR else Verdict.NEEDS_ADMIN
