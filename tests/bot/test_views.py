"""Buttons carry all that their page needs, and pages stay where they were."""

import random
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands.types import Button, Reply
from bot.commands.views import NUMBERED, View, ViewKind, page_buttons
from bot.numbers import LARGEST
from scheduler.actions.reading import page_count
from tests.bot.conftest import PAGE_SIZE, Desk, shown

NUMBERS = st.integers(0, LARGEST)
VIEWS = st.builds(View, st.sampled_from(ViewKind), NUMBERS, NUMBERS, NUMBERS)
POSTS = [f"post-{n}" for n in range(7)]


def button(reply: Reply | None, label: str) -> str:
    assert reply is not None
    (data,) = [b.data for b in reply.buttons if b.label == label]
    return data


def posts_of(reply: Reply | None) -> list[str]:
    """The posts on a page, in order."""
    return [line for line in shown(reply).splitlines() if line.startswith("post-")]


@given(VIEWS)
def test_a_button_brings_its_view_back(view: View) -> None:
    data = view.encode()
    assert len(data.encode()) <= 64
    assert View.decode(data) == view


@given(st.text() | st.from_regex(r"[ls]:[-+]?\d*:\d*:\d*(:\d*)?", fullmatch=True))
def test_garbage_is_no_view(data: str) -> None:
    view = View.decode(data)
    assert view is None or View.decode(view.encode()) == view


@pytest.mark.parametrize(
    "data",
    ["", ":", "l", "l:0:1", "l:0:1:5:6", "x:0:1:5", "l:0:-1:5", "l:0:1.5:5", "l: 0:1:5", "L:0:1:5", "l:²:1:1",
     "l:0:1:" + "9" * 16, "l:0:" + "9" * 5000 + ":1"],
)  # fmt: skip
def test_what_is_not_ours_is_no_view(data: str) -> None:
    assert View.decode(data) is None


@given(st.integers(1, 400), st.data())
def test_buttons_lead_to_the_pages_around(pages: int, data: st.DataObject) -> None:
    here = data.draw(st.integers(1, pages))
    row = page_buttons(View(ViewKind.LATEST, 0, here, 5), pages)
    assert len(row) <= NUMBERED + 2 <= 8
    if pages == 1:
        assert row == ()
        return
    targets = {b.label: View.decode(b.data) for b in row}
    assert all(view and 1 <= view.page <= pages and view.anchor == 5 for view in targets.values())
    numbers = {label.strip(" ·"): view.page for label, view in targets.items() if view}
    assert numbers[str(here)] == here and numbers["1"] == 1 and numbers[str(pages)] == pages
    assert ("«" in targets) == (here > 1) and ("»" in targets) == (here < pages)
    assert all(numbers[str(n)] == n for n in (here - 1, here + 1) if 1 <= n <= pages)


@given(st.integers(0, 10**6), st.integers(1, 50))
def test_there_is_room_for_every_post_and_always_a_page(total: int, size: int) -> None:
    pages = page_count(total, size)
    assert pages >= 1 and (pages - 1) * size <= max(total - 1, 0) and total <= pages * size


async def test_every_post_is_on_one_page(desk: Desk) -> None:
    await desk.source(*POSTS)
    reply = await desk.say("/latest")
    seen = posts_of(reply)
    while reply and any(b.label == "»" for b in reply.buttons):
        reply = await desk.press(button(reply, "»"))
        seen += posts_of(reply)
    assert sorted(seen) == POSTS


async def test_pages_do_not_shift_when_posts_arrive(desk: Desk) -> None:
    await desk.source(*POSTS)
    first = await desk.say("/latest")
    before = await desk.press(button(first, "2"))
    await desk.publish(*POSTS, *[f"post-new-{n}" for n in range(5)])
    after = await desk.press(button(first, "2"))
    assert posts_of(after) == posts_of(before)
    assert after and before and after.buttons == before.buttons
    fresh = await desk.say("/latest")
    assert posts_of(fresh) == ["post-new-4", "post-new-3", "post-new-2"]


async def test_a_page_beyond_the_last_is_the_last(desk: Desk) -> None:
    await desk.source(*POSTS)
    last = await desk.press("l:0:3:1000")
    assert posts_of(await desk.press("l:0:99:1000")) == posts_of(last) != []
    assert posts_of(await desk.press(f"l:0:{LARGEST}:1000")) == posts_of(last)


async def test_garbage_is_not_answered(desk: Desk) -> None:
    await desk.source(*POSTS)
    for data in (
        "", "x", "l", "l:0:0:5", "l:0:1:-5", "menu:1", "l:0:1:99999999999999999999",
        "s:99999999999999999999:1:0", "l:0:99999999999999999999:5", "\u0000", "l:0:1:5:6", "л:0:1:5",
    ):  # fmt: skip
        assert await desk.press(data) is None, data
    numbers = ("9" * 15, "9" * 16, "9" * 19, "9" * 20, "9" * 40, "-1", "٣", "²", "")
    for kind, number in product(("l:{}:1:9", "l:0:{}:9", "l:0:1:{}", "s:{}:1:0", "s:1:{}:0"), numbers):
        reply = await desk.press(kind.format(number))
        assert reply is None or "internal" not in shown(reply), (kind, number)


