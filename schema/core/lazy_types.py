"""Types named before they are there: relations go in rings, imports do not."""

from typing import TYPE_CHECKING, Annotated

import strawberry

if TYPE_CHECKING:
    from schema.accounts import Account
    from schema.agreements import Agreement
    from schema.calendars import Calendar
    from schema.credits import Credit
    from schema.incidents import Incident
    from schema.promises import Promise

ItsAccount = Annotated["Account", strawberry.lazy("schema.accounts")]
ItsAgreement = Annotated["Agreement", strawberry.lazy("schema.agreements")]
ItsCalendar = Annotated["Calendar", strawberry.lazy("schema.calendars")]
ItsCredit = Annotated["Credit", strawberry.lazy("schema.credits")]
ItsIncident = Annotated["Incident", strawberry.lazy("schema.incidents")]
ItsPromise = Annotated["Promise", strawberry.lazy("schema.promises")]
