"""The catalogue of facts is whole, and its page is what the code says."""

import re
from pathlib import Path

from api.commands.facts import PATH
from domain.access.facts import RIGHT_OF_KIND
from domain.catalogue import kinds, page
from domain.fact_ids import UNNAMED, type_named_by
from schema.core.loaders import NODES

DOMAIN = Path(__file__).parents[2] / "domain"


def test_every_kind_that_the_code_records_is_in_the_catalogue_with_its_words() -> None:
    written = {
        kind
        for file in DOMAIN.rglob("*.py")
        for kind in re.findall(r'kind: ClassVar\[str\] = "([^"]+)"', file.read_text())
    }
    assert written == kinds().keys() == RIGHT_OF_KIND.keys()
    assert [each.kind for each in kinds().values() if not each.description] == []


def test_the_page_of_facts_is_what_the_code_says() -> None:
    assert PATH.read_text() == page(), "run `waarborg facts`"


def test_every_id_in_a_body_is_of_a_type_or_known_to_name_nothing_shown() -> None:
    held = {
        (kind.kind, field.name): field
        for kind in kinds().values()
        for field in kind.fields
        if "UUID" in field.type
    }
    missing = sorted(
        name for name in held if type_named_by(*name) is None and name[1] not in UNNAMED
    )
    assert missing == [], "add the fields to TYPES (or UNNAMED) of domain/fact_ids.py"
    types = {model.__name__ for model in NODES}
    assert {field.names for field in held.values()} - {None} <= types
    assert len(held) > 80
