"""One story for all platforms: every command and button with which people decide what comes, and when."""

from collections.abc import Mapping
from typing import Any, Protocol

from content.types import Visibility
from tests.bot.live import Deployment
from tests.bot.test_exchange import opml
from tests.bot.transcripts import Transcript
from tests.e2e.program import item, json_feed

NOTES = "/notes"


class Person(Protocol):
    """Somebody in a chat who does what a person can do there; all they see is noted in the transcript."""

    transcript: Transcript

    @property
    def sky(self) -> Deployment[Any]: ...

    async def say(self, line: str) -> None:
        """Give a command."""
        ...

    async def press(self, label: str) -> None:
        """Press a button of the newest message that has it."""
        ...

    async def type(self, text: str) -> None:
        """Answer what the button pressed last asks."""
        ...

    async def send(self, name: str, content: bytes) -> None:
        """Give /import with a file."""
        ...

    async def ask_why(self) -> None:
        """Ask why the newest post was sent, at its message."""
        ...

    async def sees(self) -> None:
        """Note what arrives by itself, until nothing is due any more."""
        ...


async def publish(ann: Person, *titles: str) -> None:
    """Let posts appear in Radio notes."""
    ann.transcript.did(f"Radio notes has new posts: {', '.join(titles)}")
    await ann.sky.publish(*(named(title) for title in titles))


def named(title: str) -> Mapping[str, Any]:
    return item(title.lower().replace(" ", "-"), title=title)


async def decide_what_comes(ann: Person) -> None:
    """Two sources by a file, a filter, and questions about what passes it."""
    sky = ann.sky
    sky.feeds.documents[NOTES] = json_feed(item("field"), title="Field notes")
    await sky.app.ingest.add(f"{sky.feeds.url}{NOTES}", Visibility.PUBLIC)
    await ann.say("/subscribe Radio notes")
    await ann.send("feeds.opml", opml(f"{sky.feeds.url}{NOTES}"))
    await publish(ann, "A long wire", "Antenna for sale", "A magnetic loop")
    await ann.sees()
    await ann.say("/filter Radio notes: sale -sale")
    await ann.press("Cancel")
    await ann.say("/filter Radio notes: antenna -sale")
    await ann.press("Save")
    await ann.say("/filter")
    await publish(ann, "A new antenna", "An antenna for sale", "Club evening")
    await ann.sees()
    await ann.ask_why()
    await ann.say("/why Club evening")
    await ann.say("/filter Radio notes: off")


async def decide_when_it_comes(ann: Person) -> None:
    """Digests, quiet hours and pauses."""
    await ann.say("/digest weekdays 09:00 and 18:00")
    await publish(ann, "Spring contest", "Summer camp")
    await ann.say("/why Spring contest")
    for label in ("Preview", "Back", "Pause", "Resume", "Edit"):
        await ann.press(label)
    await ann.type("daily 23:30 max 1 rest next time")
    await ann.say("/digest add frydays 18:00 as evening for Field notes")
    await ann.say("/digest add fridays 18:00 as evening for Field notes")
    await ann.press("All digests")
    await ann.press("1")
    await ann.press("Send now")
    await ann.sees()
    await ann.say("/digest evening")
    await ann.say("/digest list")
    await ann.press("evening")
    for label in ("Delete", "Keep", "Delete", "Remove"):
        await ann.press(label)
    await ann.say("/quiet")
    await ann.press("22:00-08:00")
    await ann.say("/digest")
    await ann.say("/quiet")
    await ann.press("Other hours")
    await ann.type("late")
    await ann.type("11:00-13:00")
    await ann.say("/digest off")
    await ann.sees()
    await publish(ann, "A quiet one")
    await ann.say("/why A quiet one")
    await ann.say("/status")
    await ann.say("/quiet")
    await ann.press("Off")
    await ann.sees()
    await ann.say("/pause Radio notes until tomorrow 9:00")
    await publish(ann, "A missed one")
    await ann.say("/why A missed one")
    await ann.say("/resume Radio notes")


async def decide_the_rest(ann: Person) -> None:
    """Undo, languages, files, and what is stored of the chat."""
    await ann.say("/unsubscribe Field notes")
    await ann.press("Undo")
    await ann.say("/language")
    await ann.press("简体中文")
    for line in ("/status", "/digest", "/quiet", "/filter", "/pause", "/resume", "/language English"):
        await ann.say(line)
    await ann.say("/export")
    await ann.say("/audit")
    for label in ("Older", "Newer"):
        await ann.press(label)
    await ann.say("/forget export")
    await ann.say("/forget")


async def operate(olga: Person, name: str, address: str) -> None:
    """The operator's panel and commands, about a chat of this name and address."""
    await olga.say("/operator")
    for label in ("Chats", f"{name} · default", "Ban", "Default", "Erase…", "Keep it"):
        await olga.press(label)
    for command in ("allow", "ban", "unban"):
        await olga.say(f"/{command} {address}")
    await olga.say("/forget " + address)
    await olga.press("Erase everything")
