"""One setting does not switch another off: an argument that is left out keeps its value, null clears it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from graphql import GraphQLInputObjectType, GraphQLNonNull, get_named_type
from sqlalchemy import ColumnElement, inspect, select

from domain import accounts
from domain.access import Actor, Role, Tx
from domain.accounts import Account, ApiKey, Contact, Site, Tenant
from domain.accounts.model import User
from domain.alarms import AlarmSystem
from domain.compensation.model import CompensationPolicy
from domain.competitors.model import Competitor
from domain.core.db import transaction
from domain.guards.model import GuardProfile
from domain.invoices import BillingParty
from domain.posts.model import Post
from domain.quality import QualityPolicy
from domain.replies import ReplyRule
from domain.reports import ReportPlan
from domain.reputation.model import ReviewSource
from domain.surveys.model import Survey
from schema.build import build
from schema.core import ids
from tests import build as build_rows
from tests.api.asking import Api, Office

SCHEMA = build()._schema
PREFIXES = ("set", "change", "choose")
NEW_ROWS = {"setRate", "setEscalationPolicy", "setParameter", "setSuccessGoal"}
"""They add a row of their own, with a day or an instant from which it holds; the rows before stay as they are."""
ALWAYS_GIVEN = {"expectedVersion", "idempotencyKey"}


@dataclass(frozen=True)
class Setting:
    """A mutation that changes a row: what it is asked with, and two values of everything that may be left out."""

    model: type[Any]
    row: Callable[[Office], ColumnElement[bool]]
    required: Callable[[Office], dict[str, Any]]
    values: Mapping[str, tuple[Any, Any]]
    cleared: frozenset[str] = frozenset()
    """What null clears."""
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The columns that an argument may change, where it is not the one of its name."""
    made: Callable[[Api, Office], Awaitable[dict[str, Any]]] | None = None
    """Makes the row, and returns what the mutation is asked with besides."""


def of_contact(office: Office) -> str:
    return ids.write("Contact", office.world.contacts[0].id)


async def asked(api: Api, office: Office, name: str, /, **given: Any) -> str:
    """Ask for a mutation that makes a row; the id of the row."""
    kind = name[0].upper() + name[1:]
    document = (
        f"mutation ($input: {kind}Input!) {{ {name}(input: $input)"
        " { ... on Node { id } ... on Refusal { code message argument } } }"
    )
    answer = (await api.data(office.manager, document, input=given))[name]
    assert "id" in answer, answer
    found: str = answer["id"]
    return found


async def of_post(api: Api, office: Office) -> dict[str, Any]:
    given = {"name": "Gate", "service": "reception", "validFromOn": "2026-01-01"}
    return {"id": await asked(api, office, "addPost", siteId=office.site, **given)}


async def of_survey(api: Api, office: Office) -> dict[str, Any]:
    questionnaire = await asked(api, office, "addStandardQuestionnaire")
    given = {"questionnaireId": questionnaire, "name": "Pulse", "trigger": "MONTHLY"}
    return {"id": await asked(api, office, "addSurvey", **given)}


async def of_source(api: Api, office: Office) -> dict[str, Any]:
    given = {"kind": "KIYOH", "name": "Kiyoh", "location": "1", "credentials": {"token": "a"}}
    return {"id": await asked(api, office, "addReviewSource", **given)}


async def of_guard(api: Api, office: Office) -> dict[str, Any]:
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), build_rows.T0)
        guard = await accounts.add_user(tx, email="g@g.example", name="Guard", role=Role.GUARD)
    return {"userId": ids.write("User", guard.id)}


async def of_alarm_centre(api: Api, office: Office) -> dict[str, Any]:
    """The API key of an alarm centre."""
    async with transaction(api.make) as session:
        key = ApiKey(
            tenant_id=office.world.tenant.id, name="Centre", prefix="centre", secret_sha256=b"-",
            role=Role.PARTNER, account_ids=[office.world.account.id], scopes=["alarms:write"],
            created_at=api.state.now(),
        )  # fmt: skip
        session.add(key)
        await session.flush()
        return {"keyId": ids.write("ApiKey", key.id)}


