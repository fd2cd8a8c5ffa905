"""discord.py's objects for the components V2 of a payload: the library takes no JSON."""

from collections.abc import Sequence
from typing import Any

import discord
from discord import ui

from bot.platforms.discord.layout import GALLERY, SECTION, TEXT, Json


def layout_view(made: Sequence[Json]) -> ui.LayoutView:
    """The components as a view. Each of them is a container."""
    view = ui.LayoutView(timeout=None)
    for box in made:
        inner = map(_item, box["components"])
        view.add_item(ui.Container(*inner, accent_colour=box.get("accent_color")))
    view.stop()  # so that discord.py does not keep the view in memory
    return view


def _item(made: Json) -> ui.Item[Any]:
    kind = made["type"]
    if kind == TEXT:
        return ui.TextDisplay(made["content"])
    if kind == GALLERY:
        return ui.MediaGallery(*(discord.MediaGalleryItem(**_picture(one)) for one in made["items"]))
    if kind == SECTION:
        texts = [text["content"] for text in made["components"]]
        return ui.Section(*texts, accessory=ui.Thumbnail(**_picture(made["accessory"])))
    return ui.Separator()


def _picture(made: Json) -> Json:
    return {"media": made["media"]["url"], "description": made.get("description")}
