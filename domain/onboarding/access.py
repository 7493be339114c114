"""Access rules of onboarding."""

from domain.access import Right
from domain.access.declarations import AccessRules

ACCESS = AccessRules(
    fields={
        "AppliedDefault": {None: "part name made"},
        "AppliedDefaults": {None: "account parts"},
    },
    mutations={Right.MANAGE_ACCOUNTS: "applyDefaults"},
)
