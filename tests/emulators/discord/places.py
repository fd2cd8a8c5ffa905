"""People's actions on channels and threads."""

from collections.abc import Iterable

from tests.emulators.discord.api_channels import drop_channel
from tests.emulators.discord.api_messages import set_archived
from tests.emulators.discord.content import Draft
from tests.emulators.discord.mentions import EVERYTHING, Allowed
from tests.emulators.discord.people import People
from tests.emulators.discord.permissions import sees
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


class Places(People):
    """Creates channels and threads and acts in them. A channel argument is a Channel or its id."""

    def text(self, guild: Guild, name: str) -> Channel:
        """Create a text channel."""
        return self._place(guild, TEXT, name)

    def announcement(self, guild: Guild, name: str) -> Channel:
        """Create an announcement channel, whose messages can be published."""
        return self._place(guild, ANNOUNCEMENT, name)

    def forum(
        self, guild: Guild, name: str, tags: Iterable[str] = (), *, requires_tag: bool = False
    ) -> Channel:
        """Create a forum. The ids of its tags are in `channel.tags`."""
        made = Channel(self.world.new_id(), FORUM, name, guild, requires_tag=requires_tag)
        made.tags = {self.world.new_id(): tag for tag in tags}
        return self.world.add_channel(made)

    def thread(self, parent: Channel | int, name: str, *, by: User | None = None) -> Channel:
        """A person opens a public thread, or a post in a forum."""
        place = self.channel(parent)
        kind = ANNOUNCEMENT_THREAD if place.type == ANNOUNCEMENT else PUBLIC_THREAD
        made = Channel(self.world.new_id(), kind, name, place.guild, place, owner_id=(by or self._god).id)
        return self.world.add_channel(made)

    def archive(self, thread: Channel | int, archived: bool = True) -> None:
        """Archive or unarchive the thread."""
        set_archived(self.world, self.channel(thread), archived)

    def lock(self, thread: Channel | int, locked: bool = True) -> None:
        """Lock the thread, so that only moderators can write to it, or unlock it."""
        place = self.channel(thread)
        place.locked = locked
        self.world.tell_channel("UPDATE", place)

    def delete(self, channel: Channel | int) -> None:
        """Delete a channel with its threads, or a thread."""
        drop_channel(self.world, self.channel(channel))

    def rename(self, channel: Channel | int, name: str) -> None:
        """Rename the channel."""
        place = self.channel(channel)
        place.name = name
        self.world.tell_channel("UPDATE", place)

    def deny(self, channel: Channel | int, denied: int, who: User | Role | None = None) -> None:
        """Deny permissions in one channel, by default to the bot; deny(channel, 0) removes the denial."""
        self._overwrite(self.channel(channel), who, 0, denied)

    def allow(self, channel: Channel | int, allowed: int, who: User | Role | None = None) -> None:
        """Allow permissions in one channel, by default to the bot."""
        self._overwrite(self.channel(channel), who, allowed, 0)

    def block_words(self, guild: Guild, *words: str) -> None:
        """Make AutoMod refuse messages that contain one of the words."""
        guild.blocked_words = tuple(word.lower() for word in words)

    def channel(self, channel: Channel | int) -> Channel:
        """The channel with that id."""
        return channel if isinstance(channel, Channel) else self.world.channels[channel]

    def say(self, channel: Channel | int, text: str, *, by: User | None = None) -> Message:
        """Send a text, by default as the person of a DM, elsewhere as the guild's owner."""
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
        """The person of a DM, or the owner of the guild."""
        if channel.user is not None:
            return channel.user
        assert channel.guild is not None
        return channel.guild.owner

    def _place(self, guild: Guild, kind: int, name: str) -> Channel:
        return self.world.add_channel(Channel(self.world.new_id(), kind, name, guild))

    def _overwrite(self, channel: Channel, who: User | Role | None, allow: int, deny: int) -> None:
        number, before = (who or self.world.bot).id, sees(channel, self.world.bot.id)
        channel.overwrites[number] = (int(allow), int(deny))
        self.world.tell_sight(channel, before=before)
