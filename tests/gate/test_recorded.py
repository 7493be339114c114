"""Every verb that changes something records a fact, and changes of settings say what was and what is."""

import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLField
from sqlalchemy import func, select

from domain.core import ledger
from domain.core.erasable_text import ErasableText
from domain.core.ledger import Fact, LedgerRow
from schema.core import ids
from tests.api import asking
from tests.api.asking import Api, Office
from tests.gate import changes, doable, prober, victims
from tests.gate.test_edges import Edges

NOT_IN_THE_LEDGER = {"reportPositions"}
"""Positions have a store of their own; what they prove becomes facts later."""
CHANGED_NOTHING = {
    "addStandardQuestionnaire", "readMessage", "resubscribeContact", "retryDeadConsequences",
}  # fmt: skip
"""Here what they ask for is so already: read, subscribed, nothing dead, the standard questionnaire added."""
OF_CLIENTS = {"answerSurvey"}
"""Mutations that only people of a client do; tests/api/test_survey_page.py reads their facts."""
NAMED: dict[tuple[str, str], tuple[str, str | None]] = {
    ("action_plan", "priority"): ("action_plan.prioritised", None),
    ("referral", "state"): ("referral.moved", None),
    ("account", "stage"): ("account.stage_changed", None),
    ("alarm", "number"): ("alarm.dispatched", "guard"),
    ("alarm", "police_at"): ("alarm.police_noted", "told_at"),
    ("alarm", "police_number"): ("alarm.police_noted", "number"),
    ("anomaly", "state"): ("anomaly.acknowledged", None),
    ("commitment", "owner_id"): ("commitment.handed_over", None),
    ("raid_entry", "owner_id"): ("raid.handed_over", None),
    ("incident", "assignee_id"): ("incident.assigned", None),
    ("incident", "priority"): ("incident.prioritised", None),
    ("planned_line", "quantity_milli"): ("agreement.planned", None),
    ("review", "account_id"): ("review.linked", None),
    ("review_version", "account_id"): ("review.linked", None),
    ("review_reply", "recheck_at"): ("review_reply.confirmed", None),
    ("recovery_step", "owner_id"): ("recovery.step_handed_over", None),
    ("webhook_delivery", "state"): ("webhook.delivery_retried", None),
    ("credit", "override_cents"): ("credit.overridden", None),
    ("site", "fence_outline"): ("site.fenced", "outline"),
    ("shift", "number"): ("shift.assigned", None),
    ("shift", "started_at"): ("shift.attendance_corrected", None),
    ("patrol_route", "ends_on"): ("patrol_route.ended", None),
    ("shift_pattern", "ends_on"): ("shift_pattern.ended", None),
}
"""Column → the fact that holds its values under another name; None for `before` and `after`."""
TABLES_LEFT_OUT = {
    "ledger": "the facts themselves",
    "ledger_head": "the numbering of the facts",
    "disclosure": "texts of the facts",
    "outbox": "jobs that facts start",
    "promise": "computed from the facts of its incident; promise.revised states a verdict before and after",
    "promise_watch": "computed from the promises",
    "whereabouts": "the last position, computed from positions",
    "watched_duty": "when to look at a duty next",
}
"""Tables whose rows no mutation sets by itself, and why."""
GONE = "erased with the file's bytes: the fact must not keep it"
ONCE = "set once, by the fact that states it"
STEP = "the kind of the fact names the step from one state to the next"
WHO = "the fact's actor, and its reason where it has one; the row keeps both"
LEFT_OUT = {
    ("*", "version"): "counts the changes of a row",
    ("action_plan", "state"): STEP,
    ("alarm", "state"): STEP,
    ("alarm", "number"): "alarm.declined names the guard who was sent and is no longer",
    ("alarm", "dispatched_at"): "the time of alarm.dispatched, which alarm.declined ends",
    ("alarm", "inspection"): "the row has the items; alarm.inspected counts them and the faults",
    ("alarm", "arrival_grade"): "`grade` of alarm.arrived, which is the first",
    ("contact", "merged_into_id"): "`into_id` of contact.merged; a row is merged once",
    (
        "contact",
        "wants_service_messages",
    ): "in `before` and `after` of contact.merged, which can be erased",
    ("occurrence_entry", "incident_id"): ONCE,
    ("shift_report", "content"): "the row has it; shift_report.signed states its digest",
    ("shift_report", "content_sha256"): ONCE,
    ("shift_report", "by_guard"): ONCE,
    ("shift_report", "handover"): ONCE,
    ("shift_report", "signed_by"): WHO,
    ("site", "merged_into_id"): "`into_id` of site.merged; a row is merged once",
    (
        "site",
        "name",
    ): "`before` of site.merged; the row has its own id added, so that the name is free",
    ("alarm", "user_id"): "the user behind `number`, which alarm.dispatched states",
    ("registered_key", "holder_id"): "the user behind `guard`, and the row of its movement",
    ("welfare_watch", "look_at"): "when the check counts as missed, computed",
    ("text_sentiment", "disagrees"): "computed from the label and the score; the fact states it",
    ("incident", "status"): STEP,
    ("incident", "reassigned_count"): "the number of facts incident.reassigned",
    ("incident", "reopened_count"): "the number of facts incident.reopened",
    ("agreement", "newest_terms"): "agreement.amended states it as `number`",
    ("terms", "in_force"): "ends where the next version begins: agreement.amended, `in_force_from`",
    ("case_study", "state"): STEP,
    ("case_study", "evidence_note"): "words of a person, erased with the consent",
    ("case_study", "title"): "the row has the text; case_study.changed states its number",
    ("case_study", "words"): "the row has the text; case_study.changed states its number",
    ("reference_call", "state"): STEP,
    ("referral", "moved_at"): "the time of referral.moved, each time",
    ("credit", "state"): STEP,
    ("credit", "decision_by"): WHO,
    ("credit", "decision_reason"): WHO,
    ("dispute", "state"): STEP,
    ("file", "state"): STEP,
    ("file", "name"): GONE,
    ("file", "taken_at"): GONE,
    ("file", "taken_lat"): GONE,
    ("file", "taken_lon"): GONE,
    ("file", "camera"): GONE,
    ("file", "stated_at"): GONE,
    ("file", "clock_skew_s"): GONE,
    ("raid_entry", "reviewed_at"): "the time of raid.reviewed, each time",
    ("meeting", "sequence"): "meeting.rescheduled states it; a cancellation is the last",
    ("patrol_round", "state"): STEP,
    ("replacement", "state"): STEP,
    ("replacement", "look_at"): "when the system looks at the replacement next, computed",
    ("shift_offer", "state"): STEP,
    ("patrol_round", "look_at"): "when the system looks at the round next, computed",
    ("recovery_case", "state"): STEP,
    ("recovery_case", "satisfied"): STEP,
    ("report_plan", "look_at"): "when the next report is made, computed from the schedule",
    ("review_link", "state"): STEP,
    ("status_report", "summary"): "the words of a person, or of the draft; its figures are stated",
    ("review_reply", "state"): STEP,
    ("review_reply", "next_try_at"): "when it is sent, computed from `send_at` and the failures",
    ("shift", "state"): STEP,
    ("shift", "user_id"): "the user behind `number`, which shift.assigned states",
    ("shift", "look_at"): "when the system looks at the shift next, computed",
    ("testimonial", "state"): STEP,
    ("testimonial", "words"): "erased by the withdrawal: the fact must not keep it",
    ("testimonial", "shown_name"): "erased by the withdrawal: the fact must not keep it",
    ("touchpoint", "due_on"): "when the next one is due, computed from the one that was made",
    ("webhook", "state"): STEP,
    ("webhook", "reason"): "webhook.paused states it, or is followed by webhook.resumed",
    ("webhook", "position"): "counts every company's facts; webhook.replayed states times",
    ("webhook", "round"): "the number of facts webhook.replayed",
    ("webhook_delivery", "done_at"): "when the delivery died: webhook.delivery_died",
    ("webhook_delivery", "due_at"): "when to try again, computed",
    ("webhook_secret", "ends_at"): "an old secret is valid for another day from the fact on",
}
"""Columns, `*` for every table's, whose values before and after no fact has to state, and why."""
FILLED = {
    ("action_plan", "outcome"),
    ("action_plan", "drop_reason"),
    ("text_sentiment", "corrected_by"),
    ("alarm", "outcome"),
    ("alarm", "report"),
    ("alarm", "user_id"),
    ("alarm", "inspection"),
    ("anomaly", "acknowledged_by"),
    ("anomaly", "explanation"),
    ("anomaly", "incident_id"),
    ("case_study", "contact_id"),
    ("case_study", "consented_text"),
    ("case_study", "end_reason"),
    ("case_study", "evidence_note"),
    ("case_study", "until_on"),
    ("champion", "end_note"),
    ("champion", "end_reason"),
    ("reference_call", "cancel_reason"),
    ("reference_call", "outcome_note"),
    ("referral", "won_account_id"),
    ("commitment", "done_by"),
    ("commitment", "note"),
    ("commitment", "withdrawn_reason"),
    ("incident", "outcome"),
    ("dispute", "outcome"),
    ("dispute", "facts_now"),
    ("dispute", "decided_by"),
    ("dispute", "verdict_now"),
    ("dispute", "verdict_now_at"),
    ("meeting", "agenda"),
    ("meeting", "held_at"),
    ("meeting", "notes"),
    ("meeting", "open_questions"),
    ("meeting", "next_meeting_on"),
    ("meeting", "cancel_reason"),
    ("meeting", "cancelled_by_client"),
    ("meeting_attendee", "attended"),
    ("raid_entry", "outcome"),
    ("playbook_run", "outcome"),
    ("playbook_run", "closing_note"),
    ("recovery_step", "note"),
    ("recovery_step", "done_by"),
    ("review_link", "case_id"),
    ("review_link", "decided_by"),
    ("review_reply", "approver_id"),
    ("review_reply", "reason"),
    ("sign_in", "ended_by"),
    ("replacement", "replacing_number"),
    ("replacement", "replacing_user_id"),
    ("shift", "cancel_reason"),
    ("simulation", "sign_off_reason"),
    ("simulation", "signed_off_by_id"),
    ("renewal", "outcome"),
    ("renewal", "decided_by"),
    ("renewal", "reason"),
    ("renewal", "note"),
    ("renewal", "price_change_bps"),
    ("status_report", "confirmed"),
    ("business_review", "released_by"),
    ("success_plan", "outcome"),
    ("success_goal", "measured_on"),
    ("success_goal", "value_milli"),
    ("status_report", "reason"),
    ("status_report", "confirmed_by"),
    ("status_report", "is_greener"),
    ("testimonial", "refusal"),
    ("team_member", "left_reason"),
    ("team_member", "successor_id"),
    ("touchpoint", "done_by"),
    ("touchpoint", "contact_id"),
}
"""Columns that a later step fills: nothing was there that a fact could state, and the row keeps what is."""
SETTINGS = {
    "account.changed", "contact.changed", "billing_party.set", "quality_policy.set",
    "report_plan.set", "compensation_policy.chosen", "calendar.defined", "credit.overridden",
    "recovery.step_handed_over", "webhook.delivery_retried",
}  # fmt: skip


