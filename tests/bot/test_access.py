import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.access import Role, role_of
from bot.numbers import LARGEST, number

OPERATORS = {"telegram:1", "discord:2"}


@pytest.mark.parametrize(
    ("actor", "is_chat_admin", "role"),
    [
        ("telegram:9", False, Role.MEMBER),
        ("telegram:9", True, Role.ADMIN),
        ("telegram:1", False, Role.OPERATOR),
        ("telegram:1", True, Role.OPERATOR),
        ("discord:1", False, Role.MEMBER),  # the same number on another platform is somebody else
        ("telegram:11", False, Role.MEMBER),
        ("", False, Role.MEMBER),
    ],
)
def test_who_is_what(actor: str, is_chat_admin: bool, role: Role) -> None:
    assert role_of(actor, is_chat_admin=is_chat_admin, operators=OPERATORS) is role


def test_each_role_may_do_what_the_ones_below_may() -> None:
    assert Role.MEMBER < Role.ADMIN < Role.OPERATOR


@given(st.text() | st.from_regex(r"[-+ ]?\d{1,40}", fullmatch=True))
def test_a_number_is_one_that_a_database_takes(text: str) -> None:
    found = number(text)
    assert found is None or (0 <= found <= LARGEST and found == int(text))


@given(st.integers(0, LARGEST))
def test_every_number_of_ours_is_one(value: int) -> None:
    assert number(str(value)) == value
    assert number(str(LARGEST + 1 + value)) is None
