"""What came of probing every role: the probes, how many could have hit, and what differs from the page."""

import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from graphql import GraphQLSchema

from schema.core import loaders
from tests.gate.mistakes import Mistake

EMPTY: tuple[Any, ...] = (None, [], {})
NOTHING = {"reportPunctuality": {"due": 0, "kept": 0, "late": 0}}
"""What is answered about a client out of reach, where that is not null."""


@dataclass
class Findings:
    """What came of the probing."""

    probes: dict[str, bool] = field(default_factory=dict)
    found: list[str] = field(default_factory=list)

    def note(self, label: str, *, armed: bool) -> None:
        """Count a probe; it is armed when it was armed once."""
        self.probes[label] = self.probes.get(label, False) or armed

    def differ(self, label: str, expected: Any, told: Any) -> None:
        """Note a value where none is expected, or none where one is."""
        if told != 0 and expected == 0 and any(name in label for name in NOTHING):
            self.found.append(f"leak: {label}: {told}")
        if "disclosures" in label and set(told or ()) != set(expected or ()):
            self.found.append(f"leak or loss: {label}: {set(told or ())}")
        if (told in EMPTY) != (expected in EMPTY):
            found = "leak" if expected in EMPTY else "loss"
            self.found.append(f"{found}: {label}: {str(told)[:80]}")

    @property
    def share(self) -> float:
        """The share of probes that would have hit, had the door been open."""
        return sum(self.probes.values()) / max(1, len(self.probes))

    def __str__(self) -> str:
        unarmed = sorted({each.split("|")[1] for each, armed in self.probes.items() if not armed})
        return f"{len(self.probes)} probes, {self.share:.1%} armed, {len(self.found)} findings; unarmed: {unarmed}"


def must_find_nothing(found: Findings, *, share: float, probes: int) -> None:
    """Print what came of the probing; fail for a finding, for too few armed probes or too few probes at all."""
    sys.stdout.write(f"{found}\n")
    assert found.found == [], "\n".join(found.found)
    assert found.share >= share
    assert len(found.probes) > probes


@contextmanager
def made(mistake: Mistake, schema: GraphQLSchema) -> Iterator[None]:
    """Make a mistake that statements compiled before do not know, and forget those compiled meanwhile."""
    with mistake.make(schema), patch.object(loaders, "_prepared", {}):
        yield


async def must_find_each(
    mistakes: Sequence[Mistake],
    schema: GraphQLSchema,
    found_by: Callable[[Mistake], Awaitable[list[str]]],
    *,
    least: int,
) -> None:
    """Make the mistakes one at a time; fail for one that is not found, and for a finding without it."""
    missed = []
    for mistake in mistakes:
        without = await found_by(mistake)
        with made(mistake, schema):
            if without or not await found_by(mistake):
                missed.append(f"{mistake.name} ({mistake.only}): {without[:2]}")
    sys.stdout.write(f"{len(mistakes)} mistakes, {len(missed)} missed: {missed}\n")
    assert missed == []
    assert len(mistakes) >= least


async def must_be_harmless(
    mistakes: Sequence[Mistake],
    schema: GraphQLSchema,
    found_by: Callable[[Mistake], Awaitable[list[str]]],
) -> None:
    """Make the mistakes one at a time; fail for one that is found, because another defence no longer holds."""
    for mistake in mistakes:
        assert await found_by(mistake) == []
        with made(mistake, schema):
            assert await found_by(mistake) == [], mistake.name
    sys.stdout.write(f"{len(mistakes)} mistakes are harmless\n")
