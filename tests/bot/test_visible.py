"""Nothing of an outside text is obeyed by a terminal."""

import json
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from bot.visible import MARK, visible, visible_json, visible_line

ANY_TEXT = st.text(st.characters(codec=None))  # surrogates too


def obeyed(text: str) -> set[str]:
    """What a terminal would do something with, or could not show at all."""
    bad = {ch for ch in text if unicodedata.category(ch) in ("Cc", "Cs", "Zl", "Zp")} - {"\n", "\t"}
    return bad | {ch for ch in text if unicodedata.bidirectional(ch) in ("LRE", "RLE", "PDF", "LRO", "RLO")}


def test_each_is_marked_where_it_stood() -> None:
    assert (
        visible("a\x1b]0;x\x07b\x9b2Jc\rd\u202ee\tf\ng") == f"a{MARK}]0;x{MARK}b{MARK}2Jc{MARK}d{MARK}e\tf\ng"
    )


@given(ANY_TEXT)
def test_no_text_is_obeyed_and_each_keeps_its_length(text: str) -> None:
    assert not obeyed(visible(text)) and len(visible(text)) == len(text)
    visible(text).encode()
    assert "\n" not in visible_line(text)


@given(st.dictionaries(ANY_TEXT, ANY_TEXT))
def test_json_means_the_same(document: dict[str, str]) -> None:
    shown = visible_json(json.dumps(document, ensure_ascii=False))
    assert not obeyed(shown) and json.loads(shown) == document
