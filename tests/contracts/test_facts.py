"""The catalogue of facts is whole, and its page is what the code says."""

import re
from pathlib import Path

from api.commands.facts import PATH
from domain.access.facts import RIGHT_OF_KIND
from domain.catalogue import fact_classes, kinds, page, subject_type
from domain.core.ledger import Fact
from domain.fact_ids import UNNAMED, type_named_by
from schema.build import nodes

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


WITHOUT_SUBJECT = {
    # about a contact or a user
    "address.freed",
    "address.suppressed",
    # about a contact or a user, as the body's `person` says
    "person.erased",
    "person.erasure_requested",
    "person.exported",
    # the query `checkpoints` finds it by its size
    "checkpoint.published",
}


def test_every_kind_of_fact_says_what_it_is_about_and_node_finds_it() -> None:
    silent = sorted(
        kind
        for kind, fact in fact_classes().items()
        if not any(
            "subject_type" in vars(each) for each in fact.__mro__[: fact.__mro__.index(Fact)]
        )
    )
    assert silent == [], (
        "declare `subject_type` beside `kind`: the type that shows what it is about"
    )
    found = {kind: subject_type(kind) for kind in fact_classes()}
    assert {kind for kind, name in found.items() if name is None} == WITHOUT_SUBJECT
    types = {model.__name__ for model in nodes()}
    assert {kind for kind, name in found.items() if name not in types} == WITHOUT_SUBJECT


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
    types = {model.__name__ for model in nodes()}
    assert {field.names for field in held.values()} - {None} <= types
    assert len(held) > 80
