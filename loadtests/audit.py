"""The auditor: what was heard, acknowledged and credited, held against the ledger. Pure; it knows no socket.

Nobody can hear from an event alone that the one before it was lost, because numbers are sealed in cursors. But the
ledger can be read over the wire, with the same eyes: what a reader heard must be that list, from where he began to
its end, each once, in its order.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

MOST_WORDS = 200  # violations that are kept in words; all are counted


class Wrong(StrEnum):
    """What must never happen. The values are sentences of the report: "never …"."""

    LOST = "a fact that a reader never heard"
    REPEATED = "a fact heard twice"
    REORDERED = "a fact heard out of order"
    FOREIGN = "a fact or row of another client or company"
    UNTOLD = "an acknowledged change that its own feed never told"
    TWICE = "one change with two effects"
    TWICE_CREDITED = "two credits for one breach"
    UNCREDITED = "a breach without its credit"
    FIX = "a fix that counted twice, never, or was moved back"
    CURSOR = "a cursor taken that is not ours, or refused that is"


@dataclass
class Audit:
    """Everything that was found wrong, and how much was looked at."""

    wrong: Counter[Wrong] = field(default_factory=Counter)
    looked_at: Counter[Wrong] = field(default_factory=Counter)
    words: list[str] = field(default_factory=list)

    def blame(self, what: Wrong, words: str, count: int = 1) -> None:
        """Say that something which must never happen did."""
        self.wrong[what] += count
        if len(self.words) < MOST_WORDS:
            self.words.append(f"{what.name}: {words}")

    def saw(self, *whats: Wrong, count: int = 1) -> None:
        """Count what was looked at; a check that looked at nothing proves nothing."""
        for what in whats:
            self.looked_at[what] += count


def mark(cursor: str) -> int:
    """What is kept of a cursor: 8 bytes; good within this process."""
    return hash(cursor)


@dataclass
class Trail:
    """What one reader heard, in order. `start` is the cursor it began behind; None began with what came next."""

    name: str
    start: str | None
    marks: "array[int]" = field(default_factory=lambda: array("q"))

    def hear(self, cursor: str) -> None:
        """Note one fact."""
        self.marks.append(mark(cursor))

    @property
    def last(self) -> int | None:
        """The mark of the last fact that was heard."""
        return self.marks[-1] if self.marks else None


@dataclass(frozen=True)
class Ledger:
    """What the same eyes see in the ledger, in its order."""

    cursors: Sequence[str]
    words: Sequence[str]  # what each fact is, for the report

    def places(self) -> dict[int, int]:
        """Where each fact stands, by mark."""
        return {mark(cursor): place for place, cursor in enumerate(self.cursors)}


def reconcile(
    audit: Audit, trail: Trail, ledger: Ledger, places: Mapping[int, int], due: str | None = None
) -> None:
    """Hold what one reader heard against the ledger: from its start, without a hole, each once, in order.

    `due` is the fact that it must have come to at least; None is the last one.
    """
    heard = trail.marks
    if trail.start is not None:
        begin = places.get(mark(trail.start), -1) + 1
    elif heard:
        begin = places.get(heard[0], 0)
    else:
        return  # it began with what came next, and nothing came
    audit.saw(Wrong.REPEATED, Wrong.REORDERED, Wrong.FOREIGN, count=len(heard))
    told: set[int] = set()
    furthest = -1
    for number, each in enumerate(heard, start=1):
        place = places.get(each)
        if place is None:
            audit.blame(Wrong.FOREIGN, f"{trail.name}: the {number}th fact is not in its ledger")
            continue
        if each in told or place < begin:
            audit.blame(Wrong.REPEATED, f"{trail.name} heard {ledger.words[place]} again")
        elif place < furthest:
            words = f"{ledger.words[place]} after {ledger.words[furthest]}"
            audit.blame(Wrong.REORDERED, f"{trail.name} heard {words}")
        told.add(each)
        furthest = max(furthest, place)
    last = len(ledger.cursors) - 1 if due is None else places.get(mark(due), -1)
    expected = range(begin, max(last, furthest) + 1)
    audit.saw(Wrong.LOST, count=len(expected))
    missing = [place for place in expected if mark(ledger.cursors[place]) not in told]
    if missing:
        words = f"{len(missing)} facts, first {ledger.words[missing[0]]}"
        audit.blame(Wrong.LOST, f"{trail.name} never heard {words}", len(missing))


def fenced(audit: Audit, who: str, answer: Any, allowed: frozenset[str]) -> None:
    """No account in an answer, at any depth, may be another than the `allowed` ones."""
    for account in accounts_in(answer):
        audit.saw(Wrong.FOREIGN)
        if account not in allowed:
            audit.blame(Wrong.FOREIGN, f"{who} was shown the account {account}")


def accounts_in(answer: Any) -> Iterable[str]:
    """The ids of all accounts in an answer: `account {id}` and `accounts {nodes {id}}`, wherever."""
    if isinstance(answer, list):
        for each in answer:
            yield from accounts_in(each)
    elif isinstance(answer, dict):
        for name, value in answer.items():
            if name == "account" and isinstance(value, dict) and "id" in value:
                yield value["id"]
            elif name == "accounts" and isinstance(value, dict):
                yield from (each["id"] for each in value.get("nodes", ()) if "id" in each)
            yield from accounts_in(value)


def once_credited(
    audit: Audit, who: str, breached: Sequence[str], credited: Sequence[str], told: Sequence[str]
) -> None:
    """Each breached promise has one credit; `credited` are the credits' promises, `told` those of the facts."""
    audit.saw(Wrong.TWICE_CREDITED, Wrong.UNCREDITED, count=len(breached))
    for source, promises in (("credits", credited), ("facts about credits", told)):
        for promise, count in Counter(promises).items():
            if count > 1:
                audit.blame(
                    Wrong.TWICE_CREDITED, f"{who}: {count} {source} for the promise {promise}"
                )
    for promise in set(breached) - set(credited):
        audit.blame(Wrong.UNCREDITED, f"{who}: the promise {promise}")
