"""Rows of prepared statements: they hold what was selected, and reading anything else is an error."""

import pytest

from domain.core.prepared_rows import NotRead, plain_class
from domain.incidents import Incident


def test_a_row_reads_its_own_values_and_the_properties_of_the_model() -> None:
    row = object.__new__(plain_class(Incident))
    row.__dict__["number"] = 123
    assert isinstance(row, Incident)
    assert row.number == 123
    assert row.reference == "INC-000123"


def test_reading_an_attribute_that_was_not_selected_is_an_error_that_no_default_hides() -> None:
    row = object.__new__(plain_class(Incident))
    with pytest.raises(NotRead, match=r"Incident\.summary"):
        getattr(row, "summary", None)
