"""/post: a preview, buttons, and then a post like any other."""

from bot.commands.types import Reply
from scheduler import membership
from scheduler.types import ChatAccess, DeliveryState
from tests.bot.conftest import OPERATOR, Desk, shown

TEXT = "/post Quiet night\\nThe **band** was open."


def labels(reply: Reply | None) -> list[str]:
    assert reply is not None
    return [button.label for button in reply.buttons]


def button(reply: Reply | None, label: str) -> str:
    assert reply is not None
    return next(button.data for button in reply.buttons if button.label == label)


async def deliveries(desk: Desk) -> dict[str, int]:
    async with desk.store.read() as work:
        return {str(state): count for state, count in (await work.outbox.counts()).items()}


async def test_a_preview_shows_the_post_and_sends_nothing(desk: Desk) -> None:
    reply = await desk.say(TEXT)
    assert shown(reply).startswith("Quiet night\nupdates · Mar 1, 2026")
    assert "The band was open." in shown(reply)
    assert reply and reply.private
    assert labels(reply) == ["Send here", "Discard"]
    assert await deliveries(desk) == {}


async def test_a_confirmed_post_goes_to_that_chat_and_is_found_there_alone(desk: Desk) -> None:
    await desk.say("/subscribe", place="2")
    reply = await desk.say(TEXT)
    assert shown(await desk.press(button(reply, "Send here"))) == "Sending the update now."
    assert await deliveries(desk) == {"pending": 1}
    assert "Quiet night" in shown(await desk.say("/latest"))
    assert "Quiet night" in shown(await desk.say("/search band"))
    assert "Quiet night" not in shown(await desk.say("/latest", place="2"))


async def test_an_operators_post_goes_to_all_who_follow_updates(desk: Desk) -> None:
    for place in ("2", "3"):
        await desk.say("/subscribe", place=place)
    reply = await desk.say(TEXT, actor=OPERATOR)
    assert labels(reply) == ["Send to all", "Send here", "Discard"]
    await desk.press(button(reply, "Send to all"), actor=OPERATOR)
    assert await deliveries(desk) == {"pending": 2}
    assert "Quiet night" in shown(await desk.say("/latest", place="2"))


async def test_who_is_no_operator_cannot_send_to_all(desk: Desk) -> None:
    reply = await desk.say(TEXT, actor=OPERATOR)
    refused = await desk.press(button(reply, "Send to all"))
    assert "Only operators" in shown(refused)
    assert refused and refused.private
    assert await deliveries(desk) == {}


async def test_a_member_can_neither_write_nor_confirm(desk: Desk) -> None:
    assert "Only admins" in shown(await desk.say(TEXT, admin=False))
    reply = await desk.say(TEXT)
    refused = await desk.press(button(reply, "Send here"), admin=False)
    assert "Only admins" in shown(refused)
    assert await deliveries(desk) == {}


async def test_a_press_counts_once(desk: Desk) -> None:
    reply = await desk.say(TEXT)
    await desk.press(button(reply, "Send here"))
    for label in ("Send here", "Discard"):
        assert shown(await desk.press(button(reply, label))) == "Already handled."
    assert await deliveries(desk) == {"pending": 1}


async def test_a_discarded_post_is_never_sent(desk: Desk) -> None:
    reply = await desk.say(TEXT)
    assert shown(await desk.press(button(reply, "Discard"))) == "The update was discarded."
    assert shown(await desk.press(button(reply, "Send here"))) == "Already handled."
    assert await deliveries(desk) == {}


async def test_a_button_of_another_chat_does_nothing(desk: Desk) -> None:
    reply = await desk.say(TEXT)
    assert await desk.press(button(reply, "Send here"), place="2") is None


async def test_data_that_is_not_ours_does_nothing(desk: Desk) -> None:
    await desk.say(TEXT)
    for data in (
        "d:", "d:1", "d:x:here", "d:99999:here", "d:1:everything", "d:1:here:x", "d:²:here", "d:-1:here",
        *(f"d:{'9' * digits}:here" for digits in (15, 16, 19, 20, 60, 5000)),
    ):  # fmt: skip
        assert await desk.press(data) is None, data
    assert await deliveries(desk) == {}