PARTY = {"legalName": "Haven BV", "street": "Kade 1", "postcode": "3011 AA", "city": "Rotterdam"}


async def of_competitor(api: Api, office: Office) -> dict[str, Any]:
    """A competitor."""
    return {"id": await asked(api, office, "addCompetitor", name="Competitor 0")}


async def of_rule(api: Api, office: Office) -> dict[str, Any]:
    """A rule for replies to reviews."""
    given = {"name": "Rule 0", "mode": "DRAFT", "templates": ["Dank"]}
    return {"id": await asked(api, office, "addReplyRule", **given)}


SETTINGS = {
    "changeAccount": Setting(
        Account,
        lambda office: Account.id == office.world.account.id,
        lambda office: {"id": office.account},
        {
            "name": ("Haven Noord", "Haven Zuid"),
            "kvkNumber": ("12345678", "87654321"),
            "segment": ("ENTERPRISE", "MID_MARKET"),
            "vertical": ("logistics", "retail"),
            "regions": (["Zuid-Holland"], ["Zeeland"]),
            "employees": (10, 20),
            "yearlyRevenueCents": (1_000, 2_000),
            "yearlyTransactions": (3, 4),
            "complexity": ("COMPLEX", "CUSTOM"),
            "contractType": ("RETAINER", "PROJECT"),
            "growthPotential": (4, 5),
            "strategicImportance": (4, 5),
            "cadenceTier": ("STRATEGIC", "CORE"),
            "serviceTier": ("PREMIUM", "ENHANCED"),
            "language": ("en", "nl"),
            "clientSinceOn": ("2020-01-01", "2021-01-01"),
        },
        frozenset(
            {"kvkNumber", "vertical", "employees", "yearlyRevenueCents", "yearlyTransactions", "clientSinceOn"}
        ),
    ),
    "changeContact": Setting(
        Contact,
        lambda office: Contact.id == office.world.contacts[0].id,
        lambda office: {"id": of_contact(office)},
        {
            "name": ("A. de Boer", "B. de Boer"),
            "role": ("porter", "manager"),
            "email": ("a@haven.example", "b@haven.example"),
            "phone": ("+31101234567", "+31107654321"),
            "channel": ("EMAIL", "EMAIL"),
            "language": ("en", "nl"),
            "timeZone": ("Europe/Brussels", "Europe/Berlin"),
            "quietFrom": ("22:00:00", "21:00:00"),
            "quietUntil": ("06:00:00", "07:00:00"),
            "wantsServiceMessages": (True, False),
            "seniority": ("senior", "junior"),
            "decisionPower": (4, 5),
            "relationshipStrength": (4, 5),
            "lastContactAt": ("2026-03-01T10:00:00Z", "2026-03-01T11:00:00Z"),
            "tone": ("formal", "informal"),
            "culturalNotes": ("Friday off", "none"),
            "internalOwnerId": (None, None),
        },
        frozenset({"phone", "seniority", "tone", "culturalNotes", "lastContactAt"}),
    ),
    "changeCompany": Setting(
        Tenant,
        lambda office: Tenant.id == office.world.tenant.id,
        lambda _office: {},
        {
            "name": ("Veilig Noord", "Veilig Zuid"),
            "kvkNumber": ("12345678", "87654321"),
            "permitNumber": ("ND1234", "ND4321"),
            "timeZone": ("Europe/Brussels", "Europe/Berlin"),
        },
        frozenset({"kvkNumber", "permitNumber"}),
    ),
    "changeSite": Setting(
        Site,
        lambda office: Site.id == office.world.site.id,
        lambda office: {"id": office.site},
        {
            "name": ("Noord", "Zuid"),
            "street": ("Kade 1", "Kade 2"),
            "postcode": ("3011 AA", "3011 AB"),
            "city": ("Rotterdam", "Delft"),
            "country": ("NL", "BE"),
            "lat": (51.9, 51.8),
            "lon": (4.4, 4.5),
            "services": (["patrol"], ["reception"]),
        },
        frozenset({"street", "postcode", "city"}),
    ),
    "changeUser": Setting(
        User,
        lambda office: (User.tenant_id == office.world.tenant.id) & (User.role == Role.DISPATCHER),
        lambda _office: {"id": ""},
        {
            "name": ("Dina", "Dora"),
            "language": ("en", "nl"),
            "role": ("DISPATCHER", "DISPATCHER"),
            "accountIds": (None, None),
        },
    ),
    "setBillingParty": Setting(
        BillingParty,
        lambda office: BillingParty.account_id == office.world.account.id,
        lambda office: {"accountId": office.account, "party": PARTY},
        {
            "party.country": ("BE", "NL"),
            "party.kvkNumber": ("12345678", "87654321"),
            "party.vatNumber": ("BE0403019261", "BE0203430576"),
            "party.iban": ("NL91ABNA0417164300", "NL02ABNA0123456789"),
            "party.bic": ("ABNANL2A", "INGBNL2A"),
            "billFromOn": ("2026-01-01", "2026-02-01"),
        },
        frozenset({"party.kvkNumber", "party.vatNumber", "party.iban", "party.bic"}),
    ),
    "setAlarmSystem": Setting(
        AlarmSystem,
        lambda office: AlarmSystem.account_id == office.world.account.id,
        lambda office: {"number": "A1", "siteId": office.site},
        {
            "zones": ([{"number": "1", "name": "Door"}], [{"number": "2", "name": "Gate"}]),
            "qualifications": (["BHV"], ["VCA"]),
            "checklist": (["Doors"], ["Windows"]),
        },
        made=of_alarm_centre,
    ),
    "setReportPlan": Setting(
        ReportPlan,
        lambda office: (
            (ReportPlan.account_id == office.world.account.id) & (ReportPlan.cadence == "weekly")
        ),
        lambda office: {"accountId": office.account, "cadence": "WEEKLY"},
        {
            "enabled": (True, False),
            "localTime": ("09:00:00", "10:00:00"),
            "weekday": (1, 2),
        },
        columns={
            "enabled": ("enabled", "next_on", "look_at"),
            "localTime": ("local_time", "look_at"),
            "weekday": ("weekday", "look_at"),
        },
    ),
    "setQualityPolicy": Setting(
        QualityPolicy,
        lambda office: QualityPolicy.account_id == office.world.account.id,
        lambda office: {"accountId": office.account},
        {
            "weights": (
                [{"component": "PUNCTUALITY", "weight": 1}],
                [{"component": "COVERAGE", "weight": 1}],
            ),
            "riskLimitBps": (500, 600),
        },
        frozenset({"weights", "riskLimitBps"}),
    ),
    "chooseCompensationPolicy": Setting(
        CompensationPolicy,
        lambda office: CompensationPolicy.tenant_id == office.world.tenant.id,
        lambda _office: {},
        {
            "approvalAboveCents": (10_000, 20_000),
            "vatCategory": ("S", "S"),
            "vatRateBps": (900, 2_100),
            "approvalCurrency": ("EUR", "USD"),
        },
        frozenset({"approvalAboveCents"}),
    ),
    "changePost": Setting(
        Post,
        lambda office: Post.tenant_id == office.world.tenant.id,
        lambda _office: {},
        {
            "name": ("Gate 1", "Gate 2"),
            "service": ("reception", "patrol"),
            "validFromOn": ("2026-02-01", "2026-03-01"),
            "validUntilOn": ("2027-02-01", "2027-03-01"),
            "qualifications": (["bhv"], ["vca"]),
            "headcount": (2, 3),
        },
        frozenset({"validUntilOn"}),
        made=of_post,
    ),
    "changeSurvey": Setting(
        Survey,
        lambda office: Survey.tenant_id == office.world.tenant.id,
        lambda _office: {},
        {
            "isActive": (True, False),
            "audience": ("EVERYBODY", "DECISION_MAKERS"),
            "delaySeconds": (3_600, 7_200),
            "openDays": (10, 12),
            "oneIn": (2, 3),
        },
        columns={"isActive": ("is_active",), "delaySeconds": ("delay_s",)},
        made=of_survey,
    ),
    "changeReviewSource": Setting(
        ReviewSource,
        lambda office: ReviewSource.tenant_id == office.world.tenant.id,
        lambda _office: {},
        {
            "isActive": (True, False),
            "name": ("Kiyoh 1", "Kiyoh 2"),
            "location": ("12", "34"),
            "url": ("https://one.example/", "https://two.example/"),
            "settings": ({"a": "b"}, {"a": "c"}),
            "credentials": ({"token": "b"}, {"token": "c"}),
            "intervalSeconds": (900, 1_800),
        },
        columns={
            "isActive": ("is_active", "next_read_at"),
            "name": ("name", "next_read_at"),
            "location": ("location", "next_read_at"),
            "url": ("url", "next_read_at"),
            "settings": ("settings", "next_read_at"),
            "credentials": ("sealed", "next_read_at"),
            "intervalSeconds": ("interval_s", "next_read_at"),
        },
        made=of_source,
    ),
    "changeCompetitor": Setting(
        Competitor,
        lambda office: Competitor.tenant_id == office.world.tenant.id,
        lambda _office: {},
        {
            "name": ("Competitor 1", "Competitor 2"),
            "note": ("Cheaper", "Larger"),
            "isWatched": (False, True),
        },
        frozenset({"note"}),
        columns={"isWatched": ("ended_at",)},
        made=of_competitor,
    ),
    "changeReplyRule": Setting(
        ReplyRule,
        lambda office: ReplyRule.tenant_id == office.world.tenant.id,
        lambda _office: {},
        {
            "isActive": (True, False),
            "name": ("Rule 1", "Rule 2"),
            "mode": ("DRAFT", "SEND"),
            "position": (5, 6),
            "shareAtLeast": (0.1, 0.2),
            "shareAtMost": (0.8, 0.9),
            "polarityAtLeast": (-0.5, 0.0),
            "polarityAtMost": (0.5, 0.6),
            "hasWords": (True, False),
            "languages": (["nl"], ["en"]),
            "themes": (["CONDUCT"], ["BILLING"]),
            "delaySeconds": (60, 120),
            "templates": (["Dank u"], ["Bedankt"]),
        },
        frozenset({"shareAtLeast", "shareAtMost", "polarityAtLeast", "polarityAtMost", "hasWords"}),
        columns={
            "shareAtLeast": ("share_low",),
            "shareAtMost": ("share_high",),
            "polarityAtLeast": ("polarity_low",),
            "polarityAtMost": ("polarity_high",),
            "delaySeconds": ("delay_s",),
        },
        made=of_rule,
    ),
    "setGuardProfile": Setting(
        GuardProfile,
        lambda office: GuardProfile.tenant_id == office.world.tenant.id,
        lambda _office: {},
        {
            "employeeNumber": ("117", "118"),
            "passColour": ("GREY", "BLUE"),
            "passExpiresOn": ("2027-01-01", "2028-01-01"),
            "languages": (["nl"], ["en"]),
            "contractMinutes": (1_200, 2_400),
            "homeLat": (52.09, 51.92),
            "homeLon": (5.12, 4.48),
            "hourCostCents": (2_500, 2_700),
        },
        frozenset(
            {
                *("employeeNumber", "passColour", "passExpiresOn", "contractMinutes"),
                "hourCostCents",
            }
        ),
        made=of_guard,
    ),
}  # fmt: skip
IDENTIFYING = {"setBillingParty": {"accountId"}, "setQualityPolicy": {"accountId", "tier"}}
"""What may be left out and says which row is meant."""


