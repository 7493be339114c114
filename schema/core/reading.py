"""Read the rows of a query by a prepared statement: a query of a known shape is not compiled again."""

from typing import Any

from cachetools import LRUCache
from sqlalchemy import Select

from domain.core.db import Sessions
from domain.core.prepared_rows import PreparedRows, RowReader, columns_of

KEPT = 2_000
"""Statements that are kept compiled, one for each shape of a query; about 10 kB each."""
_prepared: LRUCache[object, PreparedRows] = LRUCache(KEPT)


async def read_rows(
    sessions: Sessions, query: Select[Any], only: frozenset[str] | None = None
) -> list[Any]:
    """Return the rows of a query of one model, which belong to no session where the query could be prepared.

    With `only`, they have at least these attributes.
    """
    reader: RowReader | None = getattr(sessions, "reader", None)
    model = _model_of(query)
    if reader is not None and model is not None:
        bare: Any = query.with_only_columns(*columns_of(model, only), maintain_column_froms=True)
        shape = bare._generate_cache_key()
        if shape is not None and not any(each.expanding for each in shape.bindparams):
            key = (reader.dialect, model, only, shape.key)
            prepared = _prepared.get(key)
            if prepared is None:
                prepared = PreparedRows(model, bare, reader.dialect, 0, shape, only)
                _prepared[key] = prepared
            records = await reader.fetch(prepared.sql, prepared.arguments_of(shape))
            if records is not None:
                return [prepared.row(record) for record in records]
    async with sessions() as session:
        return list(await session.scalars(query))


def _model_of(query: Any) -> type[Any] | None:
    """Return the model whose rows a query selects; None for a query of anything else, or with options."""
    if query._with_options or len(query._raw_columns) != 1:
        return None
    [described] = query.column_descriptions
    model = described["entity"]
    return model if model is described["expr"] else None