@pytest.fixture
async def api(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    """An API whose budgets are not exhausted by many questions."""
    configured = asking.settings(
        database_url, redis_url, tmp_path, budget_per_s=1e9, budget_burst=1e12
    )
    async with asking.running(configured) as running:
        yield running


async def prepared(
    asker: Edges, office: Office, name: str, field: GraphQLField
) -> tuple[str, dict[str, Any]]:
    """A document and an input with which the mutation succeeds now."""
    document, variables = asker.asked("mutation", name, field)
    given = variables["input"]
    given.pop("expectedVersion", None)
    prepare = doable.DOABLE.get(name)
    if prepare is None and name.endswith("Incident") and name != "openIncident":
        prepare = doable.INCIDENTS
    if prepare is not None:
        given |= await prepare(asker.api, office)
        given = {argument: value for argument, value in given.items() if value is not None}
    return document, given


async def test_every_mutation_records_a_fact_with_what_was_and_what_is(api: Api) -> None:
    office = await victims.furnished(api)
    own = await prober.side(api, office.manager, office.world.tenant.id)
    asker = Edges(api, own, own, office.manager)
    refused, silent, unstated, blind = {}, [], [], []
    stated: set[tuple[str, str, str]] = set()
    used: set[tuple[str, str]] = set()

    async def look(after: int) -> tuple[changes.Rows, list[changes.Recorded], int]:
        async with api.make() as session:
            rows = await changes.rows(session, office.world.tenant.id, TABLES_LEFT_OUT)
            facts = await changes.recorded(session, office.world.tenant.id, after)
            return rows, facts, await session.scalar(select(func.max(LedgerRow.id))) or 0

    mutation = asker.schema.mutation_type
    assert mutation is not None
    for name in sorted(mutation.fields.keys() - OF_CLIENTS, key=doable.order):
        document, given = await prepared(asker, office, name, mutation.fields[name])
        before, _, last = await look(0)
        answer = await api.ask(office.manager, document, input=given)
        assert answer.get("data"), (name, answer)
        if answer["data"][name]["__typename"] == "Refusal":
            refused[name] = answer["data"][name]
            continue
        after, facts, _ = await look(last)
        if not facts and name not in NOT_IN_THE_LEDGER | CHANGED_NOTHING:
            silent.append(name)
        poorer = [changes.without_before(fact) for fact in facts]
        for change in changes.changed(before, after):
            if changes.is_stated(change, facts, NAMED):
                if changes.is_moment(change, facts):
                    continue
                stated.add((name, change.table, change.column))
                if changes.is_stated(change, poorer, NAMED):
                    blind.append((name, change))
                continue
            column = (change.table, change.column)
            left_out = {("*", change.column), column} & LEFT_OUT.keys()
            if change.old is None:
                left_out |= {column} & FILLED
            used |= left_out
            if not left_out:
                unstated.append((name, change, [fact.kind for fact in facts]))
    sys.stdout.write(f"{len(mutation.fields)} mutations, {len(stated)} columns stated\n")
    assert refused == {}, refused
    assert silent == [], silent
    assert unstated == [], "\n".join(map(str, unstated))
    assert blind == [], "these are stated without what was before"
    assert used == LEFT_OUT.keys() | FILLED, (LEFT_OUT.keys() | FILLED) - used


def kinds_of(base: type[Fact]) -> dict[str, type[Fact]]:
    """Every kind of fact by its name."""
    found = {}
    for each in base.__subclasses__():
        if hasattr(each, "kind"):
            found[each.kind] = each
        found |= kinds_of(each)
    return found


def test_facts_about_settings_hold_the_values_before_and_after() -> None:
    known = kinds_of(ledger.Fact)
    for kind in sorted(SETTINGS):
        assert {"before", "after"} <= set(known[kind].__struct_fields__), kind


CHANGE = """mutation($id: ID!, $name: String) { changeContact(input: {id: $id, name: $name}) {
  ... on Contact { id } ... on Refusal { code message } } }"""


async def test_personal_values_before_and_after_are_beside_the_fact_and_can_be_erased(
    api: Api,
) -> None:
    office = await asking.office(api)
    contact = office.world.contacts[0]
    was = contact.name
    await api.data(office.manager, CHANGE, id=ids.write("Contact", contact.id), name="Anna de Boer")
    async with api.make() as session:
        [fact] = await session.scalars(
            select(LedgerRow).where(
                LedgerRow.subject_id == contact.id, LedgerRow.kind == "contact.changed"
            )
        )
        words = {
            name: await session.scalar(
                select(ErasableText.words).where(ErasableText.commitment == fact.body[name])
            )
            for name in ("before", "after")
        }
    assert fact.body["fields"] == ["name"]
    assert "Anna" not in json.dumps(fact.body)
    assert words == {
        "before": json.dumps({"name": was}, separators=(",", ":")),
        "after": '{"name":"Anna de Boer"}',
    }
