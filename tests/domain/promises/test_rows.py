"""The row that both writers of promises store has every column of the table."""

from domain.promises import Promise
from domain.promises.rows import COLUMNS, COMPARED


def test_a_row_has_every_column_of_the_table_once() -> None:
    columns = {column.key for column in Promise.__table__.columns if column.computed is None}

    assert set(COLUMNS) == columns
    assert len(COLUMNS) == len(columns)
    assert set(COMPARED) < columns
