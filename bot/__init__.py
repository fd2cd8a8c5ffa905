"""The user-facing layer: settings, commands, platforms and the command line."""

__version__ = "0.1.0"
