"""The catalogue of facts is whole, and its page is what the code says."""

import re
from pathlib import Path

from api.commands.facts import PATH
from domain.access.facts import RIGHT_OF_KIND
from domain.catalogue import kinds, page

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
