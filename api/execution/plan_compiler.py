"""Compile a query to a plan, from the types and fields of the schema as it was built."""

import inspect
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import strawberry
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    default_field_resolver,
    is_leaf_type,
)
from graphql.execution.values import VariableValues, get_argument_values, get_variable_values
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField

from api.execution.leaves import column_filler, id_filler, place_of
from api.execution.plan import (
    FieldPlan,
    Missed,
    NotPlanned,
    Pair,
    Place,
    Plan,
    Selection,
    Sink,
)
from schema.core.access import Guard
from schema.core.ids import IdField
from schema.core.ids import write as write_id

MOST_FIELDS = 5_000
"""Fields that a plan has at most; those of an interface count for each of its types."""


class PlanCompiler:
    """Compiles the queries of one schema."""

    def __init__(self, schema: strawberry.Schema) -> None:
        self._schema = schema._schema
        self._config = schema.config
        self._scalars: Any = schema.schema_converter.scalar_registry

    def compile(self, document: DocumentNode, operation: OperationDefinitionNode) -> Plan:
        """Return the plan of a validated query. Raises `NotPlanned`."""
        root = self._schema.query_type
        if operation.operation is not OperationType.QUERY or root is None:
            raise NotPlanned("not a query")
        if operation.directives:
            raise NotPlanned("directives")
        definitions = operation.variable_definitions or ()
        fragments = {
            each.name.value: each
            for each in document.definitions
            if isinstance(each, FragmentDefinitionNode)
        }

        def variables(given: Mapping[str, Any]) -> VariableValues:
            found = get_variable_values(self._schema, definitions, dict(given), max_errors=1)
            if isinstance(found, list):
                raise Missed
            return found

        compilation = _Compilation(self, fragments)
        selection = compilation.selection(root, [operation.selection_set])
        return Plan(selection, variables, compilation.fields)

    def arguments(self, definition: GraphQLField, field: StrawberryField, node: FieldNode) -> Any:
        """Return a function that converts the arguments of a field."""
        if not definition.args:
            return lambda _variables: {}

        def arguments(variables: VariableValues) -> dict[str, Any]:
            given = get_argument_values(definition, node, variables)
            return convert_arguments(given, field.arguments, self._scalars, self._config)

        return arguments

    def possible_types(self, kind: GraphQLInterfaceType) -> list[GraphQLObjectType]:
        """List the types of an interface."""
        return list(self._schema.get_possible_types(kind))

    def is_sub_type(self, name: str, kind: GraphQLObjectType) -> bool:
        """Whether a fragment on the type of this name is about objects of this type."""
        condition: Any = self._schema.type_map[name]
        return condition is kind or (
            not isinstance(condition, GraphQLObjectType)
            and self._schema.is_sub_type(condition, kind)
        )


class _Compilation:
    """The compilation of one document."""

    def __init__(
        self, compiler: PlanCompiler, fragments: Mapping[str, FragmentDefinitionNode]
    ) -> None:
        self._compiler = compiler
        self._fragments = fragments
        self.fields = 0

    def selection(self, kind: GraphQLObjectType, sets: list[SelectionSetNode]) -> Selection:
        """Compile what is asked about objects of a type."""
        found = Selection(kind)
        for key, nodes in self._collected(kind, sets).items():
            name = nodes[0].name.value
            found.blank[key] = kind.name if name == "__typename" else None
            if name.startswith("__"):
                if name != "__typename":
                    raise NotPlanned("introspection")
                continue
            found.fields.append(self._field(kind.fields[name], key, nodes))
        return found

    def _collected(
        self, kind: GraphQLObjectType, sets: list[SelectionSetNode]
    ) -> dict[str, list[FieldNode]]:
        """Collect the fields by response key, in order."""
        found: defaultdict[str, list[FieldNode]] = defaultdict(list)
        open_sets = list(reversed(sets))
        seen: set[str] = set()

        def visit(selection_set: SelectionSetNode) -> None:
            for node in selection_set.selections:
                if node.directives:
                    raise NotPlanned("directives")
                if isinstance(node, FieldNode):
                    found[node.alias.value if node.alias else node.name.value].append(node)
                    continue
                if isinstance(node, FragmentSpreadNode):
                    if node.name.value in seen:
                        continue
                    seen.add(node.name.value)
                    fragment: Any = self._fragments[node.name.value]
                    if fragment.directives or getattr(fragment, "variable_definitions", None):
                        raise NotPlanned("directives")
                else:
                    fragment = cast("InlineFragmentNode", node)
                condition = fragment.type_condition
                if condition is None or self._compiler.is_sub_type(condition.name.value, kind):
                    visit(fragment.selection_set)

        while open_sets:
            visit(open_sets.pop())
        return dict(found)

    def _field(self, definition: GraphQLField, key: str, nodes: list[FieldNode]) -> FieldPlan:
        self.fields += 1
        if self.fields > MOST_FIELDS:
            raise NotPlanned("too many fields")
        resolve = definition.resolve or default_field_resolver
        guard: Guard | None = getattr(resolve, "guard", None)
        field = definition.extensions.get("strawberry-definition")
        is_ours = hasattr(getattr(resolve, "inner", resolve), "_is_default")  # Strawberry's mark
        if not is_ours or not isinstance(field, StrawberryField) or field.extensions:
            raise NotPlanned("a field with a resolver of its own")
        resolver: Any = field.base_resolver
        sets = [node.selection_set for node in nodes if node.selection_set is not None]
        below: list[Selection] = []
        plan = FieldPlan(
            key=key,
            name=nodes[0].name.value,
            place=self._place(definition.type, sets, below),
            guard=guard,
            is_read=resolver is None,
            is_async=field.is_async,
            get=_reader(field) if resolver is None else resolver.wrapped_func,
            arguments=self._compiler.arguments(definition, field, nodes[0]),
            for_all=field.metadata.get("for_all"),
            reads=_reads(field, guard, is_read=resolver is None),
            below=below,
        )
        if field.metadata.get("shows_rows"):
            plan.columns = _columns_below(plan)
        if resolver is not None:
            given = (resolver.parent_parameter, resolver.root_parameter)
            plan.parents = tuple(each.name for each in given if each)
            plan.infos = (resolver.info_parameter.name,) if resolver.info_parameter else ()
            plan.is_method = resolver.self_parameter is not None
            plan.is_first = not plan.is_method and _takes_object_first(plan.get, plan.parents)
        else:
            plan.fast = _fast(field, key, definition.type)
        return plan

    def _place(
        self, kind: GraphQLOutputType, sets: list[SelectionSetNode], below: list[Selection]
    ) -> Place:
        if isinstance(kind, GraphQLNonNull):
            return _required(self._place(kind.of_type, sets, below))
        if isinstance(kind, GraphQLList):
            return _list(self._place(kind.of_type, sets, below))
        if is_leaf_type(kind):
            return place_of(kind)
        if isinstance(kind, GraphQLObjectType):
            below.append(self.selection(kind, sets))
            return _object(below[-1])
        if isinstance(kind, GraphQLInterfaceType):
            types = self._compiler.possible_types(kind)
            below += [self.selection(each, sets) for each in types]
            return _one_of(below)
        raise NotPlanned("a union")


