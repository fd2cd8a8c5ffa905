"""Questions of buttons on Discord: asked and answered with a form."""

from pathlib import Path

from tests.bot.asking import router_with_panel
from tests.bot.discord.live import live, text_of
from tests.emulators.discord import Channel, DiscordEmulator, Interaction, User
from tests.emulators.discord.types import walk


def fields(opened: Interaction) -> list[str]:
    assert opened.modal is not None
    return [str(item["custom_id"]) for item in walk(opened.modal["components"], (4,))]


async def test_a_question_is_a_form(dc: DiscordEmulator, news: Channel, bob: User, folder: Path) -> None:
    async with live(dc, folder, run=False) as sky:
        sky.app.router = router_with_panel(sky.app.services)
        sky.start()
        await sky.connected()
        panel = await sky.answer(news, "help")
        assert panel.labels == ("Rename", "Plain", "Describe", "Site")
        for label, prompt in (("Rename", "What is its new name?"), ("Describe", "What is it about? What")):
            opened = dc.press(panel, label)
            await sky.acknowledged(opened)
            assert opened.modal is not None
            assert opened.modal["title"] == label and prompt in str(opened.modal["components"])
        await sky.stop()
        sky.start()
        await sky.connected()
        made = dc.submit(opened, **{fields(opened)[0]: "antennas"})
        await sky.acknowledged(made)
        shown = dc.messages(news)[-1]
        assert text_of(shown) == "z:3 got “antennas”" and shown.id == panel.id
        refused = await sky.answer_to(dc.press(panel, "Rename", by=bob))
        assert "Only admins" in text_of(refused)
        assert sky.client._connection._view_store._modals == {}
