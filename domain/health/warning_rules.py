"""Early warnings: the registry of rules. Each names the facts that raise it; without its condition it clears."""

from collections.abc import Callable
from dataclasses import dataclass

from domain.health import care_conditions as care
from domain.health import warning_conditions as when
from domain.health.facts import DAY
from domain.health.observed import ObservationKind
from domain.health.warning_conditions import Evidence
from domain.health.warning_input import WarningInput, WarningRule, WarningSeverity


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: when it raises a warning, and how urgent it is."""

    key: WarningRule
    severity: WarningSeverity
    condition: Callable[[WarningInput], Evidence]
    raised_when: str
    clears_when: str


def _unhandled(given: WarningInput) -> Evidence:
    """Return the evidence of a warning of high severity that is open for 7 days without a review or a playbook."""
    reviews = given.facts.observed(ObservationKind.REVIEW)
    for each in given.open_ones:
        rule = BY_RULE[each.rule]
        late = each.raised_at <= given.at - 7 * DAY
        handled = any(review.at > each.raised_at for review in reviews) or any(
            run.body["trigger"] == f"warning:{rule.key}" and run.at >= each.raised_at
            for run in given.facts.of("playbook_run.opened")
        )
        if rule.key is not W.WARNING_UNHANDLED and rule.severity is HIGH and late and not handled:
            return rule.condition(given)
    return []


LOW, MEDIUM, HIGH = WarningSeverity
W = WarningRule
RULES: tuple[Rule, ...] = (
    Rule(
        W.RESPONSES_SLOWING, MEDIUM, when.responses_slowing,
        "The client takes 1.5 times its usual time to reply.",
        "It replies as usual.",
    ),
    Rule(
        W.MEETINGS_CANCELLED, MEDIUM, when.meetings_cancelled,
        "The client cancelled or missed 2 of the last 4 meetings.",
        "Fewer of the last 4.",
    ),
    Rule(
        W.MESSAGES_SHORTER, LOW, when.messages_shorter,
        "The last 5 messages have half the words of the 20 before.",
        "They are longer.",
    ),
    Rule(
        W.KEY_CONTACT_CHANGED, HIGH, when.key_contact_changed,
        "A key contact or champion leaves or has another role.",
        "The succession is settled.",
    ),
    Rule(
        W.BUDGET_PRESSURE, MEDIUM, when.budget_pressure,
        "The client last spoke of a freeze or cut of its budget.",
        "It speaks of another budget, or 180 days pass.",
    ),
    Rule(
        W.COMPETITOR_NAMED, MEDIUM, when.competitor_named,
        "A competitor was named in 180 days.",
        "The last 2 conversations name none.",
    ),
    Rule(
        W.FEEDBACK_STOPPED, MEDIUM, when.feedback_stopped,
        "After answers, the last 3 invitations stayed without one.",
        "An invitation is answered.",
    ),
    Rule(
        W.APPROVALS_LATE, MEDIUM, when.approvals_late,
        "2 approvals came late in 90 days.",
        "Fewer in 90 days.",
    ),
    Rule(
        W.SCOPE_QUESTIONED, MEDIUM, when.scope_questioned,
        "The scope was questioned twice in 30 days.",
        "Fewer in 30 days.",
    ),
    Rule(
        W.LEGAL_ON_SMALL_MATTER, HIGH, when.legal,
        "A lawyer took part in a small matter.",
        "30 days pass.",
    ),
    Rule(
        W.PAYMENT_LATE, MEDIUM, when.payment_late,
        "Of the last 6 invoices 2 were over 14 days late, or one 30 or more.",
        "Fewer of the last 6.",
    ),
    Rule(
        W.SATISFACTION_FALLING, HIGH, when.satisfaction_falling,
        "An answer from 0 to 6, or a mean below that of the 90 days before.",
        "Neither in 90 days.",
    ),
    Rule(
        W.NO_FUTURE_WORK, HIGH, care.no_future_work,
        "An agreement ends within 180 days and does not renew, and no plans beyond it are known.",
        "Plans beyond the term are recorded.",
    ),
    Rule(
        W.SUPPORT_ESCALATING, HIGH, when.support_escalating,
        "Twice the usual number of urgent incidents is open, or 2 escalations or 3 reopenings in 30 days.",
        "Fewer are open.",
    ),
    Rule(
        W.RENEWAL_AT_RISK, HIGH, care.renewal_at_risk,
        "End or last day for notice is within 90 days, and the band is AT_RISK or CRITICAL or no renewal is open.",
        "The band is higher and a renewal open, or the day is past.",
    ),
    Rule(
        W.SINGLE_THREAD, LOW, when.single_thread,
        "Contacts on one level only, or one person of the company makes all contact.",
        "More people are in touch.",
    ),
    Rule(
        W.REACTIVE_ONLY, LOW, when.reactive_only,
        "Every contact in 60 days was begun by the client.",
        "The company makes contact.",
    ),
    Rule(
        W.NO_HEALTH_RHYTHM, LOW, when.no_health_rhythm,
        "Nobody reviewed the health of a strategic or core account in 45 days.",
        "Somebody reviews it.",
    ),
    Rule(
        W.WARNING_UNHANDLED, HIGH, _unhandled,
        "A warning of high severity is open for 7 days without a review or a playbook.",
        "Somebody reviews it, or opens its playbook.",
    ),
    Rule(
        W.TIER_IGNORED, MEDIUM, when.tier_ignored,
        "The last 2 touchpoints of a kind were made after their day.",
        "One is made in time.",
    ),
    Rule(
        W.CHURN_SIGNS, HIGH, care.churn_signs,
        "A published estimate of leaving within 180 days is over the threshold.",
        "A later one is below it, or there is none.",
    ),
    Rule(
        W.NO_STRATEGIC_CONTEXT, MEDIUM, care.no_strategic_context,
        "No objective of a strategic or core account was agreed or reviewed in 180 days.",
        "One is.",
    ),
    Rule(
        W.ACTION_WITHOUT_OWNER, MEDIUM, care.action_without_owner,
        "The owner of an open commitment cannot sign in, or nobody has the role of a task.",
        "Somebody has it.",
    ),
    Rule(
        W.FOLLOW_THROUGH_SLOW, MEDIUM, care.follow_through_slow,
        "Of 5 commitments or more in 90 days less than 80 % were kept.",
        "80 % or more in 90 days.",
    ),
    Rule(
        W.UNDOCUMENTED_CHANGE, LOW, care.undocumented_change,
        "Terms were changed, and 7 days later no decision about it is recorded.",
        "The decision is recorded.",
    ),
)  # fmt: skip
BY_RULE = {each.key: each for each in RULES}


def raised(given: WarningInput) -> dict[WarningRule, Evidence]:
    """Return the rules whose condition holds, with their evidence."""
    found = {rule.key: rule.condition(given) for rule in RULES}
    return {key: sorted(set(evidence)) for key, evidence in found.items() if evidence}