def optional_of(name: str) -> set[str]:
    """The arguments of a mutation that may be left out; those of an object in it as `object.field`."""
    mutation = SCHEMA.mutation_type
    assert mutation is not None
    given = get_named_type(mutation.fields[name].args["input"].type)
    assert isinstance(given, GraphQLInputObjectType)
    found = set()
    for argument, each in given.fields.items():
        kind = get_named_type(each.type)
        if not isinstance(each.type, GraphQLNonNull):
            found.add(argument)
        elif isinstance(kind, GraphQLInputObjectType):
            found |= {
                f"{argument}.{inner}"
                for inner, one in kind.fields.items()
                if not isinstance(one.type, GraphQLNonNull)
            }
    return found - ALWAYS_GIVEN - IDENTIFYING.get(name, set())


def test_every_mutation_that_changes_settings_is_tried() -> None:
    mutation = SCHEMA.mutation_type
    assert mutation is not None
    changing = {name for name in mutation.fields if name.startswith(PREFIXES) and optional_of(name)}
    assert changing - NEW_ROWS == SETTINGS.keys()


@pytest.mark.parametrize("name", SETTINGS)
def test_every_argument_that_may_be_left_out_has_values_here(name: str) -> None:
    assert optional_of(name) == SETTINGS[name].values.keys()


