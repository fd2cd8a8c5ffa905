"""Tables of the command line: what is copied from them is whole, and a pipe gets lines to cut."""

from io import StringIO

import pytest
from rich.console import Console

from bot.cli.tables import draw_table, print_table

COLUMNS = ("chat", "title", "url", "reason")
PLACE = "telegram:-1001234567890/1234567"
URL = "https://example.org/a/long/way/to/a/feed/of/many/posts/that/is/called/feed.xml?page=1"
TITLE = "一个很长很长的标题，在八十列的终端里放不下"
ROW = (PLACE, TITLE, URL, "the bot was removed from the group and may no longer write there")


@pytest.mark.parametrize("width", [40, 80, 300])
def test_what_is_copied_is_never_cut(width: int) -> None:
    console = Console(file=StringIO(), width=width, force_terminal=True)
    draw_table(console, COLUMNS, [ROW])
    drawn = console.file.getvalue()  # type: ignore[attr-defined]
    assert PLACE in drawn and URL in drawn
    assert "…" not in drawn and all(word in drawn for word in ROW[3].split())
    assert sorted(ch for ch in drawn if ch in TITLE) == sorted(ch for ch in TITLE)


def test_a_pipe_gets_a_header_and_a_line_of_tabs_for_each_row(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(COLUMNS, [ROW, ("discord:7", "two\tlines\nof \x1b[31mred", "", 3)], "None.")
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "\t".join(COLUMNS),
        "\t".join(ROW),
        "discord:7\ttwo lines of \ufffd[31mred\t\t3",
    ]
    assert not err


def test_an_empty_table_is_a_header_and_a_sentence_that_is_in_no_pipe(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_table(COLUMNS, [], "No chats yet.")
    assert capsys.readouterr() == ("\t".join(COLUMNS) + "\n", "No chats yet.\n")
