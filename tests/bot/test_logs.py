"""One line an event, and no secret in any of them."""

import json
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.logs import configure
from scheduler.events import hand_over
from scheduler.log import Logger

SECRET = "correct horse battery"
TOKEN = "123456789:AAabcdefghijklmnopqrstuvwxyz_012345"
URL = f"https://api.telegram.org/bot{TOKEN}/sendMessage"


@pytest.fixture(autouse=True)
def quiet() -> None:
    """Here what is logged is looked at, as it is printed."""


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    hand_over()


def raised() -> None:
    try:
        raise ValueError(f"no way to {URL} with {SECRET}")
    except ValueError:
        Logger("tests").exception("broken")


def raised_in_a_library() -> None:
    try:
        raise ValueError(f"no way to {URL} with {SECRET}")
    except ValueError:
        logging.getLogger("library").exception("broken")


WAYS: dict[str, Callable[[], None]] = {
    "event": lambda: Logger("tests").info(f"{SECRET} {URL}"),
    "value": lambda: Logger("tests").info("sent", url=URL, by=SECRET),
    "error": lambda: Logger("tests").warning("failed", error=ValueError(f"{URL} {SECRET}")),
    "inside": lambda: Logger("tests").info("sent", items=[{"url": URL}, (SECRET,), {SECRET}]),
    "path": lambda: Logger("tests").info("sent", path=Path("/x") / TOKEN / SECRET),
    "bytes": lambda: Logger("tests").info("sent", body=f"{URL} {SECRET}".encode()),
    "exception": raised,
    "library": lambda: logging.getLogger("library").warning("GET %s %s", URL, SECRET),
    "library's values": lambda: logging.getLogger("library").warning("GET %s", [URL, SECRET]),
    "library's exception": raised_in_a_library,
}


@pytest.mark.parametrize("log_format", ["json", "console"])
@pytest.mark.parametrize("way", WAYS)
def test_no_secret_gets_out(log_format: str, way: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure(log_format, [SECRET, ""])
    WAYS[way]()
    out, err = capsys.readouterr()
    assert out == "" and "***" in err
    assert SECRET not in err and TOKEN not in err and TOKEN.partition(":")[2] not in err


ADDRESS = "https://me:hunter2@example.org/private/3f9a8b7c6d5e4f30/rss?key=hunter3"


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_addresses_in_events_have_no_secrets(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure(log_format, [])
    Logger("tests").warning("source.failed", source=ADDRESS, reason=f"GET {ADDRESS}: no", url=[ADDRESS])
    logging.getLogger("library").warning("no way to %s", ADDRESS)
    logging.getLogger("library").warning("postgresql://me:hunter2@host/skywave")
    err = capsys.readouterr().err
    assert "example.org/private/…/rss?…" in err and "postgresql://host/skywave" in err
    assert "hunter" not in err and "3f9a8b" not in err


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_nothing_of_an_event_is_obeyed_by_a_terminal(
    log_format: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(log_format, [])
    nasty = "Title \x1b]0;owned\x07\x9b2J\r\u202e\nfake [info] line \udce9"
    Logger("tests").warning("source.failed", source=nasty, reason=nasty)
    logging.getLogger("library").warning(nasty)
    err = capsys.readouterr().err
    assert err.count("Title") == 3 and len(err.splitlines()) == 2
    assert not {"\x1b", "\x07", "\x9b", "\r", "\u202e", "\udce9"} & set(err)


def test_json_is_one_document_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure("json", [])
    Logger("tests").info("sent", chat="telegram:1", part=0, title="两\n行", ok=True, none=None)
    raised()
    logging.getLogger("library").warning("slow")
    first, second, third = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert first["event"] == "sent" and first["level"] == "info" and first["timestamp"]
    assert (first["chat"], first["part"], first["title"]) == ("telegram:1", 0, "两\n行")
    assert first["ok"] is True and first["none"] is None
    assert "Traceback" in second["exception"]
    assert third["event"] == "slow" and third["level"] == "warning"


def test_the_console_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    configure("console", [])
    Logger("tests").info("sent", chat="telegram:1")
    (line,) = capsys.readouterr().err.splitlines()
    assert "sent" in line and "chat=telegram:1" in line and "\x1b" not in line


def test_libraries_are_heard_only_when_it_matters(capsys: pytest.CaptureFixture[str]) -> None:
    configure("json", [])
    logging.getLogger("httpx").info("HTTP Request")
    logging.getLogger("httpx").warning("HTTP trouble")
    Logger("tests").debug("detail")
    (line,) = capsys.readouterr().err.splitlines()
    assert "trouble" in line


FIRST = f"""
from bot.logs import configure
from scheduler.log import Logger
configure("json", ["{SECRET}"])
Logger("tests").warning("first", by="{SECRET}")
"""


def test_the_first_event_of_a_process_is_handed_over_too() -> None:
    """structlog is loaded with it, and by itself would print it as it is."""
    done = subprocess.run([sys.executable, "-c", FIRST], capture_output=True, check=True, text=True)
    assert done.stdout == ""
    assert json.loads(done.stderr)["event"] == "first" and SECRET not in done.stderr
