"""Complexity of a document: depth, fields and cost, by one rule that is linear in the document's length.

Each fragment is weighed once and remembered, so 40 fragments that double each other (2^40 fields) take
microseconds. It runs before validation and execution, both of which would take for ever on such documents.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    Visitor,
    get_named_type,
    get_nullable_type,
    is_list_type,
    visit,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter

DEPTH = 16  # the introspection query of GraphiQL is 14 deep
NESTING = 48  # braces, counting fragments
FIELDS = 1_000  # fields written out, fragments followed
COST = 100_000  # objects and fields an answer may hold, as far as page sizes tell
TOKENS = 3_000
ALIASES = (
    100  # of one field: the same answer a thousand times over is asked for by nobody who means well
)
PAIRS = 5_000  # fields of one name, taken two by two: validation compares each pair (8 µs)
UNSIZED = 3  # rows in a list that takes no size: versions, targets, pauses are few
MOST = 100  # what a page size given by a variable may turn out to be
LARGEST = 500  # that any field takes
SIZES = ("first", "last")


@dataclass(frozen=True, slots=True)
class Cost:
    """Upper bound of what a selection reads."""

    depth: int = 0
    fields: int = 0
    cost: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(
            max(self.depth, other.depth), self.fields + other.fields, self.cost + other.cost
        )


def too_complex(message: str) -> GraphQLError:
    """The gate's answer."""
    return GraphQLError(message, extensions={"code": "TOO_COMPLEX"})


def work_of(field: GraphQLField) -> int:
    """The cost that a field declares beyond its selection: see `schema.core.types.resolver`."""
    definition = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    return 0 if definition is None else int(definition.metadata.get("work", 0))


class _Names(Visitor):
    """Counts how often each field is written under one name."""

    def __init__(self) -> None:
        super().__init__()
        self.count: Counter[str] = Counter()
        self.aliased: Counter[str] = Counter()

    def enter_field(self, node: FieldNode, *_where: Any) -> None:
        """Count one."""
        self.count[(node.alias or node.name).value] += 1
        if node.alias is not None:
            self.aliased[node.name.value] += 1


def check_names(document: DocumentNode) -> None:
    """Refuse documents that write one name so often that validation would take for ever (500 times: 1.9 s)."""
    names = _Names()
    visit(document, names)
    if max(names.aliased.values(), default=0) > ALIASES:
        raise too_complex(f"One field is asked for under more than {ALIASES} names.")
    if sum(n * (n - 1) // 2 for n in names.count.values()) > PAIRS:
        raise too_complex("The same names are written too often.")


def _defaults(operation: OperationDefinitionNode) -> dict[str, Any]:
    """Page sizes that variables have unless they are given."""
    return {
        each.variable.name.value: int(each.default_value.value[:6])
        for each in operation.variable_definitions or ()
        if isinstance(each.default_value, IntValueNode)
    }


class CostAnalyzer:
    """Weighs one document; `variables` make page sizes exact, without them a variable counts as a full page."""

    def __init__(
        self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]
    ) -> None:
        self._schema = schema
        self._variables = variables
        self._fragments = {
            node.name.value: node
            for node in document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }
        self._weighed: dict[str, Cost] = {}
        self._open: set[str] = set()
        self.depends_on_variables = False
        """Whether a page size of what was weighed is given by a variable."""

    def weigh(self, operation: OperationDefinitionNode) -> Cost:
        """The weight of an operation; raises TOO_COMPLEX when it is over a limit."""
        root = self._schema.get_root_type(operation.operation)
        self._variables = _defaults(operation) | dict(self._variables)
        weight = self._selection(operation.selection_set, root, 0)
        if weight.depth > DEPTH:
            raise too_complex(f"Fields are nested {weight.depth} deep; {DEPTH} is the most.")
        if weight.fields > FIELDS:
            raise too_complex(f"More than {FIELDS} fields are asked for, counting fragments.")
        if weight.cost > COST:
            raise too_complex(
                f"The answer may cost {weight.cost}; {COST} is the most. Ask for smaller pages."
            )
        return weight

    def _selection(
        self, selections: SelectionSetNode, parent: GraphQLNamedType | None, nesting: int
    ) -> Cost:
        if nesting > NESTING:
            raise too_complex(f"Braces are nested more than {NESTING} deep.")
        weight = Cost()
        for node in selections.selections:
            if isinstance(node, FieldNode):
                weight += self._field(node, parent, nesting)
            elif isinstance(node, InlineFragmentNode):
                name = node.type_condition.name.value if node.type_condition else None
                inside = parent if name is None else self._schema.type_map.get(name)
                weight += self._selection(node.selection_set, inside, nesting + 1)
            else:
                weight += self._fragment(node.name.value, nesting)  # type: ignore[attr-defined]
        return weight

    def _fragment(self, name: str, nesting: int) -> Cost:
        known = self._weighed.get(name)
        if known is not None:
            return known
        node = self._fragments.get(name)
        if node is None or name in self._open:
            return Cost()  # unknown or a ring: validation has the words for it
        self._open.add(name)
        inside = self._schema.type_map.get(node.type_condition.name.value)
        weight = self._selection(node.selection_set, inside, nesting + 1)
        self._open.discard(name)
        self._weighed[name] = weight
        return weight

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None, nesting: int) -> Cost:
        field = getattr(parent, "fields", {}).get(node.name.value)
        work = 0 if field is None else work_of(field)
        if node.selection_set is None:
            return Cost(1, 1, 1 + work)
        inside = get_named_type(field.type) if field is not None else None
        below = self._selection(node.selection_set, inside, nesting + 1)
        return Cost(
            below.depth + 1,
            below.fields + 1,
            1 + work + self._rows(node, field, parent) * below.cost,
        )

    def _rows(
        self, node: FieldNode, field: GraphQLField | None, parent: GraphQLNamedType | None
    ) -> int:
        """Return the number of objects a field may return: its page size, else an estimate for lists, else one."""
        if field is None:
            return 1
        for name in SIZES:
            given = next((a.value for a in node.arguments or () if a.name.value == name), None)
            if isinstance(given, IntValueNode):
                return min(int(given.value[:6]), LARGEST) if given.value[0] != "-" else 1
            if isinstance(given, VariableNode):
                self.depends_on_variables = True
                size = self._variables.get(given.name.value)
                return max(1, min(size, LARGEST)) if isinstance(size, int) else MOST
        default = next((a.default_value for n, a in field.args.items() if n in SIZES), None)
        if any(name in field.args for name in SIZES):
            return default if isinstance(default, int) else MOST // 2
        if is_list_type(get_nullable_type(field.type)):
            # A connection's `edges` and `nodes` were counted with the connection; so were the schema's own parts.
            return (
                1
                if parent is None
                or parent.name.startswith("__")
                or parent.name.endswith("Connection")
                else UNSIZED
            )
        return 1