async def test_a_scheduled_post_goes_out_at_its_time_once(desk: Desk) -> None:
    await desk.say("/digest daily 09:00 Asia/Shanghai")
    reply = await desk.say("/post at 23:30 Late news")
    confirmed = await desk.press(button(reply, "Send here"))
    assert shown(confirmed) == "The update goes out on Sunday, March 1, 2026 23:30 (Asia/Shanghai)."
    assert labels(confirmed) == ["Discard"]
    assert await desk.services.drafts.publish_due() == 0
    desk.services.clock.advance(4 * 3600)  # type: ignore[attr-defined]
    assert await desk.services.drafts.publish_due() == 1
    assert await desk.services.drafts.publish_due() == 0
    assert await deliveries(desk) == {str(DeliveryState.PENDING): 1}


async def test_bad_input_gets_the_next_step(desk: Desk) -> None:
    passed = "2020-01-01 09:00 (UTC) has passed. Did you mean: /post at 2026-03-02 09:00"
    for line, answer in (
        ("/post", "There is no text. For example: /post at 18:30"),
        ("/post at 18:30", "There is no text."),
        ("/post at 25:00 x", "I don't understand “25:00”. Did you mean: /post at 23:00"),
        ("/post at 2020-01-01 09:00 x", passed),
    ):
        assert answer in shown(await desk.say(line))


async def test_a_text_whose_time_was_wrong_is_kept_for_the_next_try(desk: Desk) -> None:
    for moment, title in (
        ("25:00", "Late news"),
        ("2026-13-45 09:00", "Late news"),
        ("2020-01-01 23:30", "Late news"),
        ("last", "at last Late news"),
    ):
        reply = await desk.say(f"/post at {moment} Late news\\nThe band is back.")
        warning, first, *_, last = shown(reply).splitlines()
        assert warning.endswith("Your text is kept: to schedule it, send just that line.")
        assert (first, last) == (title, "The band is back.")
        assert labels(reply) == ["Send here", "Discard"]
        scheduled = await desk.say("/post at 23:30")
        assert shown(scheduled).splitlines()[0] == title
        confirmed = await desk.press(button(scheduled, "Send here"))
        async with desk.store.read() as work:
            (draft,) = await work.drafts.scheduled()
        assert draft.text == f"{title}\nThe band is back."
        assert "There is no text." in shown(await desk.say("/post at 23:30")), "it is taken up once"
        await desk.press(button(confirmed, "Discard"))


async def test_a_time_alone_takes_up_nothing_of_somebody_else_or_that_was_discarded(desk: Desk) -> None:
    for who, place in (("fake:8", "1"), ("fake:7", "2")):
        await desk.say("/post at 25:00 Late news", actor=who, place=place)
    reply = await desk.say("/post at 25:00 Late news")
    await desk.press(button(reply, "Discard"))
    assert "There is no text." in shown(await desk.say("/post at 23:30"))


async def test_what_is_written_is_data(desk: Desk) -> None:
    reply = await desk.say(
        "/post <b>Title</b>\\n<script>alert(1)</script> [x](javascript:alert(2)) @everyone"
    )
    assert shown(reply).startswith("<b>Title</b>")
    assert "alert(1)" not in shown(reply), "a script is no text"
    assert reply and "Link(" not in str(reply.document), "only http(s) makes a link"


async def test_a_draft_of_a_chat_that_was_banned_is_discarded(desk: Desk) -> None:
    await desk.say("/start", place="2")
    reply = await desk.say("/post at 23:30 Late news")
    await desk.press(button(reply, "Send here"))
    chat = await desk.chat()
    async with desk.store.write() as work:
        await membership.grant(work, chat.place, ChatAccess.BANNED, desk.services.clock.now())
        await work.commit()
    desk.services.clock.advance(12 * 3600)  # type: ignore[attr-defined]
    await desk.services.drafts.publish_due()
    assert await deliveries(desk) == {}
    async with desk.store.read() as work:
        assert await work.drafts.scheduled() == [] and await work.posts.newest_id() == 0


async def test_no_date_breaks_anything(desk: Desk) -> None:
    for zone in ("Pacific/Kiritimati", "America/Los_Angeles", "UTC"):
        await desk.say(f"/digest daily 09:00 {zone}", place=zone)
        for line in (
            "/post at 9999-12-31 23:59 x", "/post at 0001-01-01 00:00 x", "/post at 99999999999-01-01 9:00 x",
            "/post at 99:99 x", "/search x before:9999-12-31", "/search x after:9999-12-31",
            "/search x before:0001-01-01", "/search x after:0001-01-01",
        ):  # fmt: skip
            reply = await desk.say(line, place=zone)
            if reply and "Send here" in labels(reply):
                assert shown(await desk.press(button(reply, "Send here"), place=zone))
    assert await desk.services.drafts.publish_due() == 0
