"""Where settings come from, and that a bad one is named and a secret one never shown."""

import traceback
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.loading import TOML, load_settings, unknown_settings
from bot.platforms.telegram import TelegramSettings
from content.errors import SettingsError
from scheduler.rhythm import Bounds

TOKEN = "123456789:AAabcdefghijklmnopqrstuvwxyz_012345"


@pytest.fixture(autouse=True)
def empty(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder and an environment without settings."""
    import os

    for name in [name for name in os.environ if name.startswith("SKYWAVE_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def telegram_token() -> SecretStr | None:
    settings = load_settings()
    assert isinstance(settings, TelegramSettings)
    return settings.telegram_token


def test_nothing_is_needed() -> None:
    settings = load_settings()
    assert settings.database_url == "sqlite:///skywave.db"
    assert settings.model_dump()["telegram_token"] is None and settings.secrets == []
    assert settings.bounds == Bounds(timedelta(minutes=5), timedelta(hours=6))
    assert (settings.page_size, settings.excerpt_length) == (11, 350)
    assert (settings.banner, settings.heading) == ("INCOMING TRANSMISSION", "LATEST UPDATES")
    assert (settings.language, str(settings.zone)) == ("en", "UTC")


def test_the_environment_sets_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {
        "DATABASE_URL": "postgresql://u:p@db/skywave",
        "TELEGRAM_TOKEN": TOKEN,
        "OPERATORS": "telegram:1, discord:2 telegram:3",
        "POLL_INTERVAL": "60",
        "LANGUAGE": "zh",
        "TIMEZONE": "Asia/Shanghai",
        "ALLOWED_NETWORKS": "127.0.0.0/8, fd00::/8",
        "LOG_FORMAT": "json",
    }
    for name, value in values.items():
        monkeypatch.setenv(f"SKYWAVE_{name}", value)
    settings = load_settings()
    assert settings.operators == {"telegram:1", "discord:2", "telegram:3"}
    assert settings.allowed_networks == (ip_network("127.0.0.0/8"), ip_network("fd00::/8"))
    assert settings.bounds.shortest == timedelta(minutes=1) and settings.language == "zh"
    assert settings.secrets == [TOKEN]


def test_the_longest_wait_is_never_below_the_shortest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKYWAVE_POLL_INTERVAL", "86400")
    assert load_settings().bounds == Bounds(timedelta(days=1), timedelta(days=1))


def test_a_file_sets_what_the_environment_does_not(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (empty / TOML).write_text('page_size = 5\nheading = "新闻"\noperators = ["telegram:1"]\n', "utf-8")
    monkeypatch.setenv("SKYWAVE_PAGE_SIZE", "7")
    settings = load_settings()
    assert (settings.page_size, settings.heading) == (7, "新闻")
    assert settings.operators == {"telegram:1"}


def test_a_secret_comes_from_a_file_that_is_named(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (empty / "token").write_text(f"{TOKEN}\n")
    monkeypatch.setenv("SKYWAVE_TELEGRAM_TOKEN_FILE", str(empty / "token"))
    assert telegram_token() == SecretStr(TOKEN)
    monkeypatch.setenv("SKYWAVE_TELEGRAM_TOKEN", "1:other")  # what is set itself wins
    assert telegram_token() == SecretStr("1:other")


def test_an_empty_token_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKYWAVE_TELEGRAM_TOKEN", "")
    assert telegram_token() is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("POLL_INTERVAL", "often"),
        ("POLL_INTERVAL", "0"),
        ("PAGE_SIZE", "51"),
        ("EXCERPT_LENGTH", "1"),
        ("LANGUAGE", "fr"),
        ("TIMEZONE", "Mars/Olympus"),
        ("TIMEZONE", "../etc/passwd"),
        ("ALLOWED_NETWORKS", "127.0.0.0/8,home"),
        ("LOG_FORMAT", "xml"),
        ("PUBLIC_URL", "bot.example.org"),
        ("PUBLIC_URL", "https://me:secret@bot.example.org"),
        ("PROXY", "127.0.0.1:7890"),
        ("PROXY", "socks5://127.0.0.1:1080"),
    ],
)
def test_a_bad_value_is_named_in_one_line(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"SKYWAVE_{name}", value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    message = str(caught.value)
    assert message.startswith(f"SKYWAVE_{name}: ") and "\n" not in message


def test_a_file_that_cannot_be_read_is_named(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKYWAVE_TELEGRAM_TOKEN_FILE", str(empty / "missing"))
    with pytest.raises(SettingsError, match="SKYWAVE_TELEGRAM_TOKEN_FILE names a file that cannot be read"):
        load_settings()


@pytest.mark.parametrize("content", [b"page_size = \n", b"\xff\xfe", b"page_size = 'many'\n"])
def test_a_broken_toml_file_is_named_in_one_line(empty: Path, content: bytes) -> None:
    (empty / TOML).write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert TOML in str(caught.value) or "SKYWAVE_PAGE_SIZE" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("line", [f'telegram_token = ["{TOKEN}"]', f'telegram_token = {{a = "{TOKEN}"}}'])
def test_a_secret_is_in_no_message_and_no_traceback(empty: Path, line: str) -> None:
    (empty / TOML).write_text(line)
    with pytest.raises(SettingsError, match=r"^SKYWAVE_TELEGRAM_TOKEN: ") as caught:
        load_settings()
    assert TOKEN not in "".join(traceback.format_exception(caught.value))


def test_a_secret_is_in_no_representation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKYWAVE_TELEGRAM_TOKEN", TOKEN)
    settings = load_settings()
    assert TOKEN not in repr(settings) + str(settings) + settings.model_dump_json()


@pytest.mark.parametrize("operators", ["123", "telegram:1,@ann", "telegram:"])
def test_operators_that_nobody_could_be_are_refused(monkeypatch: pytest.MonkeyPatch, operators: str) -> None:
    monkeypatch.setenv("SKYWAVE_OPERATORS", operators)
    with pytest.raises(SettingsError, match=r"SKYWAVE_OPERATORS: .*names nobody: write it like telegram:123"):
        load_settings()


def test_a_setting_that_nobody_reads_is_told_with_the_one_that_was_meant(
    monkeypatch: pytest.MonkeyPatch, empty: Path
) -> None:
    monkeypatch.setenv("SKYWAVE_TELEGRAM_TOKE", TOKEN)
    monkeypatch.setenv("SKYWAVE_TELEGRAM_TOKEN_FILE", "/run/secrets/token")
    monkeypatch.setenv("SKYWAVE_99999999999999", "1")
    (empty / TOML).write_text('poll_intervall = 60\nbanner = "HELLO"\n')
    assert unknown_settings() == [
        "SKYWAVE_TELEGRAM_TOKE is not a setting and has no effect: did you mean SKYWAVE_TELEGRAM_TOKEN?",
        "SKYWAVE_99999999999999 is not a setting and has no effect",
        "poll_intervall is not a setting and has no effect: did you mean poll_interval?",
    ]


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("ACCESS", "shut", "must be one of 'open', 'curated', 'closed'"),
        ("LOG_FORMAT", "xml", "must be one of 'console', 'json'"),
        ("PAGE_SIZE", "x", "is not a whole number"),
        ("PAGE_SIZE", "0", "is too small: it must be at least 1"),
        ("METRICS_PORT", "99999", "is too large: it must be at most 65535"),
        ("TELEGRAM_PAID_BROADCAST", "maybe", "must be true or false"),
    ],
)
def test_what_a_setting_should_be_is_told_in_our_words(
    monkeypatch: pytest.MonkeyPatch, setting: str, value: str, told: str
) -> None:
    monkeypatch.setenv(f"SKYWAVE_{setting}", value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert str(caught.value) == f"SKYWAVE_{setting}: {told}"
