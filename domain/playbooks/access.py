"""Access rules of playbooks: for those who look after relationships."""

from domain.access import Right
from domain.access.declarations import AccessRules
from domain.access.rule import Rows, in_company

ACCESS = AccessRules(
    rows={
        "playbook": Rows((Right.READ_HEALTH,), "the own company", scope=in_company),
        "playbook_run": Rows((Right.READ_HEALTH,)),
        "playbook_task": Rows((Right.READ_HEALTH,)),
    },
    fields={
        "Playbook": {None: "id name trigger triggerValue daysBefore tasks setAt retiredAt version"},
        "PlaybookTaskTemplate": {None: "key words ownerRole workingDays wanted dependsOn"},
        "PlaybookRun": {
            None: "id openedAt closedAt outcome closingNote version playbook account tasks fact result",
            Right.READ_ACTORS: "openedBy",
        },
        "PlaybookTask": {
            None: "id key words wanted ownerRole workingDays dependsOn state commitment owner"
        },
        "PlaybookResult": {
            None: "beforeOn afterOn before after moved clientsCompared movedOfOthers words"
        },
    },
    facts={
        Right.READ_HEALTH: "playbook.defined playbook.retired playbook_run.opened playbook_run.task_begun"
        " playbook_run.task_unowned playbook_run.closed"
    },
    queries={"playbooks": (), "playbookRuns": ()},
    subscriptions={"playbookEvents": (Right.READ_LEDGER, Right.READ_HEALTH)},
    mutations={
        Right.MANAGE_ACCOUNTS: "definePlaybook retirePlaybook openPlaybookRun closePlaybookRun"
    },
)
