"""People's side of Skywave: settings, commands, platforms, the command line."""

__version__ = "0.1.0"
