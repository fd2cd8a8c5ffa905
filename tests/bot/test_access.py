import pytest

from bot.access import Role, role_of

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
