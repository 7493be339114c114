"""Access rules that a capability declares beside its model, and how they are added to the access table.

A capability declares `ACCESS = AccessRules(…)` in `domain/<capability>/access.py`; `domain.declared_access` finds the
declarations and adds them. The server and the page about visibility read the same tables, whoever declared an entry.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from domain.access import facts, fields, operations, rights, rows, texts
from domain.access.fields import Fields
from domain.access.operations import Rights
from domain.access.rights import Right, Role
from domain.access.rule import Rows


@dataclass(frozen=True, slots=True)
class AccessRules:
    """Who may see the rows, fields and facts of a capability, and who may run its operations.

    `rows` are by table, `row_texts` say the conditions of a table in words (by right, or None for a guard's own work),
    `never_shown` are tables that nobody reads through the API. `fields` are by type, then by the right that opens them
    (None: whoever sees the row), `facts` and `mutations` by right, `scopes` by the name that an API key is given.
    """

    rows: Mapping[str, Rows] = field(default_factory=dict)
    row_texts: Mapping[tuple[str, Right | None], str] = field(default_factory=dict)
    never_shown: frozenset[str] = frozenset()
    fields: Mapping[str, Fields] = field(default_factory=dict)
    facts: Mapping[Right, str] = field(default_factory=dict)
    queries: Mapping[str, Rights] = field(default_factory=dict)
    subscriptions: Mapping[str, Rights] = field(default_factory=dict)
    downloads: Mapping[str, Rights] = field(default_factory=dict)
    mutations: Mapping[Right, str] = field(default_factory=dict)
    scopes: Mapping[str, frozenset[Right]] = field(default_factory=dict)


def add(rules: AccessRules) -> None:
    """Add the rules of a capability to the access table. Raises `ValueError` for an entry that exists already."""
    mutations = {
        name: (right,) for right, names in rules.mutations.items() for name in names.split()
    }
    _must_be_new("row", rules.rows.keys() | rules.never_shown, rows.ROWS.keys() | rows.NEVER_SHOWN)
    _must_be_new("query", rules.queries, operations.QUERIES)
    _must_be_new("subscription", rules.subscriptions, operations.SUBSCRIPTIONS)
    _must_be_new("download", rules.downloads, operations.DOWNLOADS)
    _must_be_new("mutation", mutations, operations.MUTATIONS)
    _must_be_new("scope", rules.scopes, rights.SCOPES)
    rows.ROWS.update(rules.rows)
    rows.NEVER_SHOWN.update(rules.never_shown)
    texts.ROW_NAMES.update(rules.row_texts)
    operations.QUERIES.update(rules.queries)
    operations.SUBSCRIPTIONS.update(rules.subscriptions)
    operations.DOWNLOADS.update(rules.downloads)
    operations.MUTATIONS.update(mutations)
    rights.SCOPES.update(rules.scopes)
    rights.RIGHTS[Role.PARTNER] = rights.RIGHTS[Role.PARTNER].union(*rules.scopes.values())
    for type_name, names_by_right in rules.fields.items():
        for right, names in names_by_right.items():
            for name in names.split():
                fields.add_field(type_name, name, right)
    for right, kinds in rules.facts.items():
        facts.add_kinds(right, kinds)


def _must_be_new(what: str, names: Iterable[str], known: Iterable[str]) -> None:
    twice = sorted(set(names) & set(known))
    if twice:
        raise ValueError(f"The access table has two entries for the {what} {twice[0]}.")
