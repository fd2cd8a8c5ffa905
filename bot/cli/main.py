"""The program `skywave`: its commands, and which module each of them is."""

from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import Annotated, Any

import typer

from bot import __version__
from bot.cli.arguments import Commands

# A command is the module of its name in this package. Its help is repeated here, because `skywave --help`
# does not load the modules.
IMPORT = "import"  # Python reserves this word, so its module has another name
COMMANDS: Mapping[str, str] = {
    "run": "Run everything that is configured: platforms, polling, deliveries.",
    "chat": "Read and command in this terminal.",
    "sources": "Where posts come from.",
    "chats": "Where posts go.",
    "subscriptions": "Which chat follows which source.",
    "digests": "Scheduled digests of chats.",
    "posts": "Updates that you write yourself.",
    "deliveries": "What was sent, what is queued, what failed.",
    "why": "Say why a chat got a post, or why it did not.",
    IMPORT: "Take over the chats and subscriptions of another bot.",
    "invite": "Print the links that add the bot; Telegram's can carry a source along.",
    "poll": "Poll the sources that are due, once.",
    "search": "Search all posts.",
    "audit": "List who changed what, the newest first.",
    "doctor": "Check database, time zones, tokens, permissions and sources, and say how to fix each.",
    "health": "Ask the running process whether it is alive.",
    "db": "The database.",
}


def load(command: str) -> ModuleType:
    """The module of a command."""
    return import_module(f"bot.cli.{'imports' if command == IMPORT else command}")


class Program(Commands):
    """The commands of `skywave`. Only the module of the one that was given is loaded: all take a second."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        try:
            module = load(cmd_name)
        except KeyboardInterrupt:
            raise SystemExit(130) from None  # typer would print "Aborted!"
        command = typer.main.get_command(module.commands)
        command.name = cmd_name
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


app = typer.Typer(
    name="skywave",
    cls=Program,
    help="Broadcast the posts of sites and feeds to Telegram, Discord and the terminal.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"skywave {__version__}")
        raise typer.Exit


@app.callback()
def _program(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    return None
