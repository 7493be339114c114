"""Playbooks that every company has from the beginning; it may change and retire them."""

from typing import NamedTuple

from domain.account_teams.model import TeamRole
from domain.health import HealthBand, WarningRule
from domain.playbooks.model import PlaybookDate, PlaybookTrigger
from domain.playbooks.rules import TaskTemplate

T, R, W = TaskTemplate, TeamRole, WarningRule


class ShippedPlaybook(NamedTuple):
    """A playbook that is shipped."""

    name: str
    kind: PlaybookTrigger
    value: str
    tasks: tuple[TaskTemplate, ...]
    days_before: int = 0


def _on(rule: WarningRule, name: str, *tasks: TaskTemplate) -> ShippedPlaybook:
    return ShippedPlaybook(name, PlaybookTrigger.WARNING, rule, tasks)


SHIPPED: tuple[ShippedPlaybook, ...] = (
    ShippedPlaybook(
        "Executive engagement", PlaybookTrigger.BAND, HealthBand.CRITICAL,
        (
            T("call", "Call the client's executive today", R.EXECUTIVE_SPONSOR, 0,
              "The client knows by name who of the management stands for it"),
            T("cause", "Find the cause with operations and finance", R.ACCOUNT_MANAGER, 1,
              "The facts behind the score are known"),
            T("plan", "Agree on a recovery plan with the client", R.EXECUTIVE_SPONSOR, 5,
              "The client agreed to the plan", ("call", "cause")),
            T("check", "Ask the client whether the plan works", R.EXECUTIVE_SPONSOR, 20,
              "The client says that it does", ("plan",)),
        ),
    ),
    ShippedPlaybook(
        "Risk assessment", PlaybookTrigger.BAND, HealthBand.AT_RISK,
        (
            T("assess", "Assess what endangers the relationship, signal by signal", R.ACCOUNT_MANAGER,
              2, "Each low signal has a cause"),
            T("talk", "Talk it through with the client", R.ACCOUNT_MANAGER, 5,
              "The client confirmed or corrected the causes", ("assess",)),
            T("measures", "Decide on measures with owners and dates", R.CUSTOMER_SUCCESS, 3,
              "Each cause has a measure", ("talk",)),
        ),
    ),
    _on(
        W.CHURN_SIGNS, "Action plan",
        T("plan", "Write an action plan for the drivers of the estimate", R.ACCOUNT_MANAGER, 3,
          "Each driver has an action with a date"),
        T("meet", "Present the plan to the decision makers", R.ACCOUNT_MANAGER, 10,
          "They agreed to it", ("plan",)),
        T("review", "Review the plan", R.EXECUTIVE_SPONSOR, 20, "It is kept or changed", ("meet",)),
    ),
    _on(
        W.BUDGET_PRESSURE, "Value reinforcement",
        T("value", "Gather what the service achieved, in the client's figures", R.CUSTOMER_SUCCESS, 5,
          "Results beside their costs on one page"),
        T("show", "Show it to whoever decides on the budget", R.ACCOUNT_MANAGER, 10,
          "The decision maker has seen it", ("value",)),
    ),
    _on(
        W.SATISFACTION_FALLING, "Relationship repair",
        T("call", "Call the contact who answered", R.ACCOUNT_MANAGER, 2, "The reason is understood"),
        T("mend", "Mend what the contact named", R.SUPPORT, 10, "The contact confirms it", ("call",)),
        T("ask", "Ask again", R.ACCOUNT_MANAGER, 20, "A new answer", ("mend",)),
    ),
    _on(
        W.SUPPORT_ESCALATING, "Service recovery",
        T("lead", "Name one person who leads the open incidents", R.SUPPORT, 0,
          "The client has one contact person"),
        T("cause", "Find the common cause", R.TECHNICAL, 3, "Cause and remedy are written down"),
        T("report", "Report cause and remedy to the client", R.ACCOUNT_MANAGER, 2,
          "The client accepts the remedy", ("cause",)),
    ),
    _on(
        W.RENEWAL_AT_RISK, "Retention offer",
        T("offer", "Prepare an offer for the next term", R.SALES_SUPPORT, 5,
          "An offer within the limits of the management"),
        T("approve", "Approve the offer", R.EXECUTIVE_SPONSOR, 2, "Approved or changed", ("offer",)),
        T("present", "Present the offer", R.ACCOUNT_MANAGER, 5, "The client decides", ("approve",)),
    ),
    _on(
        W.NO_STRATEGIC_CONTEXT, "Success acceleration",
        T("goals", "Ask the client for its goals of the year", R.CUSTOMER_SUCCESS, 10,
          "At least one goal with a figure"),
        T("steps", "Agree on the first steps towards them", R.CUSTOMER_SUCCESS, 10,
          "A first result within a quarter", ("goals",)),
    ),
    _on(
        W.KEY_CONTACT_CHANGED, "Succession of a key contact",
        T("reach", "Reach the contact who leaves", R.ACCOUNT_MANAGER, 2, "An introduction to the successor"),
        T("meet", "Meet the successor", R.ACCOUNT_MANAGER, 10, "The successor knows service and people",
          ("reach",)),
        T("record", "Record the succession and the new relationship", R.ACCOUNT_MANAGER, 2,
          "The succession is recorded", ("meet",)),
    ),
    _on(
        W.PAYMENT_LATE, "Late payments",
        T("ask", "Ask the client's finance why invoices are late", R.FINANCE, 2, "A reason and a date"),
        T("tell", "Tell the account manager what it means", R.FINANCE, 1, "Known before the next talk",
          ("ask",)),
    ),
    ShippedPlaybook(
        "Renewal", PlaybookTrigger.DATE, PlaybookDate.NOTICE_DATE,
        (
            T("dossier", "Gather kept promises, credits and results of the term", R.ACCOUNT_MANAGER, 20,
              "A dossier of the term"),
            T("review", "Review the term with the client", R.ACCOUNT_MANAGER, 40,
              "The client's wishes for the next term", ("dossier",)),
            T("offer", "Offer the next term", R.SALES_SUPPORT, 20, "An offer", ("review",)),
            T("close", "Agree on the next term", R.ACCOUNT_MANAGER, 20, "Signed, or a clear no", ("offer",)),
        ),
        180,
    ),
)  # fmt: skip
