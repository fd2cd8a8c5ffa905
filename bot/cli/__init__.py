"""The command line. Exit status 0: done; 1: what was asked for failed; 2: the arguments cannot be used."""


def main() -> None:
    """The entry point of the `skywave` command; Ctrl-C ends it quietly, also while it still loads."""
    try:
        from bot.cli.main import app

        app()
    except KeyboardInterrupt:
        raise SystemExit(130) from None
