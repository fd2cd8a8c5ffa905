"""What a platform said about a person is believed for a minute."""

from bot.platforms.roles import KEPT, Roles
from tests.fakes import FakeClock


async def test_an_answer_counts_for_a_minute_for_that_person_in_that_chat() -> None:
    clock, asked, answer = FakeClock(), list[str](), True

    async def ask() -> bool:
        asked.append("")
        return answer

    roles = Roles(clock.monotonic)
    assert await roles.administers("fake:7", "1", ask)
    answer = False
    clock.advance(KEPT - 1)
    assert await roles.administers("fake:7", "1", ask) and len(asked) == 1
    assert not await roles.administers("fake:8", "1", ask)
    assert not await roles.administers("fake:7", "2", ask)
    clock.advance(1)
    assert not await roles.administers("fake:7", "1", ask) and len(asked) == 4
