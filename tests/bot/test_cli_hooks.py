"""Hooks on the command line: made, shown once, given another secret."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli.main import app

Skywave = Callable[[str], Result]


@pytest.fixture
def skywave(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> Skywave:
    monkeypatch.setenv("SKYWAVE_PUBLIC_URL", "https://bot.example.org/skywave/")
    return lambda words: CliRunner().invoke(app, words.split())


def shown(told: str) -> tuple[str, str]:
    """The address and the secret that a command has printed."""
    address = re.search(r"^POST https://bot\.example\.org/skywave/hooks/([0-9a-f]{32})$", told, re.MULTILINE)
    secret = re.search(r"^secret: ([0-9a-f]{64})$", told, re.MULTILINE)
    assert address and secret, told
    return address[1], secret[1]


def test_a_hook_is_shown_once_and_later_only_when_that_is_asked_for(skywave: Skywave) -> None:
    made = skywave("sources add hook:Builds")
    address, secret = shown(made.stdout)
    assert "Added “builds”" in made.stdout and "set SKYWAVE_METRICS_PORT" in made.stdout
    quiet = [skywave(words).output for words in ("sources list", "sources list --json", "doctor")]
    quiet += [skywave(words).output for words in ("sources hook builds", "sources add hook:builds", "audit")]
    assert not [told for told in quiet if address in told or secret in told]
    assert "active, push" in quiet[0] and "ok   source builds: push" in quiet[2]
    assert "content_hash" not in quiet[1]  # which for a repository is long, and tells people nothing
    assert "skywave sources hook 1 says where" in skywave("poll builds").stderr
    assert "BAD  public address: nothing listens for it: set SKYWAVE_METRICS_PORT" in quiet[2]
    assert "POST https://bot.example.org/skywave/hooks/…" in quiet[3]
    assert shown(skywave("sources hook hook:builds --with-secrets").stdout) == (address, secret)
    same, other = shown(skywave("sources hook 1 --new-secret").stdout)
    assert same == address and other != secret
    assert shown(skywave("sources hook 1 --with-secrets").stdout) == (same, other)
    assert "hook secret" in skywave("audit").stdout


def test_a_script_gets_address_and_secret_as_json(skywave: Skywave) -> None:
    (made,) = json.loads(skywave("sources add hook:one --json").stdout)
    assert set(made["hook"]) == {"address", "secret"} and made["source"]["url"] == "hook:one"
    (again,) = json.loads(skywave("sources add hook:one --json").stdout)
    assert "hook" not in again


def test_what_is_no_hook_is_told_in_one_line(skywave: Skywave) -> None:
    for words, told in (
        ("sources add hook:", "a hook is named like hook:builds"),
        ("sources add hook:a/b", "a hook is named like hook:builds"),
        ("sources add hook:one --option x=1", "a hook source has no option x"),
        ("sources add https://example.org/ --option hook", "a hook is named like hook:builds"),
        ("sources hook 1", "no source is called 1"),
    ):
        result = skywave(words)
        assert (result.exit_code, result.stderr.count("\n")) == (1, 1) and told in result.stderr, words
