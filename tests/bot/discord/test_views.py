"""Rows of buttons and forms within the limits of Discord."""

import pytest

from bot.commands.types import Button, Question
from bot.platforms.discord.sender import ROW, ROWS, fitting, form, view


def rows(*lengths: int) -> tuple[tuple[Button, ...], ...]:
    return tuple(
        tuple(Button(f"{row}.{n}", f"z:{row}:{n}") for n in range(length))
        for row, length in enumerate(lengths)
    )


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [
        ((2, 0, 3), [2, 3]),
        ((7,), [5, 2]),
        ((2, 2, 2, 2, 2), [2, 2, 2, 2, 2]),
        ((2, 2, 2, 2, 2, 2), [5, 5, 2]),
        ((9, 9, 9), [5, 5, 5, 5, 5]),
    ],
)
def test_rows_are_packed_only_if_they_are_too_many(lengths: tuple[int, ...], expected: list[int]) -> None:
    given = rows(*lengths)
    packed = fitting(given)
    assert [len(row) for row in packed] == expected
    every = [button for row in given for button in row]
    assert [button for row in packed for button in row] == every[: ROW * ROWS]


async def test_a_view_is_not_kept_and_a_link_has_no_data() -> None:
    assert view(((),)) is None
    made = view(((Button("Site", url="https://example.org/"), Button("x" * 99, "z:1", Question("Which?"))),))
    assert made is not None and made.is_finished()
    link, asking = made.to_components()[0]["components"]
    assert link["url"] == "https://example.org/" and "custom_id" not in link
    assert asking["custom_id"] == "z:1?#1" and len(asking["label"]) == 80


async def test_a_form_has_the_whole_prompt() -> None:
    for prompt, texts in (("Which?", ["Which?"]), ("Which? " * 20, ["Which? " * 20, "Title"])):
        made = form(Question(prompt, "y" * 200), "Title", "z:1?")
        assert made.is_finished() and made.custom_id == "z:1?"
        shown = [one.get("content") or one.get("label") for one in made.to_components()]
        assert shown == texts
