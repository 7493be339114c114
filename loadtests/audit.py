"""Audit: compares what was received, acknowledged and credited with the ledger. Pure, without I/O.

A reader cannot detect a lost event from the next one, because sequence numbers are sealed in cursors. But the
ledger can be read through the API with the same rights: the reader's events must equal that list, from its
start to its end, each once, in order.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

MOST_WORDS = 200  # violations kept as text; all are counted


class Wrong(StrEnum):
    """Kinds of violations. The values complete the report's sentence "never …"."""

    LOST = "a fact that a reader never heard"
    REPEATED = "a fact heard twice"
    REORDERED = "a fact heard out of order"
    FOREIGN = "a fact or row of another client or company"
    UNTOLD = "an acknowledged change that is missing in its own feed"
    TWICE = "one change with two effects"
    TWICE_CREDITED = "two credits for one breach"
    UNCREDITED = "a breach without its credit"
    FIX = "a fix that counted twice, never, or was moved back"
    CURSOR = "a cursor taken that is not ours, or refused that is"


@dataclass
class Audit:
    """The violations found, and the number of checks made."""

    wrong: Counter[Wrong] = field(default_factory=Counter)
    looked_at: Counter[Wrong] = field(default_factory=Counter)
    words: list[str] = field(default_factory=list)

    def blame(self, what: Wrong, words: str, count: int = 1) -> None:
        """Record a violation."""
        self.wrong[what] += count
        if len(self.words) < MOST_WORDS:
            self.words.append(f"{what.name}: {words}")

    def saw(self, *whats: Wrong, count: int = 1) -> None:
        """Count checks; a kind without any check proves nothing."""
        for what in whats:
            self.looked_at[what] += count


def mark(cursor: str) -> int:
    """Return the 8-byte hash that is kept of a cursor; valid within this process."""
    return hash(cursor)


@dataclass
class Trail:
    """The events one reader received, in order. `start` is the cursor it subscribed after; None for live only."""

    name: str
    start: str | None
    marks: "array[int]" = field(default_factory=lambda: array("q"))

    def hear(self, cursor: str) -> None:
        """Record a received fact."""
        self.marks.append(mark(cursor))

    @property
    def last(self) -> int | None:
        """The mark of the last received fact."""
        return self.marks[-1] if self.marks else None


@dataclass(frozen=True)
class Ledger:
    """The facts in the ledger that are visible with the same rights, in order."""

    cursors: Sequence[str]
    words: Sequence[str]  # descriptions of the facts, for the report

    def places(self) -> dict[int, int]:
        """Return the index of each fact by its mark."""
        return {mark(cursor): place for place, cursor in enumerate(self.cursors)}


def reconcile(
    audit: Audit, trail: Trail, ledger: Ledger, places: Mapping[int, int], due: str | None = None
) -> None:
    """Compare the events of one reader with the ledger: from its start, without a gap, each once, in order.

    `due` is the fact that the reader must have reached at least; None is the last one.
    """
    heard = trail.marks
    if trail.start is not None:
        begin = places.get(mark(trail.start), -1) + 1
    elif heard:
        begin = places.get(heard[0], 0)
    else:
        return  # it subscribed to live facts, and none came
    audit.saw(Wrong.REPEATED, Wrong.REORDERED, Wrong.FOREIGN, count=len(heard))
    received: set[int] = set()
    furthest = -1
    for number, each in enumerate(heard, start=1):
        place = places.get(each)
        if place is None:
            audit.blame(Wrong.FOREIGN, f"{trail.name}: the {number}th fact is not in its ledger")
            continue
        if each in received or place < begin:
            audit.blame(Wrong.REPEATED, f"{trail.name} heard {ledger.words[place]} again")
        elif place < furthest:
            words = f"{ledger.words[place]} after {ledger.words[furthest]}"
            audit.blame(Wrong.REORDERED, f"{trail.name} heard {words}")
        received.add(each)
        furthest = max(furthest, place)
    last = len(ledger.cursors) - 1 if due is None else places.get(mark(due), -1)
    expected = range(begin, max(last, furthest) + 1)
    audit.saw(Wrong.LOST, count=len(expected))
    missing = [place for place in expected if mark(ledger.cursors[place]) not in received]
    if missing:
        words = f"{len(missing)} facts, first {ledger.words[missing[0]]}"
        audit.blame(Wrong.LOST, f"{trail.name} never heard {words}", len(missing))


def fenced(audit: Audit, who: str, answer: Any, allowed: frozenset[str]) -> None:
    """Record a violation for each account in a response, at any depth, that is not among the `allowed` ones."""
    for account in accounts_in(answer):
        audit.saw(Wrong.FOREIGN)
        if account not in allowed:
            audit.blame(Wrong.FOREIGN, f"{who} was shown the account {account}")


def accounts_in(answer: Any) -> Iterable[str]:
    """Return the ids of all accounts in a response: `account {id}` and `accounts {nodes {id}}`, at any depth."""
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
    audit: Audit,
    who: str,
    breached: Sequence[str],
    credited: Sequence[str],
    by_facts: Sequence[str],
) -> None:
    """Check that each breached promise has one credit, in the credits and in the facts about them."""
    audit.saw(Wrong.TWICE_CREDITED, Wrong.UNCREDITED, count=len(breached))
    for source, promises in (("credits", credited), ("facts about credits", by_facts)):
        for promise, count in Counter(promises).items():
            if count > 1:
                audit.blame(
                    Wrong.TWICE_CREDITED, f"{who}: {count} {source} for the promise {promise}"
                )
    for promise in set(breached) - set(credited):
        audit.blame(Wrong.UNCREDITED, f"{who}: the promise {promise}")
