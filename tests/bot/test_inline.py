"""Inline mode: what a person is offered in every chat is what their own private chat may see."""

from dataclasses import replace

from bot.access import AccessMode
from bot.commands.flood import COMPLETIONS, Flood
from bot.commands.inline import MOST, PAGE, Offers
from bot.commands.router import Router
from content.document import block_text
from scheduler.types import ChatAccess, ChatKind
from tests.bot.conftest import OPERATOR, Desk, open_desk

HIDDEN = "https://hidden.example.net/f.json"


async def typed(desk: Desk, text: str = "", place: str = "", *, person: str = "7") -> Offers:
    """What a person is offered for a text, from a place on."""
    call = desk.call("", place=person, kind=ChatKind.PRIVATE, actor=f"fake:{person}")
    return await desk.router.inline(place, replace(call, arguments=text))


async def all_titles(desk: Desk, text: str = "", *, person: str = "7") -> list[str]:
    """The titles on all pages, in alphabetical order."""
    titles, place = list[str](), ""
    while True:
        offers = await typed(desk, text, place, person=person)
        titles += [offer.title for offer in offers.posts]
        place = offers.following
        if not place:
            return sorted(titles)


async def test_the_newest_posts_and_those_of_a_search_come_in_pages(desk: Desk) -> None:
    names = [f"radio {n}" for n in range(2 * PAGE + 3)]
    await desk.source(*names)
    first = await typed(desk)
    await desk.publish(*names, "radio late")  # shifts no page
    assert [offer.title for offer in first.posts] == names[: PAGE + 2 : -1]
    pages = [await typed(desk, place=first.following)]
    pages.append(await typed(desk, place=pages[0].following))
    assert [len(page.posts) for page in pages] == [PAGE, 3] and not pages[-1].following
    assert all(len(page.following.encode()) <= 64 for page in (first, *pages))
    assert await all_titles(desk, "radio") == sorted([*names, "radio late"])
    assert (await typed(desk, "nonesuch")).note == "Nothing found for “nonesuch”."
    assert "I don't understand" in (await typed(desk, "after:yesterdayish")).note
    assert (await typed(desk, place="x:y:z")).posts == (await typed(desk)).posts
    assert MOST <= 50 * PAGE


async def test_each_result_sends_a_post_that_can_be_read(desk: Desk) -> None:
    await desk.source("radio waves")
    (offer,) = (await typed(desk, "radio")).posts
    sent = "\n".join(map(block_text, offer.document.blocks))
    assert offer.title in sent and "Example" in sent and "Example · " in offer.summary
    assert offer.url.startswith("https://") and len(offer.key.encode()) <= 64
    await desk.say("/format full no source name", place="7", kind=ChatKind.PRIVATE)
    (offer,) = (await typed(desk, "radio")).posts
    assert offer.document.single and "Example" in "\n".join(map(block_text, offer.document.blocks))


async def test_private_sources_are_offered_to_those_who_follow_them_alone(desk: Desk) -> None:
    await desk.source("public news")
    await desk.source("hidden news", url=HIDDEN, title="Hidden", public=False)
    await desk.say(f"/subscribe {HIDDEN}", place="7", kind=ChatKind.PRIVATE)
    await desk.say(f"/subscribe {HIDDEN}", place="1")  # a group that person 8 may be in
    for text in ("", "news"):
        assert await all_titles(desk, text) == ["hidden news", "public news"]
        assert await all_titles(desk, text, person="8") == ["public news"]
    async with desk.store.read() as work:
        assert {chat.place.address for chat in await work.chats.all()} == {"1", "7"}  # not 8


async def test_who_may_not_read_is_offered_nothing(sqlite_url: str) -> None:
    async with open_desk(sqlite_url, access=AccessMode.CLOSED) as desk:
        await desk.source("news")
        assert await typed(desk) == Offers()
        assert (await typed(desk, person=OPERATOR.partition(":")[2])).posts
        async with desk.store.write() as work:
            chat = await work.chats.ensure(desk.call("", place="7").place, kind=ChatKind.PRIVATE)
            await work.chats.set_access(chat.id, ChatAccess.ALLOWED)
            await work.commit()
        assert (await typed(desk)).posts
        async with desk.store.write() as work:
            await work.chats.set_access(chat.id, ChatAccess.BANNED)
            await work.commit()
        assert await typed(desk) == Offers()


async def test_who_types_too_much_is_offered_nothing_for_a_while(desk: Desk) -> None:
    await desk.source("news")
    flood = Flood(1, desk.services.clock)
    desk.router = Router(desk.services, {OPERATOR}, flood)
    answers = [bool((await typed(desk)).posts) for _ in range(COMPLETIONS)]
    assert answers == [True] * (COMPLETIONS // 2) + [False] * (COMPLETIONS // 2)
    assert (await typed(desk, person="8")).posts
