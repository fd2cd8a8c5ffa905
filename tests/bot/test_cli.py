"""The command line as a person or a script uses it: what it prints, and its exit status."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing, nullcontext
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli.common import confirm
from bot.cli.doctor import reads_as_planned
from bot.cli.main import COMMANDS, app
from content.types import Source
from tests.builders import NOW

Skywave = Callable[[str], Result]


@pytest.fixture
def skywave(workplace: Path) -> Skywave:
    """`skywave WORDS` on a database of its own."""
    return lambda words: CliRunner().invoke(app, words.split())


def test_a_channel_is_published_from_when_that_is_set_until_it_is_taken_back(skywave: Skywave) -> None:
    assert skywave("chats add discord:7").exit_code == 0
    for given, expected in (("--crosspost", True), ("--no-crosspost", False)):
        assert skywave(f"chats set discord:7 {given}").exit_code == 0
        (chat,) = [one for one in json.loads(skywave("chats list --json").stdout) if one["id"] > 0]
        assert chat["crosspost"] is expected


def test_what_cannot_be_set_is_told_in_one_line(skywave: Skywave) -> None:
    assert skywave("chats add telegram:5").exit_code == 0
    for words, status, told in (
        ("chats set telegram:5 --crosspost", 2, "telegram:5 is not an announcement channel"),
        ("chats set telegram:5", 2, "give a setting to change"),
        ("chats set telegram:6 --language zh", 1, "no chat telegram:6 is known: add it with"),
        ("chats set telegram:5 --language fr", 2, "“fr” is not a language of Skywave"),
        ("chats set telegram:5 --timezone Mars", 2, "Mars"),
    ):
        result = skywave(words)
        assert (result.exit_code, result.stderr.count("\n")) == (status, 1), words
        assert told in result.stderr, words


def test_what_a_read_left_out_is_told_by_each_command(
    skywave: Skywave, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKYWAVE_SOURCE_POSTS", "2")
    folder = tmp_path / "posts"
    folder.mkdir()
    for day in range(1, 5):
        (folder / f"2026-01-0{day}-note.md").write_text(f"# Note {day}\n\nText.")
    told = "only the newest 2 of 4 posts were read: raise SKYWAVE_SOURCE_POSTS to read more"
    assert told in skywave(f"sources add {folder}").stdout
    (source,) = json.loads(skywave("sources list --json").stdout)
    assert source["warning"] == told
    assert "2 of 4 posts" in skywave("sources list").stdout
    assert told in skywave("doctor").stdout
    (folder / "2026-01-09-note.md").write_text("# Note 9\n\nText.")
    assert told.replace("of 4", "of 5") in skywave("poll --all").stdout
    monkeypatch.setenv("SKYWAVE_SOURCE_POSTS", "500")
    (folder / "2026-01-10-note.md").write_text("# Note 10\n\nText.")
    assert "posts were read" not in skywave("poll --all").stdout
    assert json.loads(skywave("sources list --json").stdout)[0]["warning"] == ""


def test_each_broken_file_of_a_folder_is_named_with_its_line_until_it_is_mended(
    skywave: Skywave, tmp_path: Path
) -> None:
    folder = tmp_path / "posts"
    folder.mkdir()
    (folder / "good.md").write_text("# Good\n\nText.")
    broken = {"bad.md": "---\ntitle: [a\n---\n", "old/worse.md": "---\ntitle: a\ndate: {{\n---\n"}
    for name, content in broken.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content)
    lines = {"bad.md": "line 3: ", "old/worse.md": "line 4: "}
    for words in (
        f"sources add {folder}",
        "sources list",
        "poll --all",
        f"sources add {folder}",
        "poll --all",
    ):
        told = skywave(words).output
        assert all(f"not read: {name}: {line}" in told for name, line in lines.items()), words
    (source,) = json.loads(skywave("sources list --json").stdout)
    assert {one["name"]: one["reason"][:8] for one in source["unread"]} == lines
    findings = [one for one in json.loads(skywave("doctor --json").stdout) if ".md" in one["what"]]
    assert [(one["what"], one["well"]) for one in findings] == [
        (f"source posts, {name}", False) for name in broken
    ]
    (folder / "bad.md").write_text("# Mended\n")
    (folder / "old/worse.md").unlink()
    assert "1 new" in skywave("poll --all").stdout
    assert "not read" not in skywave("sources list").stdout
    assert skywave("doctor").exit_code == 0


def test_a_source_that_is_gone_for_good_is_told_with_the_next_step(skywave: Skywave, tmp_path: Path) -> None:
    (tmp_path / "posts").mkdir()
    assert skywave(f"sources add {tmp_path / 'posts'}").exit_code == 0
    with closing(sqlite3.connect(tmp_path / "skywave.db")) as database, database:
        database.execute(
            "UPDATE sources SET state = 'paused', failures = 1, last_error = 'it answered 410',"
            " moved_to = 'https://ann:secret@example.org/feed'"
        )
    told = (
        "it answered 410; to read it again, run skywave sources resume 1; "
        "to remove it, skywave sources remove 1"
    )
    (finding,) = [one for one in json.loads(skywave("doctor --json").stdout) if "posts" in one["what"]]
    assert (finding["well"], finding["hint"]) == (False, told)
    shown = " ".join(skywave("sources list").stdout.split())
    assert "paused:" in shown and "failing" not in shown
    assert json.loads(skywave("sources list --json").stdout)[0]["moved_to"] == "https://example.org/feed"


def chats_of(skywave: Skywave) -> dict[str, str]:
    """What each chat may do, by its address."""
    chats = json.loads(skywave("chats list --json").stdout)
    return {
        chat["place"]["address"]: chat["access"] for chat in chats if chat["place"]["platform"] != "terminal"
    }


def test_chats_are_allowed_and_banned(skywave: Skywave) -> None:
    assert skywave("chats allow telegram:-1001 discord:7").stdout.strip() == "2 chats allowed"
    assert skywave("chats ban telegram:5 discord:7").exit_code == 0
    assert chats_of(skywave) == {"-1001": "allowed", "7": "banned", "5": "banned"}
    assert skywave("chats allow telegram:5").exit_code == 0
    assert chats_of(skywave)["5"] == "allowed"
    assert "banned" in skywave("chats list").stdout
    refused = skywave("chats ban terminal:me")
    assert refused.exit_code == 2 and "the terminal cannot be banned" in refused.stderr


def test_no_update_is_written_for_a_banned_chat(skywave: Skywave) -> None:
    skywave("chats ban telegram:5")
    result = skywave("posts add Hello --chat telegram:5")
    assert result.exit_code == 2 and "skywave chats allow telegram:5" in result.stderr


def test_what_an_operator_adds_is_allowed_but_no_ban_is_lifted(skywave: Skywave) -> None:
    skywave("chats ban telegram:3")
    for words in ("chats add telegram:1", "subscriptions add telegram:2", "chats add telegram:3"):
        assert skywave(words).exit_code == 0
    assert chats_of(skywave) == {"3": "banned", "1": "allowed", "2": "allowed"}


def test_no_number_breaks_anything(skywave: Skywave) -> None:
    skywave("chats add telegram:5")
    for words in (
        "posts cancel 999999999999999999999",
        "posts cancel 0",
        "posts cancel " + "9" * 5000,
        "deliveries list --broadcast 999999999999999999999",
        "deliveries retry --broadcast 999999999999999999999",
        "deliveries list --limit 999999999999999999999",
        "digests add telegram:5 daily 09:00 --max 999999999999999999999",
        "sources remove 99999999999999999999",
        "sources pause 99999999999999999999",
        "chats add telegram:" + "9" * 40,
        "chats add telegram:١٢",
        "chats add telegram:5/" + "9" * 40,
        "search radio --limit 999999999999999999999",
    ):
        result = skywave(words)
        assert result.exit_code in (1, 2) and "Traceback" not in result.output, words
        assert isinstance(result.exception, SystemExit), words


def test_doctor_tells_of_access_and_quotas(skywave: Skywave, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKYWAVE_ACCESS", "closed")
    findings = {one["what"]: one for one in json.loads(skywave("doctor --json").stdout)}
    assert findings["access is closed"]["well"] is True
    assert findings["private sources"]["hint"] == "0 of 2000"


def test_doctor_tells_what_becomes_of_posts_for_a_chat(skywave: Skywave, tmp_path: Path) -> None:
    assert skywave("chats add telegram:5 telegram:6").exit_code == 0
    with closing(sqlite3.connect(tmp_path / "skywave.db")) as database, database:
        for address, state in (("5", "gone"), ("6", "paused")):
            changed = "UPDATE chats SET state = ?, reason = 'blocked' WHERE address = ?"
            database.execute(changed, (state, address))
    findings = {one["what"]: one["hint"] for one in json.loads(skywave("doctor --json").stdout)}
    assert findings["chat telegram:5"] == (
        "blocked; queued posts were cancelled; new posts are sent once the bot is back"
    )
    assert findings["chat telegram:6"] == "blocked; queued posts are sent once that is fixed"


def test_a_known_chat_is_said_to_be_known(skywave: Skywave) -> None:
    skywave("chats add telegram:5")
    skywave("chats ban telegram:6")
    assert skywave("chats add telegram:5 telegram:6 telegram:7 --title News").stdout.splitlines() == [
        "telegram:5 is known already",
        "telegram:6 is known already, and banned: skywave chats allow telegram:6",
        "1 chat added",
    ]
    titles = {chat["title"] for chat in json.loads(skywave("chats list --json").stdout)}
    assert titles == {"News"}


def test_a_source_that_is_added_again_is_not_said_to_be_empty(skywave: Skywave, tmp_path: Path) -> None:
    folder = tmp_path / "posts"
    folder.mkdir()
    (folder / "one.md").write_text("# One")
    assert "(1 existing post; new ones will be sent)" in skywave(f"sources add {folder}").stdout
    assert skywave(f"sources add {folder}").stdout.strip().endswith(": is already a public source")
    with closing(sqlite3.connect(tmp_path / "skywave.db")) as database, database:
        database.execute("UPDATE sources SET visibility = 'private'")
    told = skywave(f"sources add {folder}").stdout
    assert told.strip().endswith(": people had added it privately; it is public now")


def test_nothing_is_removed_unasked(skywave: Skywave, tmp_path: Path) -> None:
    (tmp_path / "posts").mkdir()
    assert skywave("chats add telegram:5").exit_code == 0
    assert skywave("sources add ./posts").exit_code == 0
    for words, listed in (("sources remove 1", "sources list"), ("chats remove telegram:5", "chats list")):
        before = skywave(listed).stdout
        refused = skywave(words)
        assert refused.exit_code == 2 and "add --yes" in refused.stderr and refused.stderr.count("\n") == 1
        assert skywave(listed).stdout == before
        assert "removed" in skywave(f"{words} --yes").stdout
        assert len(skywave(listed).stdout.splitlines()) == 1
        assert skywave(f"{words} --yes").exit_code == 1, "it is gone"


class Typing(StringIO):
    """A terminal at which somebody has typed."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("typed", "goes_on"), [("y\n", True), ("YES\n", True), ("\n", False), ("", False)])
