"""The prober of roles knows every condition of the page about visibility, written a second time by its words."""

import pytest

from tests.gate.expected import WITHIN
from tests.gate.table import LEFT
from tests.gate.test_roles import PAGE


@pytest.mark.parametrize("table", sorted(PAGE.rows))
def test_the_conditions_on_rows_of_a_table_are_known(table: str) -> None:
    rule = PAGE.rows[table]
    assert rule.where in WITHIN
    assert rule.left.keys() <= {right for rights in PAGE.rights.values() for right in rights}
    assert set(rule.left.values()) <= LEFT.keys()
