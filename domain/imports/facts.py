"""Facts in the columns of a file: the position of each one, and its fields besides its time."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from domain.agreements.model import Priority
from domain.core.erasable_text import commit_to
from domain.imports.column_file import Cell
from domain.imports.durations import Unit
from domain.imports.mapping import Column, FactColumn, Profile, Value
from domain.imports.staged import StagedFact
from domain.incidents.model import PauseCause

Take = Callable[[Sequence[Cell]], str | None]
RANK = (
    "incident.reopened",
    "incident.resumed",
    "incident.acknowledged",
    "incident.work_started",
    "incident.arrived",
    "incident.prioritised",
    "incident.reassigned",
    "incident.paused",
    "incident.updated",
    "incident.resolved",
    "incident.closed",
)
"""The order of facts with the same time."""

_PERSONAL = {
    "incident.reassigned": "to",
    "incident.reopened": "reason",
    "incident.prioritised": "reason",
}
_DEFAULT_TEXT = {
    "incident.reopened": "reopened at the source",
    "incident.prioritised": "changed at the source",
}
_FIELD = {"incident.paused": "cause", "incident.prioritised": "priority"}


class FactAt(NamedTuple):
    """A fact of the profile, with the columns of this file."""

    spec: int
    kind: str
    at: int
    unit: Unit | None  # of a duration after the opening; None when `at` is an instant
    when: list[tuple[int, frozenset[str]]]
    body: Take | None  # the update's text, the cause, the priority
    words: Take | None  # text that may be about people

    @property
    def field(self) -> str:
        """The name of `body` in the fact."""
        return _FIELD.get(self.kind, "text")


Find = Callable[[Column], int | None]
Need = Callable[[Column, str], int]
Text = Callable[[str | Value | None, str], Take]
Word = Callable[[str | Value, str, type[Priority | PauseCause]], Take]


def fact_columns(profile: Profile, find: Find, need: Need, text: Text, word: Word) -> list[FactAt]:
    """The facts and updates of a profile, in the order in which they usually happen."""
    found = [*_facts(profile, find, need, text, word), *_updates(profile, need, text)]
    return sorted(found, key=lambda fact: RANK.index(fact.kind))


def _facts(profile: Profile, find: Find, need: Need, text: Text, word: Word) -> Iterator[FactAt]:
    for spec, fact in enumerate(profile.facts):
        where = f"facts[{spec}]"
        column, name = (fact.at, "at") if fact.at is not None else (fact.after, "after")
        if column is None or (fact.optional and find(column) is None):
            continue
        yield FactAt(
            spec,
            fact.kind,
            need(column, f"{where}.{name}"),
            None if fact.at is not None else fact.unit,
            _when(fact.when, where, need),
            _body(fact, where, word),
            _words(fact, where, text),
        )


def _body(fact: FactColumn, where: str, word: Word) -> Take | None:
    if fact.kind == "incident.paused":
        cause = fact.cause or str(PauseCause.WAITING_ON_CLIENT)
        return word(cause, f"{where}.cause", PauseCause)
    if fact.priority is not None:
        return word(fact.priority, f"{where}.priority", Priority)
    return None


def _words(fact: FactColumn, where: str, text: Text) -> Take | None:
    name = _PERSONAL.get(fact.kind)
    given = None if name is None else getattr(fact, name)
    return None if given is None else text(given, f"{where}.{name}")


def _updates(profile: Profile, need: Need, text: Text) -> Iterator[FactAt]:
    for extra, update in enumerate(profile.updates):
        where = f"updates[{extra}]"
        yield FactAt(
            len(profile.facts) + extra,
            "incident.updated",
            need(update.at, f"{where}.at"),
            None,
            _when(update.when, where, need),
            text(update.body, f"{where}.body"),
            None,
        )


def _when(
    when: Mapping[str, str | list[str]], where: str, need: Need
) -> list[tuple[int, frozenset[str]]]:
    return [
        (need(column, f"{where}.when"), frozenset([words] if isinstance(words, str) else words))
        for column, words in when.items()
    ]


def staged_fact(
    fact: FactAt,
    number: int,
    key: str,
    at: datetime,
    said_at: datetime | None,
    *,
    body: str | None,
    words: str | None,
) -> StagedFact:
    """Return one fact for staging. Texts about people are committed to, and can be erased."""
    if fact.kind == "incident.updated":
        return StagedFact(number, key, fact.spec, at, said_at, body)
    detail = {} if body is None else {fact.field: body}
    commitment = salt = None
    if words is not None:
        commitment, salt = commit_to(words)
        detail[_PERSONAL[fact.kind]] = commitment
    elif fact.kind in _DEFAULT_TEXT:
        detail["reason"] = _DEFAULT_TEXT[fact.kind]
    text = msgspec.json.encode(detail).decode() if detail else None
    return StagedFact(number, key, fact.spec, at, said_at, body, text, commitment, salt, words)
