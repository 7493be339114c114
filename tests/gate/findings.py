"""What came of probing every role: the probes, how many could have hit, and what differs from the page."""

from dataclasses import dataclass, field
from typing import Any

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
