"""The schema, put together from the nouns."""

from functools import cache
from typing import Any

import strawberry
from strawberry.printer import print_schema
from strawberry.tools import merge_types

from schema.accounts import AccountMutation
from schema.agreements import AgreementMutation, CreditRule, PromiseTarget
from schema.calendars import CalendarMutation
from schema.feed import Subscription
from schema.incidents import IncidentMutation
from schema.keys import KeyMutation
from schema.queries import Query
from schema.scalars import config

VERBS = (AccountMutation, KeyMutation, CalendarMutation, AgreementMutation, IncidentMutation)


@cache
def build(*, suggestions: bool = True) -> strawberry.Schema:
    """Build the executable schema; building takes 0.1 s, so a process does it once."""
    mutation: Any = merge_types("Mutation", VERBS)
    mutation.__strawberry_definition__.description = "What can be done."
    return strawberry.Schema(
        query=Query,
        mutation=mutation,
        subscription=Subscription,
        types=[PromiseTarget, CreditRule],
        config=config(suggestions=suggestions),
    )


def sdl() -> str:
    """The schema in words, as committed in `schema/schema.graphql`."""
    return print_schema(build()) + "\n"