def test_only_a_yes_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], typed: str, goes_on: bool
) -> None:
    monkeypatch.setattr("sys.stdin", Typing(typed))
    with nullcontext() if goes_on else pytest.raises(SystemExit, match="1"):
        confirm("Remove all?", yes=False)
    assert capsys.readouterr().err.startswith("Remove all? [y/N] ")


def test_the_terminal_of_the_operators_stays(skywave: Skywave) -> None:
    skywave("posts add Hello --at 23:59")
    refused = skywave("chats remove terminal:me --yes")
    assert refused.exit_code == 2 and "cannot be removed" in refused.stderr


def test_deliveries_are_listed_with_what_they_bring_the_newest_first(
    skywave: Skywave, tmp_path: Path
) -> None:
    assert skywave("subscriptions add telegram:-1001").exit_code == 0
    folder = tmp_path / "posts"
    folder.mkdir()
    assert skywave(f"sources add {folder}").exit_code == 0
    for name in ("One", "Two"):
        (folder / f"{name}.md").write_text(f"# {name}\n\nText.")
        assert skywave("poll --all").exit_code == 0
    header, *rows = [line.split("\t") for line in skywave("deliveries list").stdout.splitlines()]
    shown = [dict(zip(header, row, strict=True)) for row in rows]
    assert [(row["title"], row["chat"]) for row in shown] == [
        ("Two", "telegram:-1001"),
        ("One", "telegram:-1001"),
    ]
    listed = json.loads(skywave("deliveries list --limit 1 --json").stdout)["deliveries"]
    assert [(one["title"], one["id"]) for one in listed] == [("Two", int(shown[0]["#"]))]
    assert listed[0]["made_at"][:16].replace("T", " ") == shown[0]["made"][:16]


