"""Leases, the audit, and facts about the database."""

from datetime import datetime

from sqlalchemy import Column, Named, Table, Text, TypedColumns

from storage.tables.base import METADATA, Id, UtcDateTime


class Leases(TypedColumns):
    name: Named[str] = Column(Text, primary_key=True)
    holder: Named[str] = Column(Text)
    epoch: Named[int] = Column(Id)
    until: Named[datetime] = Column(UtcDateTime)


LEASES = Table("leases", METADATA, Leases)


class Audit(TypedColumns):
    id: Named[int] = Column(Id, primary_key=True)
    at: Named[datetime] = Column(UtcDateTime)
    actor: Named[str] = Column(Text)
    action: Named[str] = Column(Text)
    target: Named[str] = Column(Text)


AUDIT = Table("audit", METADATA, Audit)


class Meta(TypedColumns):
    """Facts about the database itself, such as the version of the tokenizer that built its index."""

    name: Named[str] = Column(Text, primary_key=True)
    value: Named[str] = Column(Text)


META = Table("meta", METADATA, Meta)
