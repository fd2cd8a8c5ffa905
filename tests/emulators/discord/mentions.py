"""Finds whom a message notifies: the mentions in its text, filtered by allowed_mentions."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from tests.emulators.discord.form import Form, Path, number_of
from tests.emulators.discord.types import Guild, Pings

EVERYTHING = frozenset(("users", "roles", "everyone"))
"""What channel sends parse if they say nothing."""
USERS = frozenset(("users",))
"""What interactions and webhooks parse."""
_CODE = re.compile(r"```.*?```|``.*?``|`[^`]*`", re.DOTALL)
_USER = re.compile(r"<@!?(\d{1,20})>")
_ROLE = re.compile(r"<@&(\d{1,20})>")
_EVERYONE = re.compile(r"@(?:everyone|here)")


@dataclass(frozen=True, slots=True)
class Allowed:
    """The kinds of mentions that may notify, and single users and roles that may as well."""

    parse: frozenset[str]
    users: frozenset[int] = frozenset()
    roles: frozenset[int] = frozenset()
    replied_user: bool = False


def read_allowed(form: Form, value: object, default: frozenset[str], path: Path) -> Allowed:
    """Read allowed_mentions. A reply notifies the author of the original message by default."""
    if not isinstance(value, dict):
        return Allowed(default, replied_user=True)
    parse = frozenset(map(str, value.get("parse") or ()))
    if unknown := parse - EVERYTHING:
        known = f"Value must be one of {sorted(EVERYTHING)}, not {sorted(unknown)}."
        form.wrong((*path, "parse"), "BASE_TYPE_CHOICES", known)
    lists = {name: frozenset(map(number_of, value.get(name) or ())) for name in ("users", "roles")}
    for name, ids in lists.items():
        if ids and name in parse:
            where = (*path, "parse")
            form.wrong(
                where, "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", f"parse:[{name}] and {name}: exclude"
            )
        if len(ids) > 100:
            form.wrong((*path, name), "BASE_TYPE_MAX_LENGTH", "Must be 100 or fewer in length.")
    return Allowed(parse, lists["users"], lists["roles"], value.get("replied_user") is True)


def pings(text: str, allowed: Allowed, guild: Guild | None, known: Collection[int], *, mass: bool) -> Pings:
    """Whom the text notifies. `mass` is the permission to mention everyone. Code spans notify nobody.

    A backslash does not prevent a mention here: Discord's rules are unclear, so the strict answer is a ping.
    """
    if "@" not in text:
        return Pings()
    plain = _CODE.sub(" ", text)
    users = {int(number) for number in _USER.findall(plain)}
    roles = {int(number) for number in _ROLE.findall(plain)}
    if "users" not in allowed.parse:
        users &= allowed.users
    if "roles" not in allowed.parse:
        roles &= allowed.roles
    if guild is None:
        return Pings(frozenset(user for user in users if user in known))
    reachable = (guild.roles[role] for role in roles if role in guild.roles)
    return Pings(
        frozenset(user for user in users if user in known),
        frozenset(role.id for role in reachable if role.mentionable or mass),
        mass and "everyone" in allowed.parse and bool(_EVERYONE.search(plain)),
    )
