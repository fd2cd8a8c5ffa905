"""The people's side: what members, moderators and owners do in their Discord apps."""

from collections.abc import Iterable

from tests.emulators.discord import wire
from tests.emulators.discord.api_channels import dm_with, drop_channel, leave
from tests.emulators.discord.api_messages import set_archived
from tests.emulators.discord.content import Draft
from tests.emulators.discord.events import GUILDS, MEMBERS
from tests.emulators.discord.mentions import EVERYTHING, Allowed
from tests.emulators.discord.permissions import EVERYONE, Permission
from tests.emulators.discord.state import World
from tests.emulators.discord.types import (
    ANNOUNCEMENT,
    ANNOUNCEMENT_THREAD,
    FORUM,
    PUBLIC_THREAD,
    TEXT,
    Channel,
    Guild,
    Message,
    Role,
    User,
)

BOT_PERMISSIONS = EVERYONE
"""What the bot's own role allows where nothing else is said: what everybody may do."""


class People:
    """Creates users, guilds and channels and acts for them. Channels are given as themselves or by id."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.users[world.bot.id] = world.bot
        self._god = self.user("Owner")

    def user(self, name: str, *, locale: str = "en-US") -> User:
        """A person who is in no guild yet, but can be written to."""
        user = User(self.world.new_id(), name, locale)
        self.world.users[user.id] = user
        return user

    def dm(self, user: User) -> Channel:
        """The person's DM with the bot."""
        return dm_with(self.world, user.id)

    def close_dms(self, user: User, code: int | None = 50007) -> None:
        """The person takes no DMs of the bot any more; None: takes them again."""
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
        """A guild. The bot has what its role and @everyone allow together."""
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
        """A new role."""
        made = Role(self.world.new_id(), name, allowed, mentionable)
        guild.roles[made.id] = made
        self._tell_role("CREATE", guild, made)
        return made

    def set_permissions(self, guild: Guild, role: Role, allowed: int) -> None:
        """Change what a role may do: the bot's is `guild.bot_role`, everybody's `guild.everyone`."""
        role.permissions = allowed
        self._tell_role("UPDATE", guild, role)

    def join(self, guild: Guild, user: User, *roles: Role, admin: bool = False) -> None:
        """Let the person be a member with these roles; `admin` adds one that is allowed everything."""
        if admin:
            roles = (*roles, self._admin_role(guild))
        guild.members[user.id] = {role.id for role in roles}
        self.world.homes.setdefault(user.id, set()).add(guild.id)
        if guild.has_bot:
            body = wire.member_json(guild, user) | {"guild_id": str(guild.id)}
            self.world.events.dispatch("GUILD_MEMBER_ADD", body, MEMBERS)

    def leave(self, guild: Guild, user: User) -> None:
        """The person leaves; one who shares no guild with the bot cannot be written to any more."""
        guild.members.pop(user.id, None)
        self.world.homes.get(user.id, set()).discard(guild.id)

    def add_bot(self, guild: Guild) -> None:
        """Invite the bot."""
        guild.has_bot = True
        guild.members[self.world.bot.id] = {guild.bot_role.id}
        body = wire.full_guild_json(guild, self.world.users, self.world.bot)
        self.world.events.dispatch("GUILD_CREATE", body, GUILDS)

    def kick_bot(self, guild: Guild) -> None:
        """Throw the bot out: its channels answer 50001."""
        leave(self.world, guild)

    def delete_guild(self, guild: Guild) -> None:
        """Delete the guild with its channels, which answer 10003 from then on."""
        for number in (*guild.channels, *guild.threads):
            del self.world.channels[number]
        leave(self.world, guild)
        for number in guild.members:
            self.world.homes[number].discard(guild.id)
        del self.world.guilds[guild.id]

    def text(self, guild: Guild, name: str) -> Channel:
        """A text channel."""
        return self._place(guild, TEXT, name)

    def announcement(self, guild: Guild, name: str) -> Channel:
        """An announcement channel, whose messages can be published."""
        return self._place(guild, ANNOUNCEMENT, name)

    def forum(
        self, guild: Guild, name: str, tags: Iterable[str] = (), *, requires_tag: bool = False
    ) -> Channel:
        """A forum; its tags have ids in `channel.tags`."""
        made = Channel(self.world.new_id(), FORUM, name, guild, requires_tag=requires_tag)
        made.tags = {self.world.new_id(): tag for tag in tags}
        return self.world.add_channel(made)

    def thread(self, parent: Channel | int, name: str, *, by: User | None = None) -> Channel:
        """A public thread, or a post of a forum, opened by a person."""
        place = self.channel(parent)
        kind = ANNOUNCEMENT_THREAD if place.type == ANNOUNCEMENT else PUBLIC_THREAD
        made = Channel(self.world.new_id(), kind, name, place.guild, place, owner_id=(by or self._god).id)
        return self.world.add_channel(made)

    def archive(self, thread: Channel | int, archived: bool = True) -> None:
        """Archive the thread, or bring it back."""
        set_archived(self.world, self.channel(thread), archived)

    def lock(self, thread: Channel | int, locked: bool = True) -> None:
        """Let only moderators write to the thread, or everybody again."""
        place = self.channel(thread)
        place.locked = locked
        self.world.tell_channel("UPDATE", place)

    def delete(self, channel: Channel | int) -> None:
        """Delete a channel with its threads, or a thread."""
        drop_channel(self.world, self.channel(channel))

    def rename(self, channel: Channel | int, name: str) -> None:
        """Give the channel another name."""
        place = self.channel(channel)
        place.name = name
        self.world.tell_channel("UPDATE", place)

    def deny(self, channel: Channel | int, denied: int, who: User | Role | None = None) -> None:
        """Take permissions away in one channel, by default from the bot; deny(channel, 0) gives them back."""
        self._overwrite(self.channel(channel), who, 0, denied)

    def allow(self, channel: Channel | int, allowed: int, who: User | Role | None = None) -> None:
        """Give permissions in one channel, by default to the bot."""
        self._overwrite(self.channel(channel), who, allowed, 0)

    def block_words(self, guild: Guild, *words: str) -> None:
        """Let automod refuse messages that contain one of the words."""
        guild.blocked_words = tuple(word.lower() for word in words)

    def channel(self, channel: Channel | int) -> Channel:
        """The channel with that id."""
        return channel if isinstance(channel, Channel) else self.world.channels[channel]

    def say(self, channel: Channel | int, text: str, *, by: User | None = None) -> Message:
        """Send a text, by default as the other side of a DM, elsewhere as the guild's owner."""
        place = self.channel(channel)
        author = by or self.owner(place)
        draft = Draft(text, (), (), (), 0, Allowed(EVERYTHING))
        return self.world.post(place, author, draft, self.world.pings_of(place, author, draft))

    def remove(self, message: Message) -> None:
        """A moderator deletes the message."""
        channel = self.channel(message.channel_id)
        self.world.remove(channel, message)

    def suppress(self, message: Message) -> Message:
        """A moderator hides the embeds of a message."""
        channel = self.channel(message.channel_id)
        return self.world.change(channel, channel.messages[message.id], flags=message.flags | 4)

    def owner(self, channel: Channel) -> User:
        """The other side of a DM, or who owns the guild."""
        if channel.user is not None:
            return channel.user
        assert channel.guild is not None
        return channel.guild.owner

    def _place(self, guild: Guild, kind: int, name: str) -> Channel:
        return self.world.add_channel(Channel(self.world.new_id(), kind, name, guild))

    def _overwrite(self, channel: Channel, who: User | Role | None, allow: int, deny: int) -> None:
        number = (who or self.world.bot).id
        channel.overwrites[number] = (int(allow), int(deny))
        self.world.tell_channel("UPDATE", channel)

    def _admin_role(self, guild: Guild) -> Role:
        for role in guild.roles.values():
            if role.name == "Admin":
                return role
        return self.role(guild, "Admin", Permission.ADMINISTRATOR)

    def _tell_role(self, what: str, guild: Guild, role: Role) -> None:
        if guild.has_bot:
            body = {"guild_id": str(guild.id), "role": wire.role_json(role)}
            self.world.events.dispatch(f"GUILD_ROLE_{what}", body, GUILDS)
