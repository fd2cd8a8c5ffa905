"""The command line. Exit status 0: done; 1: what was asked for failed; 2: the arguments cannot be used."""

from bot.cli.main import main

__all__ = ["main"]
