"""The tables of the pages say what the code says."""

from pathlib import Path

import pytest

from bot.loading import ALL_SETTINGS
from docs.reference import PAGES, TABLE, TABLES, settings, written


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_is_up_to_date(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert written(text) == text, "run make reference"


def test_every_table_is_in_a_page() -> None:
    shown = {name for page in PAGES for _, name, _ in TABLE.findall(page.read_text(encoding="utf-8"))}
    assert shown == set(TABLES)


def test_every_setting_says_what_it_means() -> None:
    lines = settings().splitlines()[2:]
    assert len(lines) == len(ALL_SETTINGS.model_fields)
    assert [line for line in lines if line.endswith("|  |")] == []
    assert "| `SKYWAVE_PAGE_SIZE` | `11` | Posts on a page, 1 to 50. |" in settings()
