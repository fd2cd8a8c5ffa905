"""Panels: one message whose buttons set what can be set for a chat and its subscriptions."""
