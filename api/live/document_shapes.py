"""Normal form of a subscription document: equal for documents that ask for the same, wherever they resume."""

from sys import getsizeof
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    OperationDefinitionNode,
    VariableNode,
    Visitor,
    print_ast,
    visit,
)

from api.execution.document_cache import Operation
from api.support.lru import WeightedCache

KEPT_BYTES = 8_000_000  # limit of the cache of normalized documents
Shape = tuple[str, frozenset[str]]


class DocumentShapes:
    """Cache of normalized documents."""

    def __init__(self) -> None:
        self._known: WeightedCache[tuple[str, str | None], Shape] = WeightedCache(KEPT_BYTES)

    def of(self, text: str, operation: Operation) -> Shape:
        """Return the normalized document and the names of the variables that only hold a resume cursor."""
        known = self._known.get((text, operation.name))
        if known is None:
            document = operation.document
            known = (print_ast(document), _cursors(document, operation.name))
            size = getsizeof(text) + getsizeof(known[0]) + 1_000
            self._known.put((text, operation.name), known, size)
        return known


class _Uses(Visitor):
    """Collects every use of a variable, including its declaration."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def enter_variable(self, node: VariableNode, *_where: Any) -> None:
        """Record one use of a variable."""
        self.names.append(node.name.value)


def _cursors(document: DocumentNode, name: str | None) -> frozenset[str]:
    """Return the variables that are used only as the `after` argument of the subscription field."""
    uses = _Uses()
    visit(document, uses)
    found = set()
    for node in document.definitions:
        if not isinstance(node, OperationDefinitionNode):
            continue
        if name is not None and (node.name is None or node.name.value != name):
            continue
        for field in node.selection_set.selections:
            for argument in (isinstance(field, FieldNode) and field.arguments) or ():
                if argument.name.value == "after" and isinstance(argument.value, VariableNode):
                    found.add(argument.value.name.value)
    # Two uses: the declaration and the `after` argument.
    return frozenset(each for each in found if uses.names.count(each) == 2)