def test_one_and_many_are_counted_as_people_do(skywave: Skywave) -> None:
    assert skywave("chats add telegram:5").stdout.strip().endswith("1 chat added")
    assert skywave("chats add telegram:6 telegram:7").stdout.strip().endswith("2 chats added")
    assert skywave("chats allow telegram:5").stdout.strip() == "1 chat allowed"
    assert skywave("subscriptions add telegram:5").stdout.strip() == "1 of 1 chat newly follows all"
    assert (
        skywave("subscriptions remove telegram:6").stdout.strip()
        == "0 of 1 chat unsubscribed from all sources"
    )
    assert skywave("deliveries retry").stdout.startswith("0 deliveries will be tried again")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("deliveries list --broadcast 0", "use a number of 1 or more, not '0'"),
        ("posts cancel x", "use a number of 1 or more, not 'x'"),
        ("search radio --limit 1001", "use a number from 1 to 1000, not '1001'"),
        ("deliveries watch --every nan", "use a number of 0.1 or more, not 'nan'"),
        ("chats set telegram:5 --on-unknown hlod", "use resend or hold, not 'hlod'"),
        ("latst", "skywave has no command 'latst'; it has "),
        ("deliveris", "skywave has no command 'deliveris': do you mean deliveries?"),
        ("deliveries lst", "deliveries has no command 'lst': do you mean list?"),
    ],
)
def test_what_cannot_be_read_is_told_in_plain_words(skywave: Skywave, words: str, told: str) -> None:
    result = skywave(words)
    assert result.exit_code == 2 and told in result.stderr
    assert "Input should" not in result.stderr and "'chats'" not in result.stderr


