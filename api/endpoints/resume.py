"""Resuming of event streams: `Last-Event-ID` is the cursor after which the subscription continues."""

from dataclasses import replace
from typing import Any

import msgspec
from graphql import (
    ArgumentNode,
    FieldNode,
    GraphQLSchema,
    NamedTypeNode,
    NameNode,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    VariableDefinitionNode,
    VariableNode,
    Visitor,
    print_ast,
    visit,
)

from api.execution.document_cache import Operation
from api.execution.executor import GraphQLRequest

VARIABLE = "waarborgLastEventId"
_ARGUMENT = "after"


def resumed(
    operation: Operation, request: GraphQLRequest, schema: GraphQLSchema, last_event_id: str | None
) -> tuple[Operation, GraphQLRequest]:
    """Set the argument `after` of a subscription to the cursor in `last_event_id`.

    Subscriptions without `after` (positions, site status) start again; their first event is a complete snapshot.
    """
    if not last_event_id:
        return operation, request
    info = TypeInfo(schema)
    visitor = _SetCursor(info, operation.name)
    document = visit(operation.document, TypeInfoVisitor(info, visitor))
    if not visitor.found:
        return operation, request
    variables = {**(request.variables or {}), VARIABLE: last_event_id}
    return (
        replace(operation, document=document),
        msgspec.structs.replace(request, query=print_ast(document), variables=variables),
    )


class _SetCursor(Visitor):
    """Sets the argument `after` of the subscription field to a variable."""

    def __init__(self, info: TypeInfo, name: str | None) -> None:
        super().__init__()
        self._info, self._name = info, name
        self.found = False

    def enter_field(self, node: FieldNode, *_where: Any) -> FieldNode | None:
        """Set the argument of a root field that has it."""
        field, parent = self._info.get_field_def(), self._info.get_parent_type()
        is_root = parent is not None and parent.name == "Subscription"
        if not is_root or field is None or _ARGUMENT not in field.args:
            return None
        self.found = True
        others = tuple(each for each in node.arguments or () if each.name.value != _ARGUMENT)
        cursor = ArgumentNode(
            name=NameNode(value=_ARGUMENT), value=VariableNode(name=NameNode(value=VARIABLE))
        )
        changed: FieldNode = _with(node, arguments=(*others, cursor))
        return changed

    def leave_operation_definition(
        self, node: OperationDefinitionNode, *_where: Any
    ) -> OperationDefinitionNode | None:
        """Declare the variable in the operation."""
        if self._name is not None and (node.name is None or node.name.value != self._name):
            return None
        declared = VariableDefinitionNode(
            variable=VariableNode(name=NameNode(value=VARIABLE)),
            type=NamedTypeNode(name=NameNode(value="String")),
            directives=(),
        )
        before = node.variable_definitions or ()
        changed: OperationDefinitionNode = _with(node, variable_definitions=(*before, declared))
        return changed


def _with(node: Any, **changes: Any) -> Any:
    """Return a copy of a node with some attributes replaced."""
    return type(node)(
        **{key: getattr(node, key) for key in node.keys} | {"loc": node.loc} | changes
    )
