"""Access rules that capabilities declare: collected in every process, entered once, closed where there are none."""

import subprocess
import sys
from dataclasses import dataclass
from typing import Annotated
from uuid import uuid4

import pytest
from sqlalchemy import false

from domain.access import Actor, Right, Role, facts, fields, operations, rights, rows, visible_to
from domain.access.declarations import AccessRules, add
from domain.access.rule import Rows
from domain.declared_access import DECLARED
from schema.core import types


def test_the_declarations_of_capabilities_are_in_the_table() -> None:
    assert {"domain.recovery.access", "domain.touchpoints.access"} <= set(DECLARED)
    assert rows.ROWS["touchpoint"].rights == (Right.READ_RELATIONSHIP,)
    assert fields.RIGHT_OF_FIELD["Touchpoint", "doneBy"] == Right.READ_ACTORS
    assert operations.MUTATIONS["followUpRecovery"] == (Right.FOLLOW_UP,)
    assert facts.RIGHT_OF_KIND["recovery.opened"] == Right.READ_RECOVERY


@pytest.mark.parametrize(
    "module", ["schema.build", "workers.main", "api.app", "api.commands.key", "domain.metadata"]
)
def test_a_process_has_the_declarations_of_every_capability(module: str) -> None:
    program = f"import {module}; from domain.access.rows import ROWS; raise SystemExit('touchpoint' not in ROWS)"
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=120).returncode == 0


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (AccessRules(rows={"invoice": Rows(())}), "row invoice"),
        (AccessRules(rows={"fix": Rows(())}), "row fix"),
        (AccessRules(never_shown=frozenset({"invoice"})), "row invoice"),
        (AccessRules(fields={"Invoice": {None: "id"}}), "field Invoice.id"),
        (AccessRules(facts={Right.READ_SITES: "invoice.issued"}), "fact invoice.issued"),
        (AccessRules(queries={"invoices": ()}), "query invoices"),
        (AccessRules(subscriptions={"credits": ()}), "subscription credits"),
        (AccessRules(mutations={Right.REPORT: "bookPayment"}), "mutation bookPayment"),
        (AccessRules(scopes={"money:read": frozenset()}), "scope money:read"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_a_second_entry_is_refused(rules: AccessRules, words: str) -> None:
    with pytest.raises(ValueError, match=f"two entries for the {words}"):
        add(rules)
    assert rows.ROWS["invoice"].rights == (Right.READ_MONEY,)


@pytest.fixture
def own_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies of the tables, so that what a test adds is gone afterwards."""
    for module, names in (
        (rows, ("ROWS", "NEVER_SHOWN")), (fields, ("FIELDS", "RIGHT_OF_FIELD")),
        (facts, ("FACTS", "RIGHT_OF_KIND")), (operations, ("QUERIES", "MUTATIONS")),
        (rights, ("SCOPES", "RIGHTS")), (types, ("TYPES",)),
    ):  # fmt: skip
        for name in names:
            monkeypatch.setattr(module, name, vars(module)[name].copy())


@pytest.mark.usefixtures("own_table")
def test_rules_that_are_added_open_what_they_name_and_no_more() -> None:
    partner = rights.RIGHTS[Role.PARTNER]
    assert Right.READ_BOOKS not in partner
    add(
        AccessRules(
            fields={"Probe": {None: "id label", Right.READ_MONEY: "cost"}},
            facts={Right.READ_SITES: "probing.began probing.ended"},
            scopes={"probes:read": frozenset({Right.READ_BOOKS})},
        )
    )
    assert fields.FIELDS["Probe"] == {None: "id label", Right.READ_MONEY: "cost"}
    assert facts.RIGHT_OF_KIND["probing.ended"] == Right.READ_SITES
    assert facts.FACTS[Right.READ_SITES].endswith(" probing.began probing.ended")
    assert rights.rights_of_scopes(["probes:read"]) >= {Right.READ_BOOKS}
    assert rights.RIGHTS[Role.PARTNER] == partner | {Right.READ_BOOKS}


def test_a_model_without_a_rule_is_visible_to_nobody() -> None:
    class Unruled:
        """A model that no table of access names."""

        __tablename__ = "unruled"

    for role in Role:
        actor = Actor(uuid4(), role, f"user:{uuid4()}", None)
        assert str(visible_to(actor, Unruled)) == str(false())


@dataclass
class Probed:
    """A row with columns of different readers."""

    label: str
    yearly_cost: int
    secret: str


@pytest.mark.usefixtures("own_table")
def test_a_field_says_on_its_line_who_reads_it() -> None:
    class Probe:
        """What is probed."""

        label: Annotated[str, "What is written on it.", "WITH_ROW"]
        yearly_cost: Annotated[int, "What it costs.", "READ_MONEY"]
        secret: Annotated[str, "Nothing says who reads it."]

    shown = types.from_row(Probed)(Probe)
    assert fields.FIELDS["Probe"] == {None: "label", Right.READ_MONEY: "yearlyCost"}
    assert ("Probe", "secret") not in fields.RIGHT_OF_FIELD, "so it is refused to everybody"
    nullable = {
        name: type(each.type).__name__ == "StrawberryOptional"
        for name, each in types.columns(shown).items()
    }
    assert nullable == {"label": False, "yearly_cost": True, "secret": False}


@pytest.mark.usefixtures("own_table")
def test_a_field_cannot_name_a_right_that_does_not_exist() -> None:
    class Probe:
        """What is probed."""

        label: Annotated[str, "What is written on it.", "READ_LABELS"]

    with pytest.raises(ValueError, match=r"Probe\.label must be WITH_ROW or the name of a right"):
        types.from_row(Probed)(Probe)
