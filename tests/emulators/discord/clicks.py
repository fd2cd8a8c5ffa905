"""The people's side of interactions: slash commands, autocompletion, buttons, selects, modals."""

from collections.abc import Mapping

from tests.emulators.discord import wire
from tests.emulators.discord.commands import GROUP, SUBCOMMAND
from tests.emulators.discord.form import number_of
from tests.emulators.discord.interactions import expire, open_interaction
from tests.emulators.discord.permissions import Permission, base_permissions, permissions
from tests.emulators.discord.state import World
from tests.emulators.discord.types import (
    AUTOCOMPLETE,
    COMMAND,
    COMPONENT,
    LOADING,
    MODAL,
    Channel,
    Interaction,
    Json,
    Message,
    Role,
    User,
    walk,
)

_STRING, _INTEGER, _BOOLEAN, _USER, _CHANNEL, _ROLE, _MENTIONABLE, _NUMBER = range(3, 11)
_DISABLED = "is disabled"
Value = str | int | float | bool | User | Channel | Role


class Clicks:
    """Acts for a person; by default for the other side of a DM, elsewhere for the guild's owner."""

    world: World

    def channel(self, channel: Channel | int) -> Channel:
        raise NotImplementedError

    def owner(self, channel: Channel) -> User:
        raise NotImplementedError
