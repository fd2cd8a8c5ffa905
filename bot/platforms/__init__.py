"""Telegram, Discord and the terminal: events in, messages out, a renderer between."""
