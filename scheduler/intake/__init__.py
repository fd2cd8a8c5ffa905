"""Intake: poll the sources, compare and store their posts, and fan new posts out to chats."""
