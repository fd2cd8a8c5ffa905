"""What is said of a digest can be typed again, in each language."""

import pytest

from bot.commands.digest_words import described, parse
from content.i18n import LANGUAGES, Translator
from scheduler.timetable.schedules import parse as schedule_of
from scheduler.types import Digest, Rest, WhenEmpty
from tests.builders import NOW

SCHEDULES = (
    "daily 09:00",
    "weekdays 09:00 and 18:00",
    "weekends 10:00",
    "mon,thu 08:00",
    "monthly 1 09:00",
    "every 6h",
)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_what_is_shown_of_a_digest_is_understood(schedule: str, language: str) -> None:
    digest = Digest(
        1, 1, schedule, "Europe/Madrid", NOW, max_posts=5, when_empty=WhenEmpty.SAY, rest=Rest.NEXT
    )
    typed = parse(described(digest, ["Field notes", "The log"], Translator(language)))
    assert typed.sources == ["Field notes", "The log"]
    assert (typed.wanted.max_posts, typed.wanted.when_empty, typed.wanted.rest) == (
        5,
        WhenEmpty.SAY,
        Rest.NEXT,
    )
    assert schedule_of(typed.wanted.schedule or "") == schedule_of(f"{schedule} Europe/Madrid")
