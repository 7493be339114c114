"""Complexity of a document: depth, number of fields and cost, computed in time linear in the document's length.

The cost of each fragment is computed once, so 40 fragments that each use the previous one twice (2^40 fields) take
microseconds. This runs before validation and execution, which would not finish on such documents.
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
NESTING = 48  # levels of braces, fragments included
FIELDS = 1_000  # selected fields, fragments expanded
COST = 100_000  # objects and fields in the response, estimated from page sizes
TOKENS = 3_000
ALIASES = 100  # aliases of one field; only attacks need more
PAIRS = 5_000  # pairs of fields with the same response name: validation compares each pair (8 µs)
UNSIZED = 3  # assumed rows of a list without page size: versions, targets and pauses are few
MOST = 100  # assumed page size when its variable has no known value
LARGEST = 500  # largest page size that any field accepts
SIZES = ("first", "last")


@dataclass(frozen=True, slots=True)
class Cost:
    """Upper bounds for a selection: depth, number of fields and cost."""

    depth: int = 0
    fields: int = 0
    cost: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(
            max(self.depth, other.depth), self.fields + other.fields, self.cost + other.cost
        )


def too_complex(message: str) -> GraphQLError:
    """Make the error for a document that exceeds a limit."""
    return GraphQLError(message, extensions={"code": "TOO_COMPLEX"})


def work_of(field: GraphQLField) -> int:
    """Return the cost that a field declares in addition to its selection: see `schema.core.types.resolver`."""
    definition = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    return 0 if definition is None else int(definition.metadata.get("work", 0))


class _Names(Visitor):
    """Counts fields by response name, and aliases by field name."""

    def __init__(self) -> None:
        super().__init__()
        self.count: Counter[str] = Counter()
        self.aliased: Counter[str] = Counter()

    def enter_field(self, node: FieldNode, *_where: Any) -> None:
        """Count one field."""
        self.count[(node.alias or node.name).value] += 1
        if node.alias is not None:
            self.aliased[node.name.value] += 1


def check_names(document: DocumentNode) -> None:
    """Refuse a document that repeats a name so often that validation takes too long (500 times: 1.9 s)."""
    names = _Names()
    visit(document, names)
    if max(names.aliased.values(), default=0) > ALIASES:
        raise too_complex(f"A field has more than {ALIASES} aliases.")
    if sum(n * (n - 1) // 2 for n in names.count.values()) > PAIRS:
        raise too_complex("The document repeats the same field names too often.")


def _defaults(operation: OperationDefinitionNode) -> dict[str, Any]:
    """Return the integer default values of an operation's variables."""
    return {
        each.variable.name.value: int(each.default_value.value[:6])
        for each in operation.variable_definitions or ()
        if isinstance(each.default_value, IntValueNode)
    }


class CostAnalyzer:
    """Computes the cost of one document; a page size whose variable has no value counts as `MOST`."""

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
        self._fragment_costs: dict[str, Cost] = {}
        self._open: set[str] = set()

    def weigh(self, operation: OperationDefinitionNode) -> Cost:
        """Compute the cost of an operation. Raises TOO_COMPLEX when it exceeds a limit."""
        root = self._schema.get_root_type(operation.operation)
        self._variables = _defaults(operation) | dict(self._variables)
        weight = self._selection(operation.selection_set, root, 0)
        if weight.depth > DEPTH:
            raise too_complex(
                f"Fields are nested {weight.depth} levels deep; the limit is {DEPTH}."
            )
        if weight.fields > FIELDS:
            raise too_complex(f"More than {FIELDS} fields are selected, counting fragments.")
        if weight.cost > COST:
            raise too_complex(
                f"The operation may cost {weight.cost}; the limit is {COST}. Use smaller pages."
            )
        return weight

    def _selection(
        self, selections: SelectionSetNode, parent: GraphQLNamedType | None, nesting: int
    ) -> Cost:
        if nesting > NESTING:
            raise too_complex(f"Braces are nested more than {NESTING} levels deep.")
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
        known = self._fragment_costs.get(name)
        if known is not None:
            return known
        node = self._fragments.get(name)
        if node is None or name in self._open:
            return Cost()  # an unknown or circular fragment: validation reports it
        self._open.add(name)
        inside = self._schema.type_map.get(node.type_condition.name.value)
        weight = self._selection(node.selection_set, inside, nesting + 1)
        self._open.discard(name)
        self._fragment_costs[name] = weight
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
        """Return how many objects a field may return: its page size, an estimate for other lists, else one."""
        if field is None:
            return 1
        for name in SIZES:
            value_node = next((a.value for a in node.arguments or () if a.name.value == name), None)
            if isinstance(value_node, IntValueNode):
                return min(int(value_node.value[:6]), LARGEST) if value_node.value[0] != "-" else 1
            if isinstance(value_node, VariableNode):
                size = self._variables.get(value_node.name.value)
                return max(1, min(size, LARGEST)) if isinstance(size, int) else MOST
        default = next((a.default_value for n, a in field.args.items() if n in SIZES), None)
        if any(name in field.args for name in SIZES):
            return default if isinstance(default, int) else MOST // 2
        if is_list_type(get_nullable_type(field.type)):
            # The rows of `edges` and `nodes` are counted at the connection; introspection lists count as one.
            return (
                1
                if parent is None
                or parent.name.startswith("__")
                or parent.name.endswith("Connection")
                else UNSIZED
            )
        return 1