async def test_a_view_of_one_source_shows_no_other(desk: Desk) -> None:
    one = await desk.source(*POSTS)
    await desk.source("post-other", url="https://other.example.net/feed.json", title="Other")
    first = await desk.say("/latest Example")
    assert posts_of(first) == POSTS[::-1][:PAGE_SIZE]
    view = View.decode(button(first, "2"))
    assert view and view.subject == one.id
    rest = posts_of(await desk.press(button(first, "2"))) + posts_of(await desk.press(button(first, "3")))
    assert sorted(posts_of(first) + rest) == POSTS


# Searches


async def test_a_search_keeps_its_order_while_posts_arrive(desk: Desk) -> None:
    texts = [f"post-{n} " + "radio " * (n + 1) for n in range(8)]
    await desk.source(*texts)
    first = await desk.say("/search radio")
    pages = [posts_of(await desk.press(button(first, str(n)))) for n in (2, 3)]
    new = [f"post-new-{n} " + "radio " * 30 for n in range(4)]
    await desk.publish(*texts, *new)
    assert [posts_of(await desk.press(button(first, str(n)))) for n in (2, 3)] == pages
    found = posts_of(first) + pages[0] + pages[1]
    assert len(found) == len({line.split()[0] for line in found}) == 8


async def test_the_pages_of_a_search_say_what_was_searched(desk: Desk) -> None:
    await desk.source(*[f"post-{n} skywave" for n in range(8)])
    first = await desk.say("/search skywave")
    assert "8 posts for “skywave”" in shown(first)
    assert "8 posts for “skywave”" in shown(await desk.press(button(first, "3")))
    assert shown(await desk.press(button(first, "3").replace(":3:", ":77:"))) == shown(
        await desk.press(button(first, "3"))
    )


async def test_each_page_says_how_its_posts_were_found(desk: Desk) -> None:
    await desk.source(*[f"post-{n} sourdough" for n in range(8)])
    first = await desk.say("/search sourdogh zeppelin")
    said = "Shown for sourdough instead of sourdogh. Nothing has all words; these posts have some of them."
    assert said in shown(first)
    assert said in shown(await desk.press(button(first, "2")))


async def test_a_search_without_more_pages_is_not_kept(desk: Desk) -> None:
    await desk.source("post-1 skywave")
    reply = await desk.say("/search skywave")
    assert reply and reply.buttons == ()
    assert "expired" in shown(await desk.press("s:1:1:0"))


async def test_a_search_that_is_forgotten_says_so(desk: Desk) -> None:
    assert "search again" in shown(await desk.press("s:12345:2:0"))


async def test_a_saved_search_shows_nothing_that_the_chat_may_not_see(desk: Desk) -> None:
    """Who forges a button of another chat's search sees no post of its private sources."""
    secret = [f"post-{n} secret plan" for n in range(7)]
    await desk.source(*secret, public=False)
    await desk.say("/subscribe Example", place="1")  # not visible there yet
    await desk.say("/subscribe https://example.org/feed.json", place="1")
    theirs = await desk.say("/search secret", place="1")
    data = button(theirs, "2")
    assert posts_of(await desk.press(data, place="1"))
    assert posts_of(await desk.press(data, place="2")) == []
    assert "plan" not in shown(await desk.press(data, place="2"))


async def test_a_saved_search_forgets_what_a_chat_may_see_no_more(desk: Desk) -> None:
    await desk.source(*[f"post-{n} secret" for n in range(7)], public=False)
    await desk.say("/subscribe https://example.org/feed.json")
    first = await desk.say("/search secret")
    await desk.say("/unsubscribe Example")
    assert posts_of(await desk.press(button(first, "2"))) == []


async def test_a_forged_view_of_a_private_source_is_empty(desk: Desk) -> None:
    source = await desk.source(*POSTS, public=False)
    await desk.say("/subscribe https://example.org/feed.json", place="1")
    data = View(ViewKind.LATEST, source.id, 1, 1000).encode()
    assert posts_of(await desk.press(data, place="1")) and posts_of(await desk.press(data, place="2")) == []


def test_labels_are_short() -> None:
    rng = random.Random(3)
    for _ in range(50):
        pages = rng.randint(2, 9999)
        row = page_buttons(View(ViewKind.LATEST, 0, rng.randint(1, pages), 1), pages)
        assert all(isinstance(b, Button) and len(b.label) <= 8 for b in row)


async def test_a_search_belongs_to_its_chat(desk: Desk) -> None:
    await desk.source(*[f"post-{n} about radio" for n in range(7)])
    data = button(await desk.say("/search radio"), "2")
    assert posts_of(await desk.press(data))
    assert "expired" in shown(await desk.press(data, place="2"))
    await desk.say("/start", place="2")
    assert "expired" in shown(await desk.press(data, place="2"))


async def test_a_page_of_another_chats_private_source_is_empty(desk: Desk) -> None:
    source = await desk.source(*POSTS, public=False)
    data = View(ViewKind.LATEST, source.id, 1, LARGEST).encode()
    assert posts_of(await desk.press(data)) == []
    await desk.say("/subscribe Example", actor="fake:7")
    assert posts_of(await desk.press(data)) == []


async def test_a_button_that_the_message_does_not_have_does_nothing(desk: Desk) -> None:
    await desk.source(*POSTS)
    real = button(await desk.say("/latest"), "2")
    for offered in ([], ["l:0:3:9"], [real + "0"]):
        refused = await desk.press(real, offered=offered)
        assert refused and refused.private and "no longer has that button" in shown(refused)
    assert posts_of(await desk.press(real, offered=["l:0:3:9", real]))
