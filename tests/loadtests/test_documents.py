"""Users ask what the schema answers: every document is valid against the committed SDL."""

from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

from loadtests.documents import DOCUMENTS

SCHEMA = build_schema((Path(__file__).parents[2] / "schema" / "schema.graphql").read_text())


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_fits_the_schema(name: str) -> None:
    assert validate(SCHEMA, parse(DOCUMENTS[name])) == []
