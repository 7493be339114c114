"""Go on behind the last event that a reader of a stream had: its `Last-Event-ID` is the cursor of the subscription."""

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
    operation: Operation, ask: GraphQLRequest, schema: GraphQLSchema, last_event_id: str | None
) -> tuple[Operation, GraphQLRequest]:
    """The operation with the cursor in place of the `after` it was given, or not given.

    What has no `after` (positions, standings) begins anew: its first event is the whole.
    """
    if not last_event_id:
        return operation, ask
    info = TypeInfo(schema)
    putting = _Putting(info, operation.name)
    document = visit(operation.document, TypeInfoVisitor(info, putting))
    if not putting.found:
        return operation, ask
    variables = {**(ask.variables or {}), VARIABLE: last_event_id}
    return (
        replace(operation, document=document),
        msgspec.structs.replace(ask, query=print_ast(document), variables=variables),
    )


class _Putting(Visitor):
    """Puts a variable into `after` of what is followed."""

    def __init__(self, info: TypeInfo, name: str | None) -> None:
        super().__init__()
        self._info, self._name = info, name
        self.found = False

    def enter_field(self, node: FieldNode, *_where: Any) -> FieldNode | None:
        """Give the cursor to a root field that takes one."""
        field, parent = self._info.get_field_def(), self._info.get_parent_type()
        is_followed = parent is not None and parent.name == "Subscription"
        if not is_followed or field is None or _ARGUMENT not in field.args:
            return None
        self.found = True
        others = tuple(each for each in node.arguments or () if each.name.value != _ARGUMENT)
        cursor = ArgumentNode(
            name=NameNode(value=_ARGUMENT), value=VariableNode(name=NameNode(value=VARIABLE))
        )
        followed: FieldNode = _with(node, arguments=(*others, cursor))
        return followed

    def leave_operation_definition(
        self, node: OperationDefinitionNode, *_where: Any
    ) -> OperationDefinitionNode | None:
        """Declare the variable where it is used."""
        if self._name is not None and (node.name is None or node.name.value != self._name):
            return None
        declared = VariableDefinitionNode(
            variable=VariableNode(name=NameNode(value=VARIABLE)),
            type=NamedTypeNode(name=NameNode(value="String")),
            directives=(),
        )
        before = node.variable_definitions or ()
        whole: OperationDefinitionNode = _with(node, variable_definitions=(*before, declared))
        return whole


def _with(node: Any, **changes: Any) -> Any:
    """A copy of a node with some of its parts replaced."""
    return type(node)(
        **{key: getattr(node, key) for key in node.keys} | {"loc": node.loc} | changes
    )
