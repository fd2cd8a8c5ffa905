"""Where apprise's URLs stand, that nothing shows them, and that Skywave does without apprise."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from bot.cli.main import app
from bot.loading import load_settings
from bot.platforms import apprise
from bot.platforms.apprise import AppriseSettings
from content.errors import SettingsError

URL = "mailto://me:hunter2@example.org/?to=team@example.org"
HOOK = "json://example.org/3f9a8b7c/?a=b"

Skywave = Callable[[str], Result]


@pytest.fixture
def skywave(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Skywave:
    """`skywave WORDS` on a database of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SKYWAVE_DATABASE_URL", sqlite_url)
    return lambda words: CliRunner().invoke(app, words.split())


def urls() -> dict[str, str]:
    settings = load_settings()
    assert isinstance(settings, AppriseSettings)
    return {name: url.get_secret_value() for name, url in settings.apprise_urls.items()}


def test_chats_have_names_in_the_environment_in_a_file_and_in_toml(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    expected = {"team-mail": URL, "ops": HOOK}
    (tmp_path / "skywave.toml").write_text(f'[apprise_urls]\nteam-mail = "{URL}"\nops = "{HOOK}"\n')
    assert urls() == expected
    (tmp_path / "urls").write_text(f"team-mail={URL}\n\nops={HOOK}\n")
    monkeypatch.setenv("SKYWAVE_APPRISE_URLS_FILE", str(tmp_path / "urls"))
    assert urls() == expected
    monkeypatch.setenv("SKYWAVE_APPRISE_URLS", f"ops={HOOK}")
    assert urls() == {"ops": HOOK}


def test_urls_are_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKYWAVE_APPRISE_URLS", f"team={URL}")
    settings = load_settings()
    assert settings.secrets == [URL] and "hunter2" not in repr(settings)


@pytest.mark.parametrize(
    "value", [URL, f"={URL}", f"the team={URL}", "team=hunter2", "team", f"a/b={URL}", f"a={URL} a={HOOK}"]
)
def test_what_is_not_a_name_with_a_url_is_not_shown(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("SKYWAVE_APPRISE_URLS", value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert str(caught.value).startswith("SKYWAVE_APPRISE_URLS: ")
    assert "hunter2" not in str(caught.value)


def test_without_the_extra_it_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    monkeypatch.delitem(sys.modules, "bot.platforms.apprise.sender", raising=False)
    assert apprise.PLATFORM.make(AppriseSettings()) is None
    with pytest.raises(SettingsError, match=r"pip install 'skywave\[apprise\]'"):
        apprise.PLATFORM.make(AppriseSettings(apprise_urls={"team": SecretStr(URL)}))


def test_the_command_line_knows_a_chat_by_its_name_alone(
    skywave: Skywave, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKYWAVE_APPRISE_URLS", f"team-mail={URL}")
    assert skywave("chats add apprise:team-mail").exit_code == 0
    told = [skywave(words) for words in ("chats list", "chats list --json", "doctor", "doctor --json")]
    assert all("team-mail" in one.output and "hunter2" not in one.output for one in told)
    refused = skywave(f"chats add apprise:{URL}")
    assert refused.exit_code == 2 and "is not a chat" in refused.stderr


def test_a_url_that_apprise_cannot_use_is_found_by_doctor(
    skywave: Skywave, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKYWAVE_APPRISE_URLS", "team=nothing://hunter2")
    told = skywave("doctor")
    assert told.exit_code == 1 and "BAD  apprise: SKYWAVE_APPRISE_URLS" in told.output
    assert "hunter2" not in told.output
