"""The descriptions of platforms agree with their senders."""

from typing import Any

import pytest

from bot.loading import load_settings
from bot.platforms import PLATFORMS
from bot.platforms.types import Platform
from scheduler.ports import Publishes, Recalls
from scheduler.types import Place

TOKENS = {"telegram_token": "123456789:AAabcdefghijklmnopqrstuvwxyz_012345", "discord_token": "a.b.c"}


@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda platform: platform.name)
def test_an_example_names_a_chat_of_its_platform(platform: Platform[Any]) -> None:
    for example in platform.examples:
        word = example.split()[0]
        place = platform.parse(word.removeprefix(f"{platform.name}:"))
        assert place is not None and str(place) == word


def test_places_are_read_as_each_platform_writes_them() -> None:
    telegram, discord, terminal = (
        next(platform for platform in PLATFORMS if platform.name == name)
        for name in ("telegram", "discord", "terminal")
    )
    assert telegram.parse("-100123/7") == Place("telegram", "-100123", "7")
    assert telegram.parse("me") is None and telegram.parse("1/") is None and telegram.parse("") is None
    assert discord.parse("456") == Place("discord", "456")
    assert terminal.parse("me") == terminal.here == Place("terminal", "me")


def test_a_sender_is_and_does_what_its_platform_says() -> None:
    settings = load_settings(**TOKENS)
    made = {platform.name: platform.make(settings) for platform in PLATFORMS}
    assert {"telegram", "discord"} <= {name for name, sender in made.items() if sender is not None}
    for platform in PLATFORMS:
        sender = made[platform.name]
        if sender is not None:
            assert sender.name == platform.name and sender.limits == platform.limits(settings)
            assert isinstance(sender, Publishes) is platform.publishes
    assert {name for name, sender in made.items() if isinstance(sender, Recalls)} == {"discord"}
