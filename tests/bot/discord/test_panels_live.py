"""Panels on Discord: an ephemeral message whose buttons edit it, and a form."""

from tests.bot.discord.live import Live, text_of
from tests.emulators.discord import Channel, DiscordEmulator, Message, User
from tests.emulators.discord.types import EPHEMERAL, walk


async def pressed(sky: Live, panel: Message, label: str, by: User | None = None) -> Message:
    """The panel after a press."""
    await sky.acknowledged(sky.dc.press(panel, label, by=by))
    channel = sky.dc.channel(panel.channel_id)
    return {**channel.messages, **channel.hidden}[panel.id]


async def test_one_hidden_message_is_the_panel(dc: DiscordEmulator, sky: Live, news: Channel) -> None:
    await sky.answer(news, "subscribe", source="Radio notes")
    panel = await sky.answer(news, "subscriptions")
    assert panel.flags & EPHEMERAL and panel.labels == ("Radio notes", "Settings of this chat")
    for label in ("Radio notes", "Pictures", "no pictures"):
        panel = await pressed(sky, panel, label)
    assert text_of(panel).startswith("✓ Pictures: no pictures")
    panel = await pressed(sky, panel, "Unsubscribe")
    await sky.restart()
    panel = await pressed(sky, panel, "Undo")
    assert "1 subscription is back." in text_of(panel)

    panel = await pressed(sky, panel, "Settings of this chat")
    assert [len(row["components"]) for row in panel.components] == [5, 5, 5]  # type: ignore[arg-type]
    panel = await pressed(sky, panel, "Time zone")
    opened = dc.press(panel, "Type it")
    await sky.acknowledged(opened)
    assert opened.modal is not None
    (field,) = [str(item["custom_id"]) for item in walk(opened.modal["components"], (4,))]
    wrong = await sky.answer_to(dc.submit(opened, **{field: "Atlantis"}))
    assert text_of(wrong) == "⚠ I don't understand “Atlantis”. Did you mean: Canada/Atlantic"
    assert wrong.flags & EPHEMERAL
    await sky.acknowledged(dc.submit(opened, **{field: "UTC+8"}))
    assert "✓ Time zone: UTC+8" in text_of(news.hidden[panel.id])
    assert (await sky.known(news)).timezone == "Etc/GMT-8"
