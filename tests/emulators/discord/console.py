"""A prompt for people who try the bot: text and /commands go to the bot, !commands change the world."""

import shlex
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

from tests.emulators.discord.control import STANDING, make_channel
from tests.emulators.discord.faults import REFUSALS, named
from tests.emulators.discord.layout import CONTAINER, SECTION, SEPARATOR, TEXT_DISPLAY, pictures
from tests.emulators.discord.records import Failed, Shown
from tests.emulators.discord.routes import SEND
from tests.emulators.discord.server import DiscordEmulator
from tests.emulators.discord.types import EPHEMERAL, Channel, Json, Message

_FOR_EVER = 1e9
HELP = """\
TEXT                 say it in the current channel, as the guild's owner
/NAME [OPT=VALUE]..  run a slash command (waits for the bot to connect and register it)
!press LABEL         press a button (waits for it to appear)
!select VALUE..      choose from a select
!channel NAME        go to another channel; !channels lists them
!kick !add           remove the bot from the guild, add it
!mute !unmute        take the right to write in this channel, give it back
!archive !lock       of the current thread; !wake undoes both
!delete              delete the current channel
!drop                cut the gateway's connections
!fault KIND [N]      the next N sends go wrong; N 0: until !calm.  !faults lists the kinds
!help !quit"""


class Console:
    """Reads lines and writes events."""

    def __init__(self, dc: DiscordEmulator, write: Callable[[str], None], patience: float) -> None:
        self._dc = dc
        self._write = write
        self._patience = patience
        """Seconds to wait for a command or button."""
        guild = dc.guild("Club")
        kinds = ("text", "announcement", "forum", "thread", "dm")
        self._places = {kind: make_channel(dc, guild, kind, kind) for kind in kinds}
        self._here = "text"

    async def run(self, lines: AsyncIterator[str]) -> bool:
        """Execute the lines. Return True at !quit, False at their end."""
        self._channels()
        async for line in lines:
            word, _, rest = line.strip().partition(" ")
            if word == "!quit":
                return True
            try:
                await self._act(word, rest.strip(), line.strip())
            except (LookupError, ValueError, TimeoutError) as exc:
                self._write(f"! {str(exc).splitlines()[0]}")
        return False

    async def watch(self) -> None:
        """Write what people see until cancelled."""
        entries, seen = self._dc.transcript.entries, 0

        def more() -> bool:
            return len(entries) > seen

        while True:
            await self._dc.wait_for(more, _FOR_EVER)
            for entry in entries[seen:]:
                if isinstance(entry, Shown):
                    self._write(self._shown(entry.what, entry.message))
                elif isinstance(entry, Failed):
                    self._write(f"  ({entry.text})")
            seen = len(entries)

    async def _act(self, word: str, rest: str, line: str) -> None:
        plain = {"!channels": self._channels, "!help": self._help, "!faults": self._faults}
        channel = self._places[self._here]
        if word in plain:
            plain[word]()
        elif word == "!press":
            await self._until(lambda: any(rest in m.labels for m in self._dc.messages(channel)))
            self._dc.press(channel, rest)
        elif word == "!select":
            self._dc.select(channel, *shlex.split(rest))
        elif word == "!channel":
            self._go(rest)
        elif word in ("!drop", "!calm"):
            {"!drop": self._dc.gateway.drop, "!calm": self._dc.faults.clear}[word]()
        elif word == "!fault":
            self._fault(rest)
        elif word.startswith("!"):
            self._change(word.removeprefix("!"), channel)
        elif word.startswith("/"):
            await self._run(channel, line[1:])
        elif line:
            self._dc.say(channel, line)

    async def _run(self, channel: Channel, line: str) -> None:
        words = shlex.split(line)
        name = " ".join(word for word in words if "=" not in word)
        options = [word.partition("=") for word in words if "=" in word]
        await self._until(lambda: self._dc.gateway.ready and name.split()[0] in self._dc.offered(channel))
        given = {key: value for key, _, value in options}
        self._dc.slash(channel, name, by=self._dc.owner(channel), **given)

    async def _until(self, predicate: Callable[[], bool]) -> None:
        with suppress(TimeoutError):  # the emulator raises an error that lists the choices
            await self._dc.wait_for(predicate, self._patience)

    def _go(self, name: str) -> None:
        if name not in self._places:
            raise LookupError(f"no channel {name!r}; there are: {', '.join(self._places)}")
        self._here = name
        self._channels()

    def _channels(self) -> None:
        for name, channel in self._places.items():
            self._write(f"{'*' if name == self._here else ' '} {name}: {channel.id}")

    def _help(self) -> None:
        self._write(HELP)

    def _faults(self) -> None:
        waits = "retry-after-N global-N shared-N hold-N delay-N"
        extra = f"500 502 503 504 delivered-500 {waits} drop delivered-drop banned"
        self._write(f"{' '.join(map(str, REFUSALS))} {extra}")

    def _fault(self, rest: str) -> None:
        kind, *more = shlex.split(rest) or [""]
        times = int(more[0]) if more else 1
        try:
            self._dc.faults.add(named(kind), SEND, times=times or None)
        except KeyError as exc:
            raise LookupError(f"no fault {kind!r}; !faults lists them") from exc

    def _change(self, act: str, channel: Channel) -> None:
        if act not in STANDING:
            raise LookupError(f"unknown: !{act}; !help lists what there is")
        STANDING[act](self._dc, channel)
        self._write(f"  (done: {act})")

    def _shown(self, what: str, message: Message) -> str:
        channel = self._dc.world.channels.get(message.channel_id)
        name = channel.name if channel else "?"
        verb = "" if what == "sent" else f" ({what})"
        secret = " (only you see this)" if message.flags & EPHEMERAL else ""
        pings = f" (pings: {message.pings})" if message.pings else ""
        lines = [
            f"--- {name} #{message.id}{verb}{secret}{pings}",
            message.content,
        ]
        lines += [shown_embed(embed) for embed in message.embeds]
        lines += [shown_component(item) for item in message.components]
        if message.labels:
            lines.append("  " + " ".join(f"[{label}]" for label in message.labels))
        return "\n".join(line for line in lines if line)


def shown_embed(embed: Json) -> str:
    image, author, footer = (embed.get(name) for name in ("image", "author", "footer"))
    parts = (
        author.get("name") if isinstance(author, dict) else None,
        *(embed.get(name) for name in ("title", "url", "description")),
        f"🖼 {image.get('url')}" if isinstance(image, dict) else None,
        footer.get("text") if isinstance(footer, dict) else None,
        embed.get("timestamp"),
    )
    return "\n".join(f"| {line}" for part in parts if part for line in str(part).splitlines())


def shown_component(item: Json) -> str:
    """A component V2 as lines. Buttons are shown elsewhere."""
    kind, beside = item.get("type"), item.get("accessory")
    inner = item.get("components")
    lines: list[str] = []
    if kind == TEXT_DISPLAY:
        lines = str(item.get("content")).splitlines()
    elif kind == SEPARATOR:
        lines = ["────"]
    elif kind in (CONTAINER, SECTION) and isinstance(inner, list):
        lines = [line for child in inner for line in shown_component(child).splitlines()]
    for picture in pictures([item, *([beside] if isinstance(beside, dict) else [])]):
        media = picture.get("media")
        url = media.get("url") if isinstance(media, dict) else None
        lines.append(f"🖼 {picture.get('description') or ''} ({url})")
    return "\n".join(f"| {line}" for line in lines) if kind == CONTAINER else "\n".join(lines)
