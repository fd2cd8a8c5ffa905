"""The command line. Exit status 0: done; 1: what was asked for failed; 2: the arguments cannot be used."""

import gc


def main() -> None:
    """The entry point of the `skywave` command; Ctrl-C ends it quietly, also while it still loads."""
    # Loading modules leaves no garbage, but looking for it takes a sixth of a start. `result_of` enables it.
    gc.disable()
    try:
        from bot.cli.main import app

        app()
    except KeyboardInterrupt:
        raise SystemExit(130) from None
