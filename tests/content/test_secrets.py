"""What of an address is shown."""

import base64
import string
import uuid
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.secrets import home, is_public, printable, without_secrets
from content.types import Source


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://example.org/feed.xml", "https://example.org/feed.xml"),
        ("https://me:hunter2@example.org:8/feed", "https://example.org:8/feed"),
        ("https://me:hun@ter2@example.org/feed", "https://example.org/feed"),
        ("https://example.org/feed?key=hunter2#x", "https://example.org/feed?…"),
        ("https://example.org/feeds/private/3f9a8b7c6d5e4f30/rss", "https://example.org/feeds/private/…/rss"),
        ("https://example.org/token/hunter2/rss", "https://example.org/token/…/rss"),
        ("https://example.org/api-key/hunter2.xml", "https://example.org/api-key/…"),
        ("https://example.org/feed;token=hunter2/rss", "https://example.org/…/rss"),
        ("https://example.org/feed%3bsecret%3dhunter2", "https://example.org/…"),
        ("postgresql://me:hunter2@host/skywave", "postgresql://host/skywave"),
        ("http://[hunter2", "the URL"),
        ("/srv/posts", "/srv/posts"),
        ("updates:telegram:-100123", "updates:telegram:-100123"),
    ],
)
def test_what_may_be_secret_is_not_shown(url: str, shown: str) -> None:
    assert printable(url) == shown
    assert "hunter2" not in printable(url)


@pytest.mark.parametrize(
    "path",
    [
        "2024/01/15/how-to-build-a-radio-in-10-steps/feed.xml",
        "torvalds/linux/releases.atom",
        "feed/@some-user-name-1999",
        "telegram/channel/awesomeDevTools",
        "internationalization-and-localization-handbook",
        "%E5%80%BC%E5%AE%88%E5%80%BC%E5%AE%88%E4%B8%80%E5%91%A8/feed",
        "posts/1234567890123456789",
        "release-notes-v2-4-and-v3-0-beta1.xml",
        "keyboards/feed",
    ],
)
def test_ordinary_paths_are_shown(path: str) -> None:
    assert is_public(f"https://example.org/{path}")


def hexadecimal(number: int) -> str:
    return f"{number:032x}"


def base64url(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes(16, "big")).decode().rstrip("=")


def identifier(number: int) -> str:
    return str(uuid.UUID(int=number))


@pytest.mark.parametrize("form", [hexadecimal, base64url, identifier])
def test_random_keys_are_not_shown(form: Callable[[int], str]) -> None:
    numbers = Random(1)
    for key in (form(numbers.getrandbits(128)) for _ in range(500)):
        assert key not in printable(f"https://example.org/feeds/{key}/rss")
        assert key not in printable(f"https://example.org/feeds/{key}.xml")


@given(st.text(string.ascii_letters + string.digits + "!$&'()*+,;=._~-@:%", min_size=1))
def test_a_user_is_never_shown(user: str) -> None:
    assert printable(f"https://{user}@example.org/feed") in ("https://example.org/feed", "the URL")


@given(st.text() | st.text().map("https://{}".format) | st.text().map("https://example.org/{}".format))
def test_any_text_can_be_shown(text: str) -> None:
    assert printable(printable(text)) == printable(text)
    assert without_secrets(without_secrets(text)) == without_secrets(text)


@pytest.mark.parametrize("text", ["a" * 400_000 + "://", "a://" * 100_000, "a." * 200_000 + " ://"])
def test_a_long_text_takes_no_long_time(text: str) -> None:
    """Time that grows with the square of the length would end at the limit of every test."""
    assert without_secrets(text)


def test_addresses_in_a_text_are_made_printable() -> None:
    told = "GET https://me:hunter2@example.org/feed failed, postgresql://me:hunter2@host/x too"
    assert without_secrets(told) == "GET https://example.org/feed failed, postgresql://host/x too"


def test_a_source_without_a_title_is_called_by_what_may_be_shown() -> None:
    assert Source(1, "feed", "https://me:hunter2@example.org/feed?k=1").name == "https://example.org/feed?…"


def test_the_home_of_an_address_has_no_secret() -> None:
    assert home("https://me:hunter2@example.org/token/hunter2?k=hunter2") == "https://example.org/"
