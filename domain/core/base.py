"""Declarative base class of every table: naming, column types, ids and versions."""

from collections.abc import Callable, Collection
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import uuid_utils.compat
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    DateTime,
    Enum,
    ForeignKey,
    MetaData,
    Text,
    Uuid,
    any_,
    literal,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import (
    DeclarativeBase,
    InstrumentedAttribute,
    Mapped,
    declared_attr,
    mapped_column,
)

JSON = dict[str, Any]


uuid7: Callable[[], UUID] = uuid_utils.compat.uuid7
"""Return a time-ordered id, made before the insert so that a fact can name its row."""


def among(column: InstrumentedAttribute[Any], values: Collection[Any]) -> ColumnElement[bool]:
    """Return `column = ANY(values)`. Unlike `IN`, it is one prepared statement for any number of values."""
    return column == any_(literal([*values], ARRAY(column.type)))


def _stored_as_values(kind: type[StrEnum]) -> list[str]:
    return [member.value for member in kind]


class Base(DeclarativeBase):
    """Base of all tables: aware UTC times, enums stored as text, dictionaries stored as jsonb, named constraints."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {
        datetime: DateTime(timezone=True),
        date: Date(),
        str: Text(),
        int: BigInteger(),
        UUID: Uuid(),
        JSON: JSONB(),
        StrEnum: Enum(StrEnum, native_enum=False, length=40, values_callable=_stored_as_values),
    }


class Keyed:
    """Row with an id of its own."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7, sort_order=-3)


class Tenanted(Keyed):
    """Row of one security company."""

    @declared_attr
    def tenant_id(cls) -> Mapped[UUID]:
        """The security company that the row belongs to."""
        return mapped_column(ForeignKey("tenant.id"), index=True, sort_order=-2)


class Owned(Tenanted):
    """Row of one account; visible to the account's client users, never to those of another account."""

    @declared_attr
    def account_id(cls) -> Mapped[UUID]:
        """The account that the row belongs to."""
        return mapped_column(ForeignKey("account.id"), index=True, sort_order=-1)


class Versioned:
    """Row that people edit: every update raises `version`, so that an edit based on an old version can be refused."""

    version: Mapped[int] = mapped_column(default=1)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.version}
