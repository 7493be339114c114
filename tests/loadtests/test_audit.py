"""The auditors themselves: each wrong is fed to them, and they must say it, and nothing else."""

import pytest

from loadtests.audit import Audit, Ledger, Trail, Wrong, fenced, once_credited, reconcile

FACTS = [f"cursor{n}" for n in range(8)]


def blamed(start: str | None, heard: list[str], facts: list[str] | None = None) -> dict[str, int]:
    """What is found wrong with a reader."""
    audit, trail = Audit(), Trail("a reader", start)
    ledger = Ledger(FACTS if facts is None else facts, FACTS if facts is None else facts)
    for cursor in heard:
        trail.hear(cursor)
    reconcile(audit, trail, ledger, ledger.places())
    return {what.name: count for what, count in audit.wrong.items()}


@pytest.mark.parametrize(
    ("start", "heard", "wrong"),
    [
        (FACTS[1], FACTS[2:], {}),
        (None, FACTS[3:], {}),
        (None, [], {}),
        (FACTS[7], [], {}),
        (FACTS[1], [*FACTS[2:5], *FACTS[6:]], {"LOST": 1}),
        (FACTS[1], FACTS[4:], {"LOST": 2}),
        (FACTS[1], FACTS[2:6], {"LOST": 2}),
        (FACTS[1], [], {"LOST": 6}),
        (None, FACTS[3:6], {"LOST": 2}),
        (FACTS[1], [*FACTS[2:5], FACTS[4], *FACTS[5:]], {"REPEATED": 1}),
        (FACTS[1], [*FACTS[2:], *FACTS[5:]], {"REPEATED": 3}),
        (FACTS[1], FACTS[1:], {"REPEATED": 1}),
        (FACTS[1], [FACTS[3], FACTS[2], *FACTS[4:]], {"REORDERED": 1}),
        (FACTS[1], [*FACTS[2:5], "of somebody else", *FACTS[5:]], {"FOREIGN": 1}),
    ],
)  # fmt: skip
def test_what_a_reader_heard_is_the_ledger_from_its_start_to_the_end(
    start: str | None, heard: list[str], wrong: dict[str, int]
) -> None:
    assert blamed(start, heard) == wrong


def test_it_counts_what_it_looked_at() -> None:
    audit, trail, ledger = Audit(), Trail("a reader", FACTS[1]), Ledger(FACTS, FACTS)
    for cursor in FACTS[2:]:
        trail.hear(cursor)
    reconcile(audit, trail, ledger, ledger.places())
    assert audit.looked_at[Wrong.LOST] == audit.looked_at[Wrong.REPEATED] == 6


def test_an_account_of_another_is_found_at_any_depth() -> None:
    audit = Audit()
    mine = {
        "incidents": {"nodes": [{"account": {"id": "mine"}}]},
        "accounts": {"nodes": [{"id": "mine"}]},
    }
    theirs = {"incidents": {"nodes": [{"promises": [{"incident": {"account": {"id": "theirs"}}}]}]}}
    fenced(audit, "somebody", mine, frozenset({"mine"}))
    assert (audit.wrong[Wrong.FOREIGN], audit.looked_at[Wrong.FOREIGN]) == (0, 2)
    fenced(audit, "somebody", theirs, frozenset({"mine"}))
    fenced(audit, "somebody", {"accounts": {"nodes": [{"id": "theirs"}]}}, frozenset({"mine"}))
    assert audit.wrong[Wrong.FOREIGN] == 2


@pytest.mark.parametrize(
    ("credited", "told", "wrong"),
    [
        (["a", "b"], ["a", "b"], set()),
        (["a", "b", "a"], ["a", "b"], {Wrong.TWICE_CREDITED}),
        (["a", "b"], ["a", "b", "b"], {Wrong.TWICE_CREDITED}),
        (["a"], ["a"], {Wrong.UNCREDITED}),
    ],
)
def test_a_breach_has_one_credit(credited: list[str], told: list[str], wrong: set[Wrong]) -> None:
    audit = Audit()
    once_credited(audit, "somebody", ["a", "b"], credited, told)
    assert set(audit.wrong) == wrong
