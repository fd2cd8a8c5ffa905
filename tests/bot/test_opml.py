"""Lists of feeds: whatever a file holds, it gives addresses or one error; what is written is read again."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from content.errors import UsageError
from content.opml import parse_opml, to_opml
from content.types import Source

LIST = b"""<?xml version="1.0" encoding="utf-8"?>
<opml version="2.0"><head><title>My feeds</title></head><body>
<outline text="Radio"><outline type="rss" text="\xe5\xa4\xa9\xe6\xb3\xa2" xmlUrl="https://example.org/feed.xml"/>
<outline type="rss" text="B&amp;W" xmlUrl="http://example.com/?a=1&amp;b=2" htmlUrl="http://example.com/"/></outline>
</body></opml>
"""
PIECES = (
    b"<!DOCTYPE x>",
    b"&x;",
    b"<outline>",
    b"\x00",
    b"\xff\xfe",
    b"]]>",
    b'"',
    b"<![CDATA[",
    b"<?xml ?>",
    b"&#0;",
)


def urls_of(content: bytes) -> list[str]:
    """The addresses, none if it is refused; anything else than that is an error of ours."""
    try:
        return list(parse_opml(content))
    except UsageError as exc:
        assert "\n" not in str(exc)
        return []


def test_a_list_is_read() -> None:
    assert urls_of(LIST) == ["https://example.org/feed.xml", "http://example.com/?a=1&b=2"]


FOLDERS = b"""<opml version="2.0"><body>
<outline text="Radio"><outline title="Short wave"><outline xmlUrl="https://example.org/a"/></outline>
<outline xmlUrl="https://example.org/b"/></outline>
<outline text="Friends"><outline text="A" xmlUrl="https://example.org/a"/></outline>
<outline xmlUrl="https://example.org/c"/>
</body></opml>"""
TAGS = {
    "https://example.org/a": ("Radio/Short wave", "Friends"),
    "https://example.org/b": ("Radio",),
    "https://example.org/c": (),
}


def test_folders_are_tags_and_become_folders_again() -> None:
    assert parse_opml(FOLDERS) == TAGS
    feeds = [Source(n, "feed", url, "A", tags=tags) for n, (url, tags) in enumerate(TAGS.items())]
    written = to_opml(feeds)
    assert parse_opml(written) == TAGS
    assert written.count(b'text="Radio"') == 1


def test_two_thousand_mutations_give_addresses_or_an_error() -> None:
    chance = Random(7)
    for _ in range(2_000):
        content = bytearray(LIST)
        for _ in range(chance.randint(1, 5)):
            start = chance.randrange(len(content))
            end = start + chance.choice((0, 1, 1, 20))
            content[start:end] = chance.choice((chance.choice(PIECES), bytes([chance.randrange(256)])))
        assert all(isinstance(url, str) for url in urls_of(bytes(content)))


@given(st.binary())
def test_any_bytes_give_addresses_or_an_error(content: bytes) -> None:
    assert all(isinstance(url, str) for url in urls_of(content))


@given(st.lists(st.text(st.characters(codec=None))))
def test_what_is_written_can_be_read(titles: list[str]) -> None:
    feeds = [
        Source(n, "feed", f"https://example.org/{n}?a=1&b=2", title)
        for n, title in enumerate(titles, start=1)
    ]
    assert urls_of(to_opml(feeds)) == [feed.url for feed in feeds]
