"""What the page about visibility promises, read from the page: the expectation of the prober of roles.

Nothing here asks the code that enforces the table. Conditions on rows are written a second time, by their words.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]
Rights = frozenset[str]

MONEY_LETTERS = {
    *("credit_adjusted", "credit_granted", "credit_notice", "month_credit_adjusted"),
    *("daily_report", "weekly_review", "agreement_amended", "closing_note"),
    *("paid_out", "payout_reversed"),
}
LEFT: dict[str, Callable[[Row], bool]] = {
    "users of clients": lambda row: row["role"].startswith("CLIENT_"),
    "what was promised to the client": lambda row: row["internal"] is False,
    "of what was promised to the client": lambda row: row["promise"]["internal"] is False,
    "updates for the client": lambda row: row["clientVisible"] is True,
    "files for the client": lambda row: row["internal"] is False,
    "of files for the client": lambda _row: True,  # read below its file only, which is left out
    "rounds that began": lambda row: row["state"] not in {"PLANNED", "CANCELLED"},
    "not a draft": lambda row: row["state"] != "DRAFT",
    "not internal": lambda row: row["internal"] is False,
    "confirmed status reports": lambda row: row["confirmedAt"] is not None,
    "released to the client": lambda row: row["releasedAt"] is not None,
    "shared with the client": lambda row: row["sharedAt"] is not None,
    "of plans shared with the client": lambda _row: True,  # read below its plan only
    "published shifts": lambda row: row["publishedAt"] is not None,
    "granted credits": lambda row: row["state"] == "GRANTED",
    "messages that name no amounts": lambda row: row["template"] not in MONEY_LETTERS,
    "messages to contacts": lambda row: row["contact"] is not None,
    "stays and absences": lambda row: row["kind"] in {"STAY", "ABSENCE"},
    "reviews linked to a client": lambda row: row["account"] is not None,
    "inside the client's geofences": lambda row: row["site"] is not None,
}
"""What somebody without a right is left with, by the page's words."""


@dataclass(frozen=True)
class Rule:
    """A line of the table of rows."""

    rights: Rights
    where: str
    left: Mapping[str, str]
    own: bool


@dataclass(frozen=True)
class Page:
    """The page, as data."""

    rights: Mapping[str, Rights]
    scopes: Mapping[str, Rights]
    rows: Mapping[str, Rule]
    kinds: Mapping[str, str]
    fields: Mapping[tuple[str, str], str]
    operations: Mapping[str, Mapping[str, Rights]]

    def of_scopes(self, scopes: Iterable[str]) -> Rights:
        """The rights of a partner's key with these scopes."""
        base = frozenset({"READ_ACCOUNTS", "READ_ALL_WORK"})
        return base.union(*(self.scopes[scope] for scope in scopes))


def cells(line: str) -> list[str]:
    """The cells of a row of a table."""
    return [each.strip() for each in line.strip().strip("|").split("|")]


def tables(text: str) -> dict[str, list[list[str]]]:
    """The rows of the tables under each heading, heads left out; a second table is `heading 2`."""
    found: dict[str, list[list[str]]] = {}
    heading, inside, count = "", False, 0
    for line in text.splitlines():
        if line.startswith("#"):
            heading, count = line.lstrip("# "), 0
        if not line.startswith("|"):
            inside = False
            continue
        if not inside:
            inside, count = True, count + 1
            found[f"{heading} {count}"] = []
            continue
        if not line.startswith("|---"):
            found[f"{heading} {count}"].append(cells(line))
    return found


def needed(text: str) -> Rights:
    """The rights that a cell names."""
    return frozenset() if text == "none" else frozenset(text.split(" and "))


def codes(text: str) -> list[str]:
    """The names in a cell."""
    return re.findall(r"`([^`]+)`", text)


def readable_with(text: str) -> dict[str, Rights]:
    """The rights that reading each parameter needs, from the page about parameters."""
    [rows] = tables(text).values()
    return {codes(name)[0]: frozenset(map(str.upper, codes(right))) for name, *_, right in rows}


def read(text: str) -> Page:
    """Read the page."""
    found = tables(text)
    head = next(line for line in text.splitlines() if line.startswith("| right | opens |"))
    roles = cells(head)[2:]
    rights: dict[str, set[str]] = {role: set() for role in roles}
    for name, _words, *has in found["Rights by role 1"]:
        for role, cell in zip(roles, has, strict=True):
            if cell:
                rights[role].add(name)
    rows = {}
    for name, right, where, without, own in found["Rows 1"]:
        left = dict(each.split(": ", 1) for each in without.split("; ") if each)
        rows[name] = Rule(needed(right), where, left, own != "nothing")
    return Page(
        {role: frozenset(each) for role, each in rights.items()},
        {codes(s)[0]: frozenset(r.split(", ")) for s, r in found["Scopes of API keys 1"]},
        rows,
        {kind: right for right, kinds in found["Rows 2"] for kind in codes(kinds)},
        {(kind, name): right for kind, right, names in found["Fields 1"] for name in codes(names)},
        {
            title: {codes(name)[0]: needed(right) for name, right, _roles in found[f"{title} 1"]}
            for title in ("Queries", "Subscriptions", "Downloads", "Mutations")
        },
    )
