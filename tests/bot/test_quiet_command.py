"""/quiet, /pause and /resume: what they say, and what a wrong one gets."""

import pytest

from bot.commands import UNTIL
from content.i18n import LANGUAGES, Translator
from tests.bot.conftest import Desk, shown


async def test_quiet_hours_are_set_shown_and_switched_off(desk: Desk) -> None:
    await desk.say("/digest daily 07:00 and 18:00 Asia/Shanghai")
    nothing = await desk.say("/quiet")
    assert nothing is not None and shown(nothing) == (
        "There are no quiet hours here. In quiet hours, posts wait and come together at the end."
    )
    assert [button.label for button in nothing.buttons] == ["22:00-08:00", "23:00-07:00", "Other hours"]
    for done in (await desk.press(nothing.buttons[0].data), await desk.say("/quiet")):
        assert done is not None and shown(done) == (
            "Quiet hours: 22:00-08:00 (Asia/Shanghai). Posts that come then are sent together at the end."
            " The digest of this chat waits for their end when it falls into them."
        )
    assert "08:00" in shown(await desk.say("/digest list")), "moved"
    assert "During the quiet hours it waits until they end." in shown(await desk.say("/digest daily 07:30"))
    other = nothing.buttons[2]
    assert "Quiet hours: 21:30-06:00" in shown(await desk.press(other.sent, typed="21点30到6点"))
    assert "Did you mean: /quiet 22:00-23:00" in shown(await desk.press(other.sent, typed="22-25"))
    assert "Did you mean: /quiet 22:00-08:00" in shown(await desk.say("/quiet at night"))
    assert shown(await desk.press("q:off")).startswith("There are no quiet hours here.")


async def test_what_waits_is_sent_when_they_are_switched_off(desk: Desk) -> None:
    await desk.source("old")
    await desk.say("/subscribe")
    await desk.say("/quiet 11:00-13:00 UTC")
    await desk.publish("old", "new")
    assert "Sending the queued posts now." in shown(await desk.say("/quiet off"))
    assert (await desk.chat()).quiet == ""


async def test_pauses_are_said_and_end(desk: Desk) -> None:
    await desk.source("old", title="Field notes")
    assert "No subscriptions yet." in shown(await desk.say("/pause"))
    await desk.say("/subscribe")
    told = "Posts that appear during the pause are not sent later."
    paused = "Paused until Tuesday, March 3, 2026 09:00 (UTC): all sources."
    assert shown(await desk.say("/pause until 2026-03-03 9:00")) == f"{paused} {told}"
    assert "Paused until Monday, March 2, 2026 00:00" in shown(await desk.say("/pause all until tomorrow"))
    assert shown(await desk.say("/pause")).startswith("Paused: all sources. To go on, send /resume.")
    assert shown(await desk.say("/resume")) == "New posts are sent again: all sources."
    assert shown(await desk.say("/resume")) == "Nothing is paused: all sources."
    assert "There is no subscription to “Field notes” here" in shown(await desk.say("/pause Field notes"))
    await desk.say("/subscribe Field notes")
    said = shown(await desk.say("/pause Field notes 直到 明天", locale="zh-hans"))
    assert said.startswith("已暂停至 2026年3月2日星期一 00:00（UTC）：Field notes。")


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_pause_is_typed_as_its_description_says(desk: Desk, language: str) -> None:
    await desk.source("old", title="Field notes")
    await desk.say("/subscribe Field notes")
    example = Translator(language).t(UNTIL.summary).partition("Field notes")[2]
    said = await desk.say(f"/pause Field notes{example}", locale=language)
    assert "09:00" in shown(said) and "Field notes" in shown(said)
    off = Translator(language).t("off")
    assert shown(await desk.say(f"/quiet {off}", locale=language)) == Translator(language).t(
        "There are no quiet hours here."
    )


@pytest.mark.parametrize(
    ("until", "nearest"),
    [("25:00", "23:00"), ("2020-01-01", "2026-03-02 00:00"), ("tomorrow 9:00 or so", "2026-03-02 09:00")],
)
async def test_a_moment_that_makes_no_sense(desk: Desk, until: str, nearest: str) -> None:
    await desk.say("/subscribe")
    assert f"Did you mean: /pause until {nearest}" in shown(await desk.say(f"/pause until {until}"))
    assert f"/pause all until {nearest}" in shown(await desk.say(f"/pause all until {until}"))
