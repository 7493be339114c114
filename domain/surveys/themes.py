"""Themes of what people wrote, by a taxonomy of words: which words decided is always shown. Pure functions.

A word of the taxonomy is found at the beginning of a word of the text (`laat` finds `later`), so that inflected forms
need no entry; one that ends with a blank is found as a whole word. A text can have several themes, or none.
"""

import re
from enum import StrEnum
from functools import cache
from typing import NamedTuple

VERSION = 1
"""Number of the taxonomy; it is raised with every change of its words."""


class Theme(StrEnum):
    """Theme of feedback about guarding."""

    PUNCTUALITY = "punctuality"
    COVERAGE = "coverage"
    CONDUCT = "conduct"
    EXPERTISE = "expertise"
    RESPONSE = "response"
    RESOLUTION = "resolution"
    COMMUNICATION = "communication"
    REPORTING = "reporting"
    PATROLS = "patrols"
    BILLING = "billing"
    CONTINUITY = "continuity"
    TECHNOLOGY = "technology"


class FoundTheme(NamedTuple):
    """A theme of a text, with the words of the text that decided."""

    theme: Theme
    words: tuple[str, ...]


_WORDS: dict[Theme, str] = {
    Theme.PUNCTUALITY: "te laat |op tijd |stipt|punctu|vertraag|te vroeg |later dan |kwam laat|late |on time |delay"
    "|tardy|too early |minutes late",
    Theme.COVERAGE: "bezetting|onderbezet|vervang|niemand |invaller|inval|ziekmelding|niet komen opdagen|dienst open"
    "|understaff|no show|no-show|replacement|nobody |cover |coverage|unmanned|short-staffed",
    Theme.CONDUCT: "vriendelijk|onbeleefd|beleefd|brutaal|houding|uniform|verzorgd|netjes|gedrag|respect|onbeschoft"
    "|friendl|polite|rude|attitude|appearance|courteous|behav|unfriendl",
    Theme.EXPERTISE: "deskundig|vakkundig|kennis|opgeleid|opleiding|ervaren|onervaren|wist niet|kende|kent "
    "|getraind|expert|knowledg|trained|training|experienced|inexperienced|skilled|competent|knows |did not know",
    Theme.RESPONSE: "reactie|reageer|reageert|gereageerd|snel ter plaatse|aanrij|opvolging|alarmopvolging|ter plaatse"
    "|respon|react|arrived|quick|fast |on site within",
    Theme.RESOLUTION: "opgelost|oplossing|verholpen|afgehandeld|afhandeling|hersteld|terugkerend|nog steeds "
    "|resolv|solved|solution|fixed|still not |recurring|handled",
    Theme.COMMUNICATION: "communic|bereikbaar|terugbel|teruggebeld|belt |bellen |gebeld|informeer|geïnformeerd"
    "|op de hoogte|contact|luister|reachable|call back|called|inform|told us|updates|listen|keep us posted",
    Theme.REPORTING: "rapport|verslag|dagrapport|logboek|maandoverzicht|report|logbook|write-up|summary|summaries",
    Theme.PATROLS: "ronde |rondes |surveillance|controleronde|sluitronde|openingsronde|patroul|patrol|rounds |round "
    "|checkpoint|lock-up",
    Theme.BILLING: "factu|tarief|tarieven|prijs|prijzen|kosten |duur |creditnota|te veel betaald|invoic|price"
    "|billing|bill |expensive|charge|rate |costs |credit note",
    Theme.CONTINUITY: "vaste |wisselend|steeds iemand anders|verloop|nieuwe gezichten|dezelfde beveilig|andere beveilig"
    "|elke week een ander|same guard|different guard|turnover|new faces|regular guard|someone else|changes of staff",
    Theme.TECHNOLOGY: "camera|app |portaal|systeem|toegangspas|pasje|software|storing|intercom|slagboom|portal|system"
    "|badge|outage|barrier|website|login",
}


def themes_of(text: str) -> list[FoundTheme]:
    """Return the themes of a text in Dutch or English, with the words that decided."""
    line = " ".join(text.casefold().split())
    found = []
    for theme in Theme:
        words = dict.fromkeys(match[0].strip() for match in _pattern(theme).finditer(line))
        if words:
            found.append(FoundTheme(theme, tuple(words)))
    return found


@cache
def _pattern(theme: Theme) -> re.Pattern[str]:
    parts = [
        rf"{re.escape(each.strip())}\b" if each.endswith(" ") else rf"{re.escape(each)}\w*"
        for each in _WORDS[theme].split("|")
    ]
    return re.compile(rf"(?<!\w)(?:{'|'.join(parts)})")