class Changing:
    """Asks for a change and reads the row."""

    def __init__(self, api: Api, office: Office, name: str) -> None:
        self.api, self.office, self.name = api, office, name
        self.setting = SETTINGS[name]
        self.made: dict[str, Any] = {}

    async def make(self) -> None:
        """Make the row where the company has none."""
        if self.setting.made is not None:
            self.made = await self.setting.made(self.api, self.office)

    async def row(self) -> dict[str, Any]:
        """The columns, without what every change moves."""
        async with self.api.make() as session:
            row = (
                await session.scalars(
                    select(self.setting.model).where(self.setting.row(self.office))
                )
            ).one()
        names = [each.key for each in inspect(self.setting.model).column_attrs]
        return {each: getattr(row, each) for each in names if each != "version"}

    async def change(self, **given: Any) -> None:
        """Ask with what is required, and this."""
        wanted: dict[str, Any] = self.setting.required(self.office) | self.made
        if wanted.get("id") == "":
            wanted["id"] = ids.write("User", (await self.row())["id"])
        for path, value in given.items():
            outer, _, inner = path.partition(".")
            if inner:
                wanted[outer] = {**wanted[outer], inner: value}
            else:
                wanted[outer] = value
        kind = self.name[0].upper() + self.name[1:]
        document = (
            f"mutation($input: {kind}Input!) {{ {self.name}(input: $input)"
            " { __typename ... on Refusal { code message argument } } }"
        )
        answer = (await self.api.data(self.office.manager, document, input=wanted))[self.name]
        assert answer["__typename"] != "Refusal", (given, answer)

    def columns_of(self, argument: str) -> set[str]:
        """What an argument may change."""
        plain = "".join(f"_{each.lower()}" if each.isupper() else each for each in argument)
        return set(self.setting.columns.get(argument, (plain.partition(".")[2] or plain,)))


@pytest.mark.parametrize("name", SETTINGS)
async def test_an_argument_alone_changes_itself_and_null_clears_it(
    api: Api, office: Office, name: str
) -> None:
    changing = Changing(api, office, name)
    await changing.make()
    await changing.change(
        **{argument: pair[0] for argument, pair in changing.setting.values.items()}
    )
    before = await changing.row()
    await changing.change()
    assert await changing.row() == before, "nothing was given"
    asked = [(argument, pair[1]) for argument, pair in changing.setting.values.items()]
    asked += [(argument, None) for argument in sorted(changing.setting.cleared)]
    for argument, value in asked:
        await changing.change(**{argument: value})
        after = await changing.row()
        changed = {column for column, was in before.items() if after[column] != was}
        assert changed <= changing.columns_of(argument), argument
        if value is None and argument in changing.setting.cleared:
            assert [after[column] for column in changing.columns_of(argument)] == [None], argument
        before = after
