"""The actions of members and owners in guilds."""

from tests.emulators.discord import wire
from tests.emulators.discord.api_channels import dm_with
from tests.emulators.discord.api_guilds import leave
from tests.emulators.discord.events import GUILDS, MEMBERS
from tests.emulators.discord.permissions import EVERYONE, Permission, sees
from tests.emulators.discord.state import World
from tests.emulators.discord.types import (
    Channel,
    Guild,
    Json,
    Role,
    User,
)
from tests.emulators.discord.wire_guilds import full_guild_json

BOT_PERMISSIONS = EVERYONE
"""What the bot's own role allows where nothing else is said: what everybody may do."""


class People:
    """Creates users and guilds and acts for them."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.users[world.bot.id] = world.bot
        self._god = self.user("Owner")

    def user(self, name: str, *, locale: str = "en-US") -> User:
        """Create a person without a guild, to whom the bot can write."""
        user = User(self.world.new_id(), name, locale)
        self.world.users[user.id] = user
        return user

    def dm(self, user: User) -> Channel:
        """The person's DM with the bot."""
        return dm_with(self.world, user.id)

    def close_dms(self, user: User, code: int | None = 50007) -> None:
        """Refuse the bot's DMs to the person with this code; None accepts them again."""
        self.dm(user).refuses = code

    def guild(
        self,
        name: str,
        *,
        owner: User | None = None,
        locale: str = "en-US",
        bot_permissions: int = BOT_PERMISSIONS,
        everyone: int = EVERYONE,
        with_bot: bool = True,
    ) -> Guild:
        """Create a guild. The bot has the permissions of its role and of @everyone."""
        world, number = self.world, self.world.new_id()
        role = Role(world.new_id(), world.bot.name, bot_permissions, managed=True)
        made = Guild(number, name, owner or self._god, Role(number, "@everyone", everyone), role, locale)
        made.roles = {number: made.everyone, role.id: role}
        made.has_bot = False
        world.guilds[number] = made
        self.join(made, made.owner)
        if with_bot:
            self.add_bot(made)
        return made

    def role(self, guild: Guild, name: str, allowed: int = 0, *, mentionable: bool = False) -> Role:
        """Create a role."""
        made = Role(self.world.new_id(), name, allowed, mentionable)
        guild.roles[made.id] = made
        self._tell_role("CREATE", guild, made)
        return made

    def set_permissions(self, guild: Guild, role: Role, allowed: int) -> None:
        """Change the permissions of a role, such as `guild.bot_role` or `guild.everyone`."""
        bot, channels = self.world.bot.id, list(guild.channels.values())
        seen = [sees(channel, bot) for channel in channels]
        role.permissions = allowed
        self._tell_role("UPDATE", guild, role)
        for channel, before in zip(channels, seen, strict=True):
            if sees(channel, bot) != before:
                self.world.tell_sight(channel, before=before)

    def join(self, guild: Guild, user: User, *roles: Role, admin: bool = False) -> None:
        """Make the person a member with these roles; `admin` adds a role with all permissions."""
        if admin:
            roles = (*roles, self._admin_role(guild))
        guild.members[user.id] = {role.id for role in roles}
        self.world.homes.setdefault(user.id, set()).add(guild.id)
        if guild.has_bot:
            body = wire.member_json(guild, user) | {"guild_id": str(guild.id)}
            self.world.events.dispatch("GUILD_MEMBER_ADD", body, MEMBERS)

    def leave(self, guild: Guild, user: User) -> None:
        """The person leaves. The bot cannot write to people with whom it shares no guild."""
        guild.members.pop(user.id, None)
        self.world.homes.get(user.id, set()).discard(guild.id)

    def add_bot(self, guild: Guild) -> None:
        """Add the bot to the guild."""
        guild.has_bot = True
        guild.members[self.world.bot.id] = {guild.bot_role.id}
        body = full_guild_json(guild, self.world.users, self.world.bot)
        del body["unavailable"]  # only events of a known guild that is available again have it
        self.world.events.dispatch("GUILD_CREATE", body, GUILDS)

    def kick_bot(self, guild: Guild) -> None:
        """Remove the bot from the guild, whose channels then answer 50001."""
        leave(self.world, guild)

    def delete_guild(self, guild: Guild) -> None:
        """Delete the guild with its channels, which then answer 10003."""
        for number in (*guild.channels, *guild.threads):
            del self.world.channels[number]
        leave(self.world, guild)
        for number in guild.members:
            self.world.homes[number].discard(guild.id)
        del self.world.guilds[guild.id]

    def _admin_role(self, guild: Guild) -> Role:
        for role in guild.roles.values():
            if role.name == "Admin":
                return role
        return self.role(guild, "Admin", Permission.ADMINISTRATOR)

    def _tell_role(self, what: str, guild: Guild, role: Role) -> None:
        if guild.has_bot:
            body: Json = {"guild_id": str(guild.id), "role": wire.role_json(role)}
            self.world.events.dispatch(f"GUILD_ROLE_{what}", body, GUILDS)
