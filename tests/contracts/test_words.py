"""What letters say of facts has words for every fact there is."""

import pytest

from domain.messages.rules import LANGUAGES, check_variables, render
from domain.promises import clock_event_kinds
from domain.recovery import Remedy
from tests.domain.messages.test_templates import TOLD


@pytest.mark.parametrize("kind", sorted(clock_event_kinds()))
def test_a_correction_has_words_for_every_fact_that_moves_a_clock(kind: str) -> None:
    told = TOLD["credit_adjusted"] | {"fact_kind": kind.removeprefix("incident.")}
    for language in LANGUAGES:
        words = check_variables("credit_adjusted", told)
        assert render(words, language=language, time_zone="UTC", name="An").body


@pytest.mark.parametrize("remedy", list(Remedy))
def test_an_offer_has_words_for_every_remedy(remedy: str) -> None:
    told = TOLD["recovery"] | {"offers": [str(remedy)]}
    for language in LANGUAGES:
        assert render(
            check_variables("recovery", told), language=language, time_zone="UTC", name="An"
        ).body
