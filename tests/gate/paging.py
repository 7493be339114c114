"""Arguments of pages: every list of the schema, with sizes, directions and cursors at the edges."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from graphql import GraphQLField, GraphQLObjectType, GraphQLSchema, is_required_argument

PAGE = frozenset({"first", "last", "after", "before"})
INFO = "{ pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }"
SIZES: tuple[int | None, ...] = (None, -1, 0, 1, 100, 101, 2_147_483_647, -2_147_483_648)


class Listing(NamedTuple):
    """A list: at the root, or of the rows of a type."""

    kind: str
    """The type whose field it is; empty at the root."""
    name: str
    field: GraphQLField

    @property
    def label(self) -> str:
        """What it is called."""
        return f"{self.kind}.{self.name}" if self.kind else self.name

    def document(self) -> str:
        """A question for a page of it; the id of the row is `$id`."""
        named = sorted(self.field.args.keys() & PAGE)
        declared = ", ".join(f"${n}: {self.field.args[n].type}" for n in named)
        used = ", ".join(f"{n}: ${n}" for n in named)
        asked = f"{self.name}({used}) {self.inside}"
        if not self.kind:
            return f"query ({declared}) {{ {asked} }}"
        return f"query ($id: ID!, {declared}) {{ node(id: $id) {{ ... on {self.kind} {{ {asked} }} }} }}"

    @property
    def inside(self) -> str:
        """What is read of a page."""
        return INFO if str(self.field.type).rstrip("!").endswith("Connection") else "{ __typename }"


def listings(schema: GraphQLSchema) -> Iterator[Listing]:
    """Every field that takes a size or a cursor and needs no other argument."""
    for name, kind in schema.type_map.items():
        if not isinstance(kind, GraphQLObjectType) or kind is schema.mutation_type:
            continue
        if kind is schema.subscription_type:
            continue
        own = "" if kind is schema.query_type else name
        for field_name, field in kind.fields.items():
            others = {n: a for n, a in field.args.items() if n not in PAGE}
            if field.args.keys() & PAGE and not any(map(is_required_argument, others.values())):
                yield Listing(own, field_name, field)


def sizes(listing: Listing) -> Iterator[dict[str, Any]]:
    """Sizes in both directions, alone and together."""
    for name in ("first", "last"):
        if name in listing.field.args:
            for size in SIZES:
                yield {name: size}
    if listing.field.args.keys() >= {"first", "last"}:
        yield {"first": 1, "last": 1}
        yield {"first": 0, "last": 0}


def made_up(own: str | None) -> list[str]:
    """Cursors that nobody was given; some are near misses of one that somebody was."""
    found = [
        *("", " ", "x", "\x00", "\ud800", "é", "1", "null", "A" * 22, "A" * 513, "A" * 100_000),
        *("W10", "YXJyYXljb25uZWN0aW9uOjE=", "%00", "-_-_", "=" * 8),
    ]
    if own:
        other = "A" if own[4] != "A" else "B"
        found += [own[:10], own[:-1], own + "A", own[:4] + other + own[5:], own[::-1], f" {own}"]
    return found


def around(listing: Listing, cursor: str) -> Iterator[dict[str, Any]]:
    """A cursor behind and in front of which a page is asked for."""
    taken = listing.field.args.keys()
    if "after" in taken:
        yield {"after": cursor, "first": 2}
    if "before" in taken:
        yield {"before": cursor, "last": 2}
    if taken >= {"after", "before"}:
        yield {"after": cursor, "before": cursor}
