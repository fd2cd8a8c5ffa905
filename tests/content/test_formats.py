"""What people choose about posts: how it is written, merged and stored."""

import pytest

from content.formats import (
    CHOICES,
    DEFAULT,
    NOTHING,
    RESET,
    SOURCE,
    Answers,
    Changes,
    Detail,
    Format,
    NotUnderstood,
    Rich,
    from_json,
    parse,
    parse_named,
)
from content.i18n import LANGUAGES, Translator

EN, ZH = Translator("en"), Translator("zh")


@pytest.mark.parametrize(
    ("words", "chosen"),
    [
        ("", Format()),
        ("full", Format(detail=Detail.FULL)),
        ("Full no pictures", Format(detail=Detail.FULL, pictures=False)),
        ("no source name author silent", Format(source=False, author=True, silent=True)),
        ("rich on public answers", Format(rich=Rich.ON, answers=Answers.PUBLIC)),
        ("title full", Format(detail=Detail.FULL)),
        ("threads no edits", Format(threads=True, edits=False)),
    ],
)
def test_choices_are_written_as_phrases(words: str, chosen: Format) -> None:
    assert parse(words.split(), EN) == Changes(chosen)


@pytest.mark.parametrize("tr", [Translator(language) for language in LANGUAGES])
def test_each_phrase_chooses_its_value_in_each_language(tr: Translator) -> None:
    phrases = [(name, value, p) for name, one in CHOICES.items() for value, p in one.phrases.items()]
    assert len({tr.t(phrase) for _, _, phrase in phrases}) == len(phrases), "no two read alike"
    for name, value, phrase in phrases:
        for typed in (phrase, tr.t(phrase), tr.t(phrase).upper()):
            assert parse(typed.split(), tr).chosen.chosen == {name: value}
    assert parse(tr.t(RESET).split(), tr) == parse([RESET], tr) == Changes(reset=True)
    named = f"{tr.t(SOURCE)} Field notes {tr.t('title')}"
    assert parse_named(named, tr) == ("Field notes", Changes(Format(detail=Detail.TITLE)))


@pytest.mark.parametrize(
    ("words", "wrong", "nearest"),
    [
        ("fulll", "fulll", "full"),
        ("full no picture", "no picture", "no pictures"),
        ("silent pictuers", "pictuers", "pictures"),
        ("richh on", "richh on", "rich on"),
    ],
)
def test_what_is_not_understood_gets_the_nearest_phrase(words: str, wrong: str, nearest: str) -> None:
    with pytest.raises(NotUnderstood) as caught:
        parse(words.split(), EN)
    assert (caught.value.word, caught.value.nearest) == (wrong, nearest)


@pytest.mark.parametrize(
    ("typed", "name", "chosen"),
    [
        ("full, no pictures", "", Format(detail=Detail.FULL, pictures=False)),
        ("source Field notes title", "Field notes", Format(detail=Detail.TITLE)),
        (
            "source Name of the Rose title, silent",
            "Name of the Rose",
            Format(detail=Detail.TITLE, silent=True),
        ),
        ("source name author", "", Format(source=True, author=True)),
        ("source The full story full", "The full story", Format(detail=Detail.FULL)),
        ("来源 田野笔记 标题，静音", "田野笔记", Format(detail=Detail.TITLE, silent=True)),
    ],
)
def test_a_source_may_be_named(typed: str, name: str, chosen: Format) -> None:
    assert parse_named(typed, ZH) == (name, Changes(chosen))


def test_a_long_text_is_refused_at_once() -> None:
    with pytest.raises(NotUnderstood) as caught:
        parse_named("source " + "full " * 5000 + "x", EN)
    assert caught.value.word == "x"


def test_a_subscription_comes_before_its_chat_and_that_before_the_default() -> None:
    chat, subscription = Format(detail=Detail.FULL, pictures=False), Format(pictures=True)
    shown = subscription.over(chat).over(DEFAULT)
    assert (shown.detail, shown.pictures, shown.source, shown.author) == (Detail.FULL, True, True, False)
    assert NOTHING.over(chat) == chat


def test_changes_are_made_on_top_of_what_was_chosen_or_anew() -> None:
    before = Format(detail=Detail.FULL, silent=True)
    assert parse(["title"], EN).applied(before) == Format(detail=Detail.TITLE, silent=True)
    assert parse(["default", "author"], EN).applied(before) == Format(author=True)
    assert parse([], EN).applied(before) == before


def test_what_later_versions_store_is_ignored() -> None:
    stored = {"detail": "full", "pictures": False, "colour": "red", "rich": "sometimes"}
    assert from_json(stored) == Format(detail=Detail.FULL, pictures=False)
    assert from_json(None) == from_json({}) == NOTHING


def test_formats_that_show_the_same_look_the_same() -> None:
    assert Format(silent=True, answers=Answers.PUBLIC).over(DEFAULT).look == DEFAULT.look
    assert Format(author=True).over(DEFAULT).look != DEFAULT.look
