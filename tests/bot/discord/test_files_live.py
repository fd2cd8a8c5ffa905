"""Lists of feeds as attachments, with the real client library."""

from tests.bot.discord.live import Live, text_of
from tests.bot.live import PATIENCE
from tests.bot.test_exchange import opml
from tests.emulators.discord import Channel, DiscordEmulator


async def test_a_list_of_feeds_comes_and_goes_as_a_file(
    dc: DiscordEmulator, sky: Live, news: Channel
) -> None:
    feed, inside = f"{sky.feeds.url}/feed", f"{sky.feeds.url}/other"
    told = text_of(await sky.answer(news, "import", file=dc.attach("feeds.opml", opml(feed, inside))))
    assert "Subscribed to 1 feed." in told and "cannot be reached: check the address." in told
    refused = await sky.answer(news, "import", file=dc.attach("large.opml", b"", size=2**21))
    assert "The file is larger than 1 MiB." in text_of(refused)

    made = dc.slash(news, "export")
    exported = await dc.wait_for(lambda: dc.answer_to(made), PATIENCE)
    assert exported.only_for == made.user.id and text_of(exported) == "The feed of this chat."
    (file,) = exported.files
    assert file["filename"] == "skywave.opml" and isinstance(file["size"], int) and file["size"] > 100

    lost = dc.attach("feeds.opml", opml(feed))
    del dc.world.attachments[lost.id]
    assert "The file could not be loaded." in text_of(await sky.answer(news, "import", file=lost))
