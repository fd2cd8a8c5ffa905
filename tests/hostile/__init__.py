"""Compares a run under attack by strangers, feeds and folders with a calm run."""
