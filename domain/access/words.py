"""The table in words: what each role sees, does not see and may do; what each right, field and operation asks for."""

from collections.abc import Iterable, Iterator

from domain.access.facts import FACTS
from domain.access.fields import FIELDS
from domain.access.operations import DOWNLOADS, MUTATIONS, QUERIES, SUBSCRIPTIONS, Rights
from domain.access.rights import DEFAULT_SCOPES, RIGHTS, SCOPES, Right, Role
from domain.access.rows import ROWS
from domain.access.texts import RIGHT_TEXTS, ROLE_TEXTS, ROW_NAMES

_READS = [right for right in Right if right.startswith("read_")] + [Right.LOCATE, Right.TRACK]


def page() -> str:
    """Render the table as a page of Markdown."""
    return "\n".join(
        [*_opening(), *_roles(), *_rights(), *_scopes(), *_rows(), *_fields(), *_acts()]
    )


def _opening() -> Iterator[str]:
    yield from (
        "# Who sees what",
        "",
        (
            "This page is written by `waarborg visibility` from the table that the server itself asks"
            " (`domain/access`)."
        ),
        "A row, field, operation or fact that is not in the table is refused to everybody.",
        "",
        (
            "- **Rows** that somebody may not see do not exist: lists leave them out, an id of one is"
            " `NOT_FOUND` or null."
        ),
        (
            "- **Fields** that somebody may not read answer null or an empty list; where neither fits,"
            " the error `FORBIDDEN` at the field's path."
        ),
        "- **Mutations** that somebody may not do answer a `Refusal` with the code `NOT_ALLOWED`.",
        "- Whoever is limited to accounts, of any role, sees the rows of those accounts only.",
        "- Other companies' rows exist for nobody.",
        "",
    )


def _roles() -> Iterator[str]:
    yield from ("## Roles", "")
    for role in Role:
        if role is Role.SYSTEM:
            continue
        rights = RIGHTS[role]
        yield from (f"### {role.name}", "", ROLE_TEXTS[role], "")
        sees = [RIGHT_TEXTS[right] for right in _READS if right in rights]
        hidden = [RIGHT_TEXTS[right] for right in _READS if right not in rights]
        does = [name for name, needed in MUTATIONS.items() if rights.issuperset(needed)]
        yield f"- Sees: {'; '.join(sees)}."
        yield f"- Does not see: {'; '.join(hidden) or 'nothing is kept back'}."
        yield f"- May do: {_code(does) if does else 'nothing'}."
        yield ""


def _rights() -> Iterator[str]:
    roles = [role for role in Role if role is not Role.SYSTEM]
    yield from ("## Rights by role", "", "`x`: has it. `key`: when the key's scopes grant it.", "")
    yield f"| right | opens | {' | '.join(role.name for role in roles)} |"
    yield f"|---|---|{'---|' * len(roles)}"
    for right in Right:
        cells = (_cell(role, right) for role in roles)
        yield f"| {right.name} | {RIGHT_TEXTS[right]} | {' | '.join(cells)} |"
    yield ""


def _cell(role: Role, right: Right) -> str:
    if right not in RIGHTS[role]:
        return " "
    return "key" if role is Role.PARTNER else "x"


def _scopes() -> Iterator[str]:
    yield from (
        "## Scopes of API keys",
        "",
        (
            "A key of the role PARTNER has the rights of its scopes. A key of another role has the rights"
            " of the role, or those among them that its scopes grant. Where none are named, a partner's"
            f" key gets {_code(DEFAULT_SCOPES)}."
        ),
        "",
        "| scope | grants |",
        "|---|---|",
    )
    for scope, rights in SCOPES.items():
        yield f"| `{scope}` | {', '.join(right.name for right in Right if right in rights)} |"
    yield ""


def _rows() -> Iterator[str]:
    yield from (
        "## Rows",
        "",
        "| rows | right | limited to | without a right, only | a guard sees |",
        "|---|---|---|---|---|",
    )
    for name, rule in ROWS.items():
        limits = "; ".join(f"{right.name}: {ROW_NAMES[name, right]}" for right in rule.unless)
        own = ROW_NAMES.get((name, None), "nothing") if rule.own else "nothing"
        where = rule.words or "accounts in reach"
        yield f"| {name} | {_needed(rule.rights)} | {where} | {limits} | {own} |"
    yield from ("", "Facts of the ledger:", "", "| right | kinds |", "|---|---|")
    for right, kinds in FACTS.items():
        yield f"| {right.name} | {_code(kinds.split())} |"
    yield from (
        "",
        (
            "READ_LEDGER is needed for any of them. READ_EVERY_FACT opens all kinds. Facts whose body says"
            " `internal: true` or `client_visible: false` need READ_INTERNAL. Without READ_ALL_WORK"
            " somebody sees the facts of the own doing only."
        ),
        "",
    )


def _fields() -> Iterator[str]:
    yield from (
        "## Fields",
        "",
        "Fields that are not listed are read by whoever sees the row.",
        "",
        "| type | right | fields |",
        "|---|---|---|",
    )
    for kind, fields in FIELDS.items():
        for right, names in fields.items():
            if right is not None:
                yield f"| {kind} | {right.name} | {_code(names.split())} |"
    yield ""


def _acts() -> Iterator[str]:
    for title, table in (
        ("Queries", {f"`{name}`": needed for name, needed in QUERIES.items() if needed}),
        ("Subscriptions", {f"`{name}`": needed for name, needed in SUBSCRIPTIONS.items()}),
        ("Downloads", {f"`{name}`": needed for name, needed in DOWNLOADS.items()}),
        ("Mutations", {f"`{name}`": needed for name, needed in MUTATIONS.items()}),
    ):
        yield from (f"## {title}", "")
        if title == "Queries":
            yield from ("Queries that are not listed answer the rows that somebody sees.", "")
        yield from (
            f"| {title.lower()[:-1].replace('querie', 'query')} | right | roles |",
            "|---|---|---|",
        )
        for name, needed in table.items():
            yield f"| {name} | {_needed(needed)} | {_who(needed)} |"
        yield ""


def _needed(rights: Rights) -> str:
    return " and ".join(right.name for right in rights) or "none"


def _who(rights: Rights) -> str:
    return ", ".join(
        role.name for role in Role if role is not Role.SYSTEM and RIGHTS[role].issuperset(rights)
    )


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
