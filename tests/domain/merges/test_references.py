"""Every column that names a site or a contact has a treatment, so that a new table is not forgotten by merges."""

from collections.abc import Mapping
from typing import Any, cast

import pytest

from domain.core.base import Base
from domain.merges import CONTACTS, SITES
from domain.merges.references import Reference
from domain.metadata import metadata

NAMES = {"site": {"site_id", "site_ids"}, "contact": {"contact_id", "contact_ids"}}
"""Columns that name a row without a foreign key, such as lists of ids."""


def naming(table: str) -> set[str]:
    """Every column with a foreign key to a table, or a name that says that it holds its ids."""
    return {
        f"{each.name}.{column.name}"
        for each in metadata.tables.values()
        for column in each.columns
        if column.name in NAMES[table]
        or any(key.column.table.name == table for key in column.foreign_keys)
    }


@pytest.mark.parametrize(("table", "references"), [("site", SITES), ("contact", CONTACTS)])
def test_every_column_that_names_a_row_has_a_treatment(
    table: str, references: Mapping[str, Reference]
) -> None:
    assert references.keys() == naming(table)


@pytest.mark.parametrize("references", [SITES, CONTACTS])
def test_rows_that_move_collide_with_no_unique_key_that_is_not_named(
    references: Mapping[str, Reference],
) -> None:
    for name, reference in references.items():
        table, column = name.split(".")
        keys = {
            frozenset(each.name for each in index.columns) - {column}
            for owner in (Base.metadata.tables[table],)
            for index in cast("Any", [*owner.constraints, *owner.indexes])
            if column in {each.name for each in getattr(index, "columns", ())}
            and (getattr(index, "unique", False) or type(index).__name__ == "UniqueConstraint")
        }
        wanted = set() if reference.unique is None else {frozenset(reference.unique)}
        if reference.treatment == "moved" and name != "post.site_id":  # refused before
            assert keys == wanted, name
