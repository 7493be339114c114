"""Documents, parsed, validated and weighed once: the same text is not looked at twice.

A typical query takes 0.3 ms to parse and 3.7 ms to validate, and 0.02 ms to find here. Kept are as many as fit into a
bounded amount of memory. What is refused is kept apart from what is valid, so that nobody fills the store with noise.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from sys import getsizeof
from typing import Any

import strawberry
from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OperationType,
    parse,
    specified_rules,
    validate,
)

from api.execution.complexity import TOKENS, Cost, CostAnalyzer, check_names
from api.execution.plan import NotPlanned, Plan
from api.execution.plan_compiler import PlanCompiler
from api.support.lru import WeightedCache

KEPT_BYTES = 100_000_000
REFUSED_BYTES = 4_000_000
TOKEN_BYTES = 400  # of a parsed document, a token: 9,000 characters can be 1.15 MB
FIELD_BYTES = 3_000  # of a plan, a field
ERROR_TOKENS = (
    5_000  # a mistake may print the whole value it is in: 21 times 2,900 tokens took 0.7 s
)
LONGEST = 64_000  # characters of a document


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, ready to be executed."""

    document: DocumentNode
    name: str | None
    type: OperationType
    weight: Cost
    about_schema: bool
    """Whether nothing but the schema itself is asked for."""
    plan: Plan | None = None
    """How it is executed without graphql-core; None where plans do not cover it."""


@dataclass(frozen=True, slots=True)
class Valid:
    """A document that passed validation: its plans, and the weights of operations with page sizes written in it."""

    document: DocumentNode
    operations: dict[str | None, OperationDefinitionNode]
    plans: dict[str | None, Plan | None]
    weights: dict[str | None, Cost]
    tokens: int


# The parser reads a number digit by digit: 60,000 of them cost 50 ms before any rule is asked.
_ENDLESS = re.compile(r"\d{400}")


class Invalid(Exception):
    """The document cannot be executed; tells why, and whether it is so with other variables too."""

    def __init__(self, *errors: GraphQLError, whatever_the_variables: bool = True) -> None:
        super().__init__(errors[0].message)
        self.errors = list(errors)
        self.whatever_the_variables = whatever_the_variables


class Documents:
    """The documents of one schema."""

    def __init__(self, schema: strawberry.Schema, *, development: bool) -> None:
        self.schema: GraphQLSchema = schema._schema
        self._hide = not development
        self._compiler = PlanCompiler(schema)
        hidden = () if development else (NoSchemaIntrospectionCustomRule,)
        self._rules = (*specified_rules, *hidden)
        self._kept: WeightedCache[str, Valid] = WeightedCache(KEPT_BYTES)
        self._refused: WeightedCache[str, list[GraphQLError]] = WeightedCache(REFUSED_BYTES)

    def operation(self, text: str, name: str | None, variables: Mapping[str, Any]) -> Operation:
        """The operation `name` of the document `text`. Raises `Invalid`."""
        valid = self._kept.get(text)
        if valid is None:
            valid = self.take(text, self.validated(text, variables))
        node = _chosen(valid.operations, name)
        weight = valid.weights.get(name)
        if weight is None:
            try:
                analyzer = CostAnalyzer(self.schema, valid.document, variables)
                weight = analyzer.weigh(node)
            except GraphQLError as error:
                raise Invalid(error) from None
            if not analyzer.depends_on_variables:
                valid.weights[name] = weight
        about_schema = node.operation is OperationType.QUERY and all(
            isinstance(each, FieldNode) and each.name.value.startswith("__")
            for each in node.selection_set.selections
        )
        return Operation(
            valid.document,
            node.name.value if node.name else None,
            node.operation,
            weight,
            about_schema,
            valid.plans[node.name.value if node.name else None],
        )

    def knows(self, text: str) -> bool:
        """Whether a document was validated before and is still kept."""
        return text in self._kept

    def refused(self, text: str) -> Invalid | None:
        """Return the earlier refusal of a document, if it is still cached."""
        errors = self._refused.get(text)
        return None if errors is None else Invalid(*errors)

    def take(self, text: str, valid: Valid) -> Valid:
        """Keep a document that was validated."""
        fields = sum(plan.fields for plan in valid.plans.values() if plan is not None)
        weight = getsizeof(text) + TOKEN_BYTES * valid.tokens + FIELD_BYTES * fields
        self._kept.put(text, valid, weight)
        return valid

    def refuse(self, text: str, invalid: Invalid) -> None:
        """Keep why a document was refused, unless that depends on the variables. The parsed document is let go."""
        if not invalid.whatever_the_variables:
            return
        errors = [
            GraphQLError(
                each.message,
                source=each.source,
                positions=each.positions,
                extensions=each.extensions,
            )
            for each in invalid.errors
        ]
        weight = getsizeof(text) + sum(getsizeof(each.message) + 1_000 for each in errors)
        self._refused.put(text, errors, weight)

    @property
    def kept_bytes(self) -> int:
        """Return the size of the cached documents."""
        return self._kept.weight

    def validated(self, text: str, variables: Mapping[str, Any]) -> Valid:
        """Parse, weigh and validate a document; nothing is kept, so any thread may. Raises `Invalid`."""
        if len(text) > LONGEST:
            raise Invalid(GraphQLError(f"A document has at most {LONGEST} characters."))
        if _ENDLESS.search(text):
            raise Invalid(GraphQLError("A document holds no number of 400 digits; use variables."))
        try:
            document = parse(text, no_location=False, max_tokens=TOKENS)
            check_names(document)
        except GraphQLError as error:
            raise Invalid(error) from None
        nodes = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
        operations = {node.name.value if node.name else None: node for node in nodes}
        # Weighed before it is validated: validation follows fragments too.
        for node in nodes:
            try:
                CostAnalyzer(self.schema, document, variables).weigh(node)
            except GraphQLError as error:
                always = not node.variable_definitions
                raise Invalid(error, whatever_the_variables=always) from None
        tokens = _tokens(document)
        most = max(1, min(20, ERROR_TOKENS // tokens))
        errors = validate(
            self.schema, document, self._rules, max_errors=most, hide_suggestions=self._hide
        )
        if errors:
            raise Invalid(*{error.message: error for error in reversed(errors)}.values())
        plans = {name: self._plan(document, node) for name, node in operations.items()}
        return Valid(document, operations, plans, {}, tokens)

    def _plan(self, document: DocumentNode, node: OperationDefinitionNode) -> Plan | None:
        try:
            return self._compiler.compile(document, node)
        except NotPlanned:
            return None


def _tokens(document: DocumentNode) -> int:
    count, token = 0, document.loc.start_token if document.loc else None
    while token is not None:
        count, token = count + 1, token.next
    return count


def _chosen(
    operations: Mapping[str | None, OperationDefinitionNode], name: str | None
) -> OperationDefinitionNode:
    """The operation asked for; several without a name to choose by are an error, not the first one."""
    if name is not None:
        if name in operations:
            return operations[name]
        raise Invalid(GraphQLError(f"There is no operation named {name!r} in the document."))
    if len(operations) == 1:
        return next(iter(operations.values()))
    raise Invalid(
        GraphQLError(
            "The document has several operations: say which with operationName."
            if operations
            else "The document has no operation."
        )
    )
