"""Cache of parsed, validated and weighed documents, by their text.

A typical query takes 0.3 ms to parse and 3.7 ms to validate, and 0.02 ms to find in the cache. The cache is bounded by
memory. Refused documents have a cache of their own, so that they cannot evict valid ones.
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
from api.support.lru import WeightedCache

KEPT_BYTES = 100_000_000
REFUSED_BYTES = 4_000_000
TOKEN_BYTES = 400  # memory per token of a parsed document: 9,000 characters can take 1.15 MB
ERROR_TOKENS = 5_000  # limits printed errors, which may contain the whole value: 21 times 2,900 tokens took 0.7 s
LONGEST = 64_000  # characters of a document


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, ready to be executed."""

    document: DocumentNode
    name: str | None
    type: OperationType
    weight: Cost
    about_schema: bool
    """Whether the operation selects introspection fields only."""


@dataclass(frozen=True, slots=True)
class Valid:
    """A validated document, and the costs of its operations that have no variables."""

    document: DocumentNode
    operations: dict[str | None, OperationDefinitionNode]
    weights: dict[str | None, Cost]
    tokens: int


# The parser reads numbers digit by digit: 60,000 digits take 50 ms before any rule applies.
_ENDLESS = re.compile(r"\d{400}")


class Invalid(Exception):
    """Raised when a document cannot be executed; `whatever_the_variables` is false if other variables may help."""

    def __init__(self, *errors: GraphQLError, whatever_the_variables: bool = True) -> None:
        super().__init__(errors[0].message)
        self.errors = list(errors)
        self.whatever_the_variables = whatever_the_variables


class Documents:
    """The document cache of one schema."""

    def __init__(self, schema: strawberry.Schema, *, development: bool) -> None:
        self.schema: GraphQLSchema = schema._schema
        self._hide = not development
        hidden = () if development else (NoSchemaIntrospectionCustomRule,)
        self._rules = (*specified_rules, *hidden)
        self._kept: WeightedCache[str, Valid] = WeightedCache(KEPT_BYTES)
        self._refused: WeightedCache[str, list[GraphQLError]] = WeightedCache(REFUSED_BYTES)

    def operation(self, text: str, name: str | None, variables: Mapping[str, Any]) -> Operation:
        """Return the operation `name` of the document `text`, validating it first if needed. Raises `Invalid`."""
        valid = self._kept.get(text)
        if valid is None:
            valid = self.take(text, self.validated(text, variables))
        node = _chosen(valid.operations, name)
        weight = valid.weights.get(name)
        if weight is None:
            try:
                weight = CostAnalyzer(self.schema, valid.document, variables).weigh(node)
            except GraphQLError as error:
                raise Invalid(error) from None
            if not node.variable_definitions:
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
        )

    def knows(self, text: str) -> bool:
        """Return whether the cache holds this document as valid."""
        return text in self._kept

    def refused(self, text: str) -> Invalid | None:
        """Return the error of a document that was refused before, if it is still cached."""
        errors = self._refused.get(text)
        return None if errors is None else Invalid(*errors)

    def take(self, text: str, valid: Valid) -> Valid:
        """Add a validated document to the cache."""
        self._kept.put(text, valid, getsizeof(text) + TOKEN_BYTES * valid.tokens)
        return valid

    def refuse(self, text: str, invalid: Invalid) -> None:
        """Cache the errors of a refused document, without the parsed document, unless they depend on variables."""
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
        """The estimated memory of the cached documents."""
        return self._kept.weight

    def validated(self, text: str, variables: Mapping[str, Any]) -> Valid:
        """Parse, weigh and validate a document. Caches nothing, so any thread may call it. Raises `Invalid`."""
        if len(text) > LONGEST:
            raise Invalid(GraphQLError(f"A document may have at most {LONGEST} characters."))
        if _ENDLESS.search(text):
            raise Invalid(GraphQLError("A number may not have 400 digits or more; use variables."))
        try:
            document = parse(text, no_location=False, max_tokens=TOKENS)
            check_names(document)
        except GraphQLError as error:
            raise Invalid(error) from None
        nodes = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
        operations = {node.name.value if node.name else None: node for node in nodes}
        # Weighed before validation, because validation expands fragments and could take too long.
        for node in nodes:
            try:
                CostAnalyzer(self.schema, document, variables).weigh(node)
            except GraphQLError as error:
                always = not node.variable_definitions
                raise Invalid(error, whatever_the_variables=always) from None
        tokens = _tokens(document)
        max_errors = max(1, min(20, ERROR_TOKENS // tokens))
        errors = validate(
            self.schema, document, self._rules, max_errors=max_errors, hide_suggestions=self._hide
        )
        if errors:
            raise Invalid(*{error.message: error for error in reversed(errors)}.values())
        return Valid(document, operations, {}, tokens)


def _tokens(document: DocumentNode) -> int:
    count, token = 0, document.loc.start_token if document.loc else None
    while token is not None:
        count, token = count + 1, token.next
    return count


def _chosen(
    operations: Mapping[str | None, OperationDefinitionNode], name: str | None
) -> OperationDefinitionNode:
    """Return the requested operation. Raises `Invalid` when the name is unknown, or missing among several."""
    if name is not None:
        if name in operations:
            return operations[name]
        raise Invalid(GraphQLError(f"The document has no operation named {name!r}."))
    if len(operations) == 1:
        return next(iter(operations.values()))
    raise Invalid(
        GraphQLError(
            "The document has several operations: select one with operationName."
            if operations
            else "The document has no operation."
        )
    )
