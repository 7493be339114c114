"""Rules of testimonials: the texts of consent and law, who is asked again, and structured data of a showcase."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

ASKED_AGAIN = timedelta(days=180)
"""Time in which nobody is asked twice, whatever the answer was."""
LONGEST = timedelta(days=3 * 365)
"""Longest time for which consent is asked."""
CONSENT_VERSION = 1
CONSENT: Mapping[int, Mapping[str, str]] = {
    1: {
        "nl": "Ik ben akkoord dat {company} deze tekst met de naam hierboven laat zien in de"
        " kanalen die ik aanvink, tot"
        " en met de datum die ik kies. Ik kan dat op elk moment intrekken met deze link; de"
        " tekst verdwijnt dan meteen.",
        "en": "I agree that {company} shows this text with the name above in the channels that I tick, until the date"
        " that I choose. I can withdraw this at any time with this link; the text is then gone at once.",
    }
}
"""Texts of consent by version and language. A published version never changes."""
STATEMENT: Mapping[str, str] = {
    "nl": "Hoe deze teksten tot stand komen: alle contactpersonen van alle klanten krijgen dezelfde vraag, ongeacht wat"
    " zij van ons vinden. Wij controleren dat een schrijver contactpersoon van een klant is: alleen wie wij persoonlijk"
    " per e-mail vroegen kan schrijven. Er staat geen vergoeding tegenover. Wij veranderen niets aan een tekst en"
    " weigeren er alleen een die niet over de dienst gaat, personen noemt, vertrouwelijk of beledigend is, of niet van"
    " de schrijver is; niet omdat een tekst ongunstig is.",
    "en": "How these texts come about: all contacts of all clients are asked in the same way,"
    " whatever they think of us."
    " We check that an author is a contact of a client: only those whom we asked by personal"
    " e-mail can write. Nobody is"
    " paid. We change nothing in a text, and refuse only one that is not about the service, names persons, is"
    " confidential or offensive, or is not by its author; never because it is unfavourable.",
}
"""What the law asks to be said beside reviews that a company shows (Dutch Civil Code 6:193e, since 28 May 2022)."""


class ShownTestimonial(NamedTuple):
    """A testimonial as everybody sees it."""

    words: str
    name: str
    role: str | None
    language: str
    given_on: date


def structured_data(company: str, shown: Iterable[ShownTestimonial]) -> dict[str, Any]:
    """Return schema.org's description of a showcase: the company, and a review by each author.

    There is no rating, because none was asked for.
    """
    return {
        "@context": "https://schema.org",
        "@type": "Organization",
        "name": company,
        "review": [
            {
                "@type": "Review",
                "reviewBody": each.words,
                "inLanguage": each.language,
                "datePublished": each.given_on.isoformat(),
                "author": {
                    "@type": "Person",
                    "name": each.name,
                    **({"jobTitle": each.role} if each.role else {}),
                },
                "itemReviewed": {"@type": "Organization", "name": company},
            }
            for each in shown
        ],
    }
