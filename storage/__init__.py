"""The ports of content and scheduler on SQLAlchemy: SQLite and PostgreSQL from one code base."""
