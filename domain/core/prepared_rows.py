"""Rows of one model by statements that are compiled once: no session, no statement built for each read.

An ORM session costs a read 2 ms of CPU: to build and look up the statement, to open and close the session, and to
make instances that track changes. A `PreparedRows` is compiled once for each statement and actor, and its rows are
plain instances of the model: they have its columns and properties, and they belong to no session.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Protocol

from sqlalchemy import Enum, Float, Select, inspect, select
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

_FLOAT8, _NUMERIC = 701, 1700
"""PostgreSQL's numbers of these types, which decide how a number is converted."""
Record = Sequence[Any]
Convert = Callable[[Any], Any]


class RowReader(Protocol):
    """Runs prepared statements in the scope of an actor."""

    @property
    def dialect(self) -> Dialect:
        """The dialect that statements are compiled for."""

    async def fetch(self, sql: str, arguments: Sequence[Any]) -> list[Record] | None:
        """Return the records of a statement; None when the connection failed, so that another way is taken."""


class NotRead(Exception):
    """An attribute was read that the statement did not select."""


class _NotRead:
    """What an attribute is on rows without a value for it."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, row: Any, owner: type) -> Any:
        raise NotRead(f"{owner.__name__}.{self._name}")


@cache
def plain_class(model: type[Any]) -> type[Any]:
    """Return a subclass of a model whose attributes are read from the dictionary of a row at once.

    Those of the model ask SQLAlchemy first, which takes ten times as long; a page reads thousands of them.
    """
    attributes: dict[str, Any] = {each.key: _NotRead() for each in inspect(model).column_attrs}
    return type(
        model.__name__, (model,), {"__abstract__": True, "__doc__": model.__doc__} | attributes
    )


class PreparedRows:
    """A compiled statement that selects all columns of a model, after `before` columns of its own.

    `cache_key` is that of the query, for a statement that serves other queries of the same shape too. With `only`, the
    query selects those attributes, and reading another one from a row raises an error.
    """

    def __init__(
        self,
        model: type[Any],
        query: Select[Any],
        dialect: Dialect,
        before: int,
        cache_key: Any = None,
        only: frozenset[str] | None = None,
    ) -> None:
        compiled: Any = (
            query.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
            if cache_key is None
            else dialect.statement_compiler(dialect, query, cache_key=cache_key)
        )
        attributes = _attributes(model, only)
        self.sql = str(compiled)
        self._compiled = compiled
        self._model: Any = plain_class(model)  # type: ignore[arg-type]  # a type is hashable
        self._before = before
        self._keys = tuple(each.key for each in attributes)
        self._convert: tuple[tuple[str, Convert], ...] = tuple(
            (each.key, convert)
            for each in attributes
            if (convert := _converter(each.columns[0].type, dialect))
        )
        bind = compiled._bind_processors
        values = compiled.construct_params()
        self._arguments = [
            bind[name](values[name]) if name in bind and values[name] is not None else values[name]
            for name in compiled.positiontup
        ]
        self._places = {name: place for place, name in enumerate(compiled.positiontup)}

    def arguments(self, given: Mapping[str, Any]) -> list[Any]:
        """Return the arguments of the statement, with `given` in the place of the parameters of these names.

        A condition that is never true has swallowed the others, and their parameters.
        """
        arguments = self._arguments.copy()
        for name, value in given.items():
            if name in self._places:
                arguments[self._places[name]] = value
        return arguments

    def arguments_of(self, cache_key: Any) -> list[Any]:
        """Return the arguments of a query of the same shape, which has this cache key."""
        values = self._compiled.construct_params(extracted_parameters=cache_key.bindparams)
        bind = self._compiled._bind_processors
        return [
            bind[name](values[name]) if name in bind and values[name] is not None else values[name]
            for name in self._compiled.positiontup
        ]

    def converted(self, record: Record) -> Any:
        """Return an instance of the model with the values of a record of a session, which has converted them."""
        row = object.__new__(self._model)
        row.__dict__.update(zip(self._keys, record[self._before :], strict=True))
        return row

    def row(self, record: Record) -> Any:
        """Return an instance of the model with the values of a record of the driver."""
        row = object.__new__(self._model)
        values = row.__dict__
        values.update(zip(self._keys, record[self._before :], strict=True))
        for key, convert in self._convert:
            values[key] = convert(values[key])
        return row


def _converter(kind: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    """Return what turns the driver's value of a column into the model's; None where they are the same."""
    if isinstance(kind, Enum) and kind.enum_class is not None:
        members: dict[Any, Any] = {None: None}
        members |= {each.value: each for each in kind.enum_class}
        return members.__getitem__
    oid = _FLOAT8 if isinstance(kind, Float) else _NUMERIC
    convert: Convert | None = kind.dialect_impl(dialect).result_processor(dialect, oid)
    return convert


def columns_of(model: type[Any], only: frozenset[str] | None = None) -> list[Any]:
    """Return the columns of the model's table that `PreparedRows` expects."""
    return [each.columns[0] for each in _attributes(model, only)]


def rows_of(model: type[Any], only: frozenset[str] | None = None) -> Select[Any]:
    """Select what `PreparedRows` expects."""
    return select(*columns_of(model, only))


def _attributes(model: type[Any], only: frozenset[str] | None) -> list[Any]:
    return [each for each in inspect(model).column_attrs if only is None or each.key in only]