def _reads(field: StrawberryField, guard: Guard | None, *, is_read: bool) -> frozenset[str] | None:
    """Return the attributes that a field reads of its object; None when it does not declare them."""
    declared = field.metadata.get("reads")
    if is_read:
        declared = {field.metadata["column"]} if "column" in field.metadata else None
        if "type_name" in field.metadata:  # an id
            declared = {"id"}
    if declared is None:
        return None
    return frozenset(declared) | ({"id"} if guard is not None and guard.own else set())


def _columns_below(plan: FieldPlan) -> frozenset[str] | None:
    """Return the attributes that are read of the rows of a list, or of the rows of a connection's page."""
    found: frozenset[str] = frozenset()
    for selection in _row_selections(plan):
        columns = selection.columns
        if columns is None:
            return None
        found |= columns
    return found


def _row_selections(plan: FieldPlan) -> list[Selection]:
    if not plan.below or not plan.below[0].type.name.endswith("Connection"):
        return plan.below
    found: list[Selection] = []
    for each in plan.below[0].fields:
        if each.name == "nodes":
            found += each.below
        if each.name == "edges":
            found += [
                s for part in each.below for f in part.fields if f.name == "node" for s in f.below
            ]
    return found


def _reader(field: StrawberryField) -> Callable[[Any], Any]:
    if type(field) is not StrawberryField:
        return lambda row: field.get_result(row, None, [], {})
    name = field.python_name

    def read(row: Any) -> Any:
        try:
            return row.__dict__[name]  # half the time of SQLAlchemy's attribute
        except (KeyError, AttributeError):
            return getattr(row, name)

    return read


def _required(place: Place) -> Place:
    def required(value: Any, sink: Sink) -> Any:
        done = place(value, sink)
        if done is None:
            raise Missed
        return done

    return required


def _list(place: Place) -> Place:
    def whole(value: Any, sink: Sink) -> Any:
        if value is None:
            return None
        if not isinstance(value, list | tuple):
            raise Missed
        return [place(each, sink) for each in value]

    return whole


def _object(selection: Selection) -> Place:
    is_type_of = selection.type.is_type_of
    known: set[type] = set()
    blank = selection.blank

    def put(value: Any, sink: Sink) -> Any:
        if value is None:
            return None
        if is_type_of is not None and type(value) not in known:
            if not is_type_of(value, None):  # type: ignore[arg-type]  # ours look at the value only
                raise Missed
            known.add(type(value))
        answer = blank.copy()
        sink[selection].append((value, answer))
        return answer

    return put


def _one_of(selections: list[Selection]) -> Place:
    """Complete an object by its type among those of an interface."""
    places = [(each, _object(each)) for each in selections if each.type.is_type_of is not None]
    known: dict[type, Place] = {}

    def put(value: Any, sink: Sink) -> Any:
        if value is None:
            return None
        place = known.get(type(value))
        if place is None:
            fitting = (
                own for each, own in places if cast("Any", each.type.is_type_of)(value, None)
            )
            place = next(fitting, None)
            if place is None:
                raise Missed
            known[type(value)] = place
        return place(value, sink)

    return put


def _fast(
    field: StrawberryField, key: str, kind: GraphQLOutputType
) -> Callable[[Sequence[Pair]], None] | None:
    """Return the function that reads a leaf of many rows; None for a field that is no column."""
    if isinstance(field, IdField):
        return id_filler(key, field.metadata["type_name"], write_id)
    required = isinstance(kind, GraphQLNonNull)
    leaf: Any = cast("Any", kind).of_type if required else kind
    if type(field) is not StrawberryField or not is_leaf_type(leaf):
        return None
    return column_filler(key, field.python_name, leaf, required=required)


def _takes_object_first(get: Callable[..., Any], parents: tuple[str, ...]) -> bool:
    """Whether the only parameter for the object is the first of a resolver, so that it can be passed by place."""
    first = next(iter(inspect.signature(get).parameters.values()), None)
    return (
        first is not None
        and parents == (first.name,)
        and first.kind is not inspect.Parameter.KEYWORD_ONLY
    )