INTERRUPTED = """
import runpy, signal, sys

class Finder:
    def find_spec(self, name, path, target=None):
        if name == {module!r}:
            signal.raise_signal(signal.SIGINT)

# A shell starts background jobs with SIGINT ignored, and so may whoever runs the tests.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.meta_path.insert(0, Finder())
sys.argv = ["skywave", "chats", "list"]
runpy.run_module("bot", run_name="__main__")
"""


@pytest.mark.parametrize("module", ["bot.cli.main", "sqlalchemy"])
def test_ctrl_c_ends_quietly_while_the_program_loads(tmp_path: Path, module: str) -> None:
    environment = os.environ | {"SKYWAVE_DATABASE_URL": f"sqlite:///{tmp_path / 'skywave.db'}"}
    code = INTERRUPTED.format(module=module)
    ended = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, b"", b"")


LISTING = """
import sys
from bot.cli.main import app
try:
    app(["chats", "list"])
finally:
    unneeded = {"aiohttp", "alembic", "apprise", "apscheduler", "discord", "telegram"}
    unneeded |= {"markdown_it", "structlog"}
    print(sorted(unneeded & set(sys.modules)))
"""


def test_a_command_loads_nothing_that_only_others_need(workplace: Path) -> None:
    listed = subprocess.run(
        [sys.executable, "-c", LISTING], capture_output=True, check=False, cwd=Path(__file__).parents[2]
    )
    assert listed.stdout.splitlines()[-1] == b"[]", listed.stderr


def test_the_help_of_the_program_is_that_of_each_command(skywave: Skywave) -> None:
    shown = skywave("--help").stdout
    for name, text in COMMANDS.items():
        assert f"  {name} " in shown
        own = " ".join(skywave(f"{name} --help").stdout.split())
        assert text in own, name


def test_a_source_shows_when_it_is_read_and_can_be_read_now(skywave: Skywave, tmp_path: Path) -> None:
    folder = tmp_path / "posts"
    folder.mkdir()
    (folder / "2026-01-01-note.md").write_text("# Note\n\nText.")
    assert skywave(f"sources add {folder}").exit_code == 0
    (source,) = json.loads(skywave("sources list --json").stdout)
    assert "\t5 min\tin 5 min\t" in skywave("sources list").stdout
    (folder / "2026-01-02-note.md").write_text("# Another\n\nText.")
    assert "0 sources polled" in skywave("poll").stdout
    assert "1 source polled, 1 new post" in skywave(f"poll {source['id']}").stdout
    unknown = skywave("poll nothing")
    assert unknown.exit_code == 1 and "no source is called nothing" in unknown.stderr


def source(due: int | None = None, failures: int = 0) -> Source:
    """A source that is due so many hours from NOW."""
    moment = None if due is None else NOW + timedelta(hours=due)
    return Source(1, "feed", "https://example.org/", next_poll_at=moment, failures=failures)


def test_reading_is_well_as_long_as_any_source_is_read_as_planned() -> None:
    long_ago, five = NOW - timedelta(days=2), timedelta(minutes=5)
    assert reads_as_planned([source(-24)], NOW - five, NOW, five)
    assert reads_as_planned([source(-24), source(3)], long_ago, NOW, five)
    assert reads_as_planned([source(0)], long_ago, NOW, five)
    assert not reads_as_planned([source(-24), source(3, failures=2), source()], long_ago, NOW, five)
