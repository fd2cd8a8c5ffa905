"""Implements the storage ports of content and scheduler with SQLAlchemy, for SQLite and PostgreSQL."""
