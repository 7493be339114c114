"""Access rules of account teams: for those who look after relationships."""

from domain.access import Right
from domain.access.declarations import AccessRules
from domain.access.rule import Rows

ACCESS = AccessRules(
    rows={"team_member": Rows((Right.READ_RELATIONSHIP,))},
    fields={
        "TeamMember": {
            None: "id role raci joinedAt leftAt leftReason user deputy successor account",
        },
    },
    facts={Right.READ_RELATIONSHIP: "team_member.joined team_member.left"},
    queries={"teamMembers": ()},
    mutations={Right.MANAGE_ACCOUNTS: "assignTeamMember endTeamMembership"},
)
